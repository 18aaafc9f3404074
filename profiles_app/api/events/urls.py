"""The URLs of /v4: everything about events exists at the account and, as an alias family, at its extensions."""

from django.urls import include, path

from profiles_app.api.events import access_token, callback, ingest, listener, overview, profile
from profiles_app.api.events.slips import item_paths

LISTENER = "listeners/<int:listener_id>"

events = [
    path("profiles", profile.ProfileList.as_view()),
    *item_paths("profiles", profile.ProfileDetail, profile.ProfileList),
    path("callbacks", callback.CallbackList.as_view()),
    path("callbacks/<int:id>", callback.CallbackDetail.as_view()),
    path("callbacks/<int:id>/health", callback.CallbackHealth.as_view()),
    path("callbacks/<int:id>/signing-secret", callback.SigningSecret.as_view()),
    path("ingest", ingest.Ingest.as_view()),
    path("listeners", listener.ListenerList.as_view()),
    *item_paths("listeners", listener.ListenerDetail, listener.ListenerList),
    path(f"{LISTENER}/subscriptions", listener.SubscriptionList.as_view()),
    path(f"{LISTENER}/subscriptions/<int:id>", listener.SubscriptionDetail.as_view()),
    path(f"{LISTENER}/filters", listener.FilterList.as_view()),
    path(f"{LISTENER}/filters/<int:id>", listener.FilterDetail.as_view()),
    path("overview", overview.OverviewList.as_view()),
]

urlpatterns = [
    path("ping", access_token.Ping.as_view()),
    path("oauth/access-token", access_token.AccessToken.as_view()),
    path("oauth/access-token/details", access_token.AccessTokenDetails.as_view()),
    path("accounts/<int:voip_id>/integrations/events/", include(events)),
    path("accounts/<int:voip_id>/extensions/<int:extension_id>/integrations/events/", include(events)),
]
