"""The URLs of /v4: everything about events exists at the account and, as an alias family, at its extensions."""

from django.urls import include, path
from rest_framework.routers import DynamicRoute, Route, SimpleRouter

from profiles_app.events.api import access_token, callback, ingest, listener, overview


class EventsRouter(SimpleRouter):
    """URLs without a slash at the end, numbers as ids, and changes by PATCH alone."""

    routes = [
        Route("{prefix}", {"get": "list", "post": "create"}, "{basename}-list", False, {}),
        Route(
            "{prefix}/{lookup}",
            {"get": "retrieve", "patch": "partial_update", "delete": "destroy", "post": "create_at_id"},
            "{basename}-detail",
            True,
            {},
        ),
        Route("{prefix}/<str:id>", {"post": "create_at_id"}, "{basename}-at-id", True, {}),
        DynamicRoute("{prefix}/{lookup}/{url_path}", "{basename}-{url_name}", True, {}),
    ]

    def __init__(self) -> None:
        super().__init__(trailing_slash=False, use_regex_path=False)


class SingleRouter(EventsRouter):
    """URLs of what there is one of, which needs no id."""

    routes = [
        Route(
            "{prefix}", {"get": "retrieve", "post": "create", "delete": "destroy"}, "{basename}", False, {}
        ),
        DynamicRoute("{prefix}/{url_path}", "{basename}-{url_name}", False, {}),
    ]


single = SingleRouter()
single.register("ping", access_token.PingViewSet, "ping")
single.register("oauth/access-token", access_token.AccessTokenViewSet, "access-token")

events = EventsRouter()
events.register("profiles", callback.ProfileViewSet, "profile")
events.register("callbacks", callback.CallbackViewSet, "callback")
events.register("ingest", ingest.IngestViewSet, "ingest")
events.register("listeners", listener.ListenerViewSet, "listener")
events.register("listeners/<int:listener_id>/subscriptions", listener.SubscriptionViewSet, "subscription")
events.register("listeners/<int:listener_id>/filters", listener.FilterViewSet, "filter")
events.register("overview", overview.OverviewViewSet, "overview")

urlpatterns = [
    *single.urls,
    path("accounts/<int:voip_id>/integrations/events/", include(events.urls)),
    path("accounts/<int:voip_id>/extensions/<int:extension_id>/integrations/events/", include(events.urls)),
]
