"""What a person has at the desk of the admin for themselves: whether the first steps are shown."""

from typing import Any

from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_POST


@require_POST
def first_steps_page(request: HttpRequest) -> HttpResponseRedirect:
    """Hide the first steps, or show them again. To be wrapped in the admin's `admin_view`."""
    user: Any = request.user
    user.hides_first_steps = request.POST.get("hide") == "yes"
    user.save(update_fields=["hides_first_steps"])
    return HttpResponseRedirect(reverse("admin:index"))
