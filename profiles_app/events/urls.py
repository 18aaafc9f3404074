"""The URLs of /v4: everything about events exists at the account and, as an alias family, at its extensions."""

from django.urls import include, path
from rest_framework.routers import Route

from contacts_app.core.api.viewset import DialectRouter
from profiles_app.events.api import access_token, callback, ingest, listener, overview


class EventsRouter(DialectRouter):
    """What can be created at the URL of an object is so at any (`CreateAtIdViewSet`)."""

    _on_objects = {"get": "retrieve", "patch": "partial_update", "delete": "destroy", "post": "create_at_id"}
    routes = [
        DialectRouter.routes[0],
        Route("{prefix}/{lookup}", _on_objects, "{basename}-detail", True, {}),
        Route("{prefix}/<str:id>", {"post": "create_at_id"}, "{basename}-at-id", True, {}),
        DialectRouter.routes[-1],
    ]


events = EventsRouter()
events.register("profiles", callback.EventProfileViewSet, "profile")
events.register("callbacks", callback.CallbackViewSet, "callback")
events.register("ingest", ingest.IngestViewSet, "ingest")
events.register("listeners", listener.ListenerViewSet, "listener")
events.register("listeners/<int:listener_id>/subscriptions", listener.SubscriptionViewSet, "subscription")
events.register("listeners/<int:listener_id>/filters", listener.FilterViewSet, "filter")
events.register("overview", overview.OverviewViewSet, "overview")

TOKEN = access_token.AccessTokenViewSet
urlpatterns = [
    path("ping", access_token.PingViewSet.as_view({"get": "retrieve"}), name="ping"),
    path(
        "oauth/access-token",
        TOKEN.as_view({"get": "retrieve", "post": "create", "delete": "destroy"}),
        name="access-token",
    ),
    path("oauth/access-token/details", TOKEN.as_view({"get": "details"}), name="access-token-details"),
    path("accounts/<int:voip_id>/integrations/events/", include(events.urls)),
    path("accounts/<int:voip_id>/extensions/<int:extension_id>/integrations/events/", include(events.urls)),
]
