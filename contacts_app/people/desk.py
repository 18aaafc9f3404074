"""What a person has at the desk of the admin for themselves: whether the first steps are shown, and which of their long
work they have seen."""

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from contacts_app.core.admin.work import work_of


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
    work = work_of(request)
    user: Any = request.user
    if request.method == "POST":
        user.work_seen_at = timezone.now()
        user.save(update_fields=["work_seen_at"])
    return render(request, "contacts_app/core/work.html", {"work": work, "news": work.news})
