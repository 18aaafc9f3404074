"""The doctor's page in the admin, for those who run the portal."""

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from contacts_app.core.doctor.checks import check_names, diagnose


def may_see_doctor(request: HttpRequest) -> bool:
    return bool(getattr(request.user, "is_superuser", False))


def doctor_page(request: HttpRequest) -> HttpResponse:
    """What `manage.py doctor` prints, as this web process finds it. To be wrapped in the admin's `admin_view`.

    It looks at every phone and connects to every server, which takes its time: the page is there before, and asks for it.
    """
    if not may_see_doctor(request):
        raise PermissionDenied
    if "HX-Request" in request.headers:
        found = {"found": list(diagnose()), "names": check_names()}
        return TemplateResponse(request, "contacts_app/core/doctor_found.html", found)
    request.current_app = admin.site.name
    context = {**admin.site.each_context(request), "title": "Doctor"}
    return TemplateResponse(request, "contacts_app/core/doctor.html", context)
