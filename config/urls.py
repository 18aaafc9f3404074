"""Every URL of Patchbay. Dialects keep the URLs of their documents; the admin has /admin/."""

from typing import Any

from django.contrib import admin
from django.templatetags.static import static
from django.urls import include, path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularAPIView, SpectacularRedocView, SpectacularSwaggerView

from config import health
from contacts_app.core.admin.doctor import doctor_page
from contacts_app.core.history.log_page import change_log_page

admin.autodiscover()

FOR_ALL: dict[str, Any] = {"authentication_classes": [], "permission_classes": []}

urlpatterns = [
    # What is asked for most. From above downwards: what a subject adds to the routes of a lower one comes first, as a
    # word that is no UUID.
    path("", include("phones_app.urls")),
    path("", include("profiles_app.urls")),
    path("", include("contacts_app.urls")),
    # After those of all subjects: they have declared their pages of the portal by then.
    path("my-account/", include("profiles_app.myaccount.portal.urls")),
    path("", RedirectView.as_view(pattern_name="admin:index"), name="home"),
    path("admin/doctor/", admin.site.admin_view(doctor_page), name="doctor"),
    path("admin/changes/", admin.site.admin_view(change_log_page), name="change_log"),
    path("admin/", admin.site.urls),
    path("favicon.ico", RedirectView.as_view(url=static("patchbay/icon.svg")), name="favicon"),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", health.exposition, name="metrics"),
    path("api/schema", SpectacularAPIView.as_view(**FOR_ALL), name="schema"),
    path("api/docs", SpectacularSwaggerView.as_view(**FOR_ALL), name="docs"),
    path("api/redoc", SpectacularRedocView.as_view(**FOR_ALL), name="redoc"),
]

handler400 = "config.errors.bad_request"
handler403 = "config.errors.forbidden"
handler404 = "config.errors.not_found"
handler500 = "config.errors.server_error"
