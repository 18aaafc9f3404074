"""What a person has at the desk of the admin for themselves: whether the first steps are shown, which of their long work
they have seen, and their time zone."""

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.template.response import TemplateResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from contacts_app.core.admin.work import work_of
from contacts_app.core.work import clock
from contacts_app.people.zones import zone_choices, zone_of_person


@require_POST
def first_steps_page(request: HttpRequest) -> HttpResponseRedirect:
    """Hide the first steps, or show them again. To be wrapped in the admin's `admin_view`."""
    user: Any = request.user
    user.hides_first_steps = request.POST.get("hide") == "yes"
    user.save(update_fields=["hides_first_steps"])
    return HttpResponseRedirect(reverse("admin:index"))


@require_http_methods(["GET", "POST"])
def work_page(request: HttpRequest) -> HttpResponse:
    """Long work of the person. On POST, when they open it, it is seen. To be wrapped in the admin's `admin_view`."""
    # By the clock that ends are stamped with, and from before: what ends meanwhile was not seen.
    seen_at, work = clock.now(), work_of(request)
    user: Any = request.user
    if request.method == "POST":
        user.work_seen_at = seen_at
        user.save(update_fields=["work_seen_at"])
    return render(request, "contacts_app/core/work.html", {"work": work, "news": work.news})


@require_http_methods(["GET", "POST"])
def time_zone_page(request: HttpRequest) -> HttpResponseBase:
    """The person's own time zone, which takes no permission. To be wrapped in the admin's `admin_view`."""
    user: Any = request.user
    zones = zone_choices()
    if request.method == "POST" and request.POST.get("timezone") in dict(zones):
        user.timezone = request.POST["timezone"]
        user.save(update_fields=["timezone", "updated_at"])
        messages.success(request, f"You see times in the time zone {zone_of_person(user)}.")
        return HttpResponseRedirect(reverse("admin:time_zone"))
    request.current_app = admin.site.name
    shown = {"title": "Time zone", "zones": zones, "chosen": user.timezone, "present": zone_of_person(user)}
    return TemplateResponse(request, "contacts_app/people/time_zone.html", admin.site.each_context(request) | shown)
