"""Every URL of Patchbay. Dialects keep the URLs of their documents; the admin has /admin/."""

from typing import Any

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularAPIView, SpectacularRedocView, SpectacularSwaggerView

from config import health
from contacts_app.contacts.pages import unsubscribe
from profiles_app.events.pages import callback_unsubscribe

admin.autodiscover()

FOR_ALL: dict[str, Any] = {"authentication_classes": [], "permission_classes": []}

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index"), name="home"),
    path("admin/", admin.site.urls),
    path("unsubscribe", unsubscribe, name="unsubscribe"),
    path(
        "callback-unsubscribe/<int:listener_id>/<str:code>", callback_unsubscribe, name="callback_unsubscribe"
    ),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("api/schema", SpectacularAPIView.as_view(**FOR_ALL), name="schema"),
    path("api/docs", SpectacularSwaggerView.as_view(**FOR_ALL), name="docs"),
    path("api/redoc", SpectacularRedocView.as_view(**FOR_ALL), name="redoc"),
    path("api/v1/", include("phones_app.urls")),
    path("backend/api/v1/", include("profiles_app.myaccount.urls")),
    path("rest/", include("profiles_app.messaging.urls")),
    path("v4/", include("profiles_app.events.urls")),
    path("api/2.0/", include("contacts_app.contacts.urls")),
    path("cisco/services/", include("phones_app.mobility.pages")),
]

handler400 = "config.errors.bad_request"
handler403 = "config.errors.forbidden"
handler404 = "config.errors.not_found"
handler500 = "config.errors.server_error"
