"""The cockpit on the page of a phone: its screen, its keys, its status pages, its log. Each part asks the phone
on its own, because phones are slow, and each needs a permission of its own."""

from textwrap import wrap
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.shortcuts import render
from django.utils.crypto import get_random_string
from unfold.decorators import action

from contacts_app.core.admin.base import PortalAdmin
from contacts_app.core.admin.frame import actor_of
from contacts_app.core.errors import Refusal
from phones_app.cockpit import services
from phones_app.inventory.models import Phone


class CockpitPages(PortalAdmin):
    """What the admin of phones has about the phone itself, as it stands on somebody's desk."""

    pages = {
        "cockpit": "<int:pk>/cockpit/",
        "press": "<int:pk>/cockpit/press/",
        "screen": "<int:pk>/cockpit/screen.png",
        "facts": "<int:pk>/cockpit/facts/",
        "log": "<int:pk>/cockpit/log/",
    }

    def has_cockpit_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        return any(request.user.has_perm(permission) for permission in services.ANY)

    @action(description="Cockpit…", icon="monitor", permissions=["cockpit"])
    def cockpit_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return HttpResponseRedirect(self.url_of("cockpit", self.row_or_404(request, object_id).pk))

    def cockpit_page(self, request: HttpRequest, pk: int) -> HttpResponse:
        phone = self._phone(request, pk, *services.ANY)
        return self.page(
            request, "phones_app/cockpit/cockpit.html", f"Cockpit of {phone}", **self._parts(request, phone)
        )

    def press_page(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Press a key; the answer is the screen's part of the page."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        phone, problem = self._phone(request, pk, services.PRESS_KEYS), ""
        try:
            services.press(phone, request.POST.get("key", ""), actor=actor_of(request))
        except Refusal as refusal:
            problem = refusal.message
        if "HX-Request" not in request.headers:
            if problem:
                messages.warning(request, problem)
            return HttpResponseRedirect(self.url_of("cockpit", phone.pk))
        context = self._parts(request, phone) | {"problem": problem, "pressed": True}
        return render(request, "phones_app/cockpit/screen.html", context)

    def screen_page(self, request: HttpRequest, pk: int) -> HttpResponse:
        phone = self._phone(request, pk, services.SEE_SCREEN)
        try:
            picture = services.screen_of(phone, actor=actor_of(request))
        except Refusal as refusal:
            return self._no_screen(request, refusal.message)
        return HttpResponse(picture, content_type="image/png", headers={"Cache-Control": "no-store"})

    def _no_screen(self, request: HttpRequest, reason: str) -> HttpResponse:
        """The reason in the picture's place: to a browser an answer of 5xx is an error of the page."""
        lines = [{"text": line, "y": 36 + 22 * number} for number, line in enumerate(wrap(reason, 46)[:5])]
        context = {"reason": reason, "lines": lines}
        answer = render(request, "phones_app/cockpit/no_screen.svg", context, content_type="image/svg+xml")
        answer["Cache-Control"] = "no-store"
        return answer

    def facts_page(self, request: HttpRequest, pk: int) -> HttpResponse:
        phone = self._phone(request, pk, services.READ_PAGES)
        return self._told(request, "facts", lambda: {"sections": services.sections_of(phone, actor=actor_of(request))})

    def log_page(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The log, or with `file` one of the files that it lists."""
        phone, actor = self._phone(request, pk, services.READ_LOG), actor_of(request)
        if name := request.GET.get("file", ""):
            return self._told(request, "log_file", lambda: {"file": services.log_file_of(phone, name, actor=actor)})
        url = self.url_of("log", phone.pk)
        return self._told(request, "log", lambda: {"log": services.log_of(phone, actor=actor), "url": url})

    def _told(self, request: HttpRequest, part: str, read: Any) -> HttpResponse:
        try:
            context = read()
        except Refusal as refusal:
            context = {"problem": refusal.message}
        return render(request, f"phones_app/cockpit/{part}.html", context)

    def _phone(self, request: HttpRequest, pk: int, *permissions: str) -> Phone:
        if not any(request.user.has_perm(permission) for permission in permissions):
            raise PermissionDenied
        phone: Phone = self.row_or_404(request, pk)
        return phone

    def _parts(self, request: HttpRequest, phone: Phone) -> dict[str, object]:
        may = request.user.has_perm
        return {
            "phone": phone,
            "cockpit": self.url_of("cockpit", phone.pk),
            "screen": self.url_of("screen", phone.pk) if may(services.SEE_SCREEN) else "",
            "press": self.url_of("press", phone.pk) if may(services.PRESS_KEYS) else "",
            "facts": self.url_of("facts", phone.pk) if may(services.READ_PAGES) else "",
            "log": self.url_of("log", phone.pk) if may(services.READ_LOG) else "",
            "groups": services.keys_of(phone),
            # A picture of the same address would not be asked for again.
            "fresh": get_random_string(8),
        }
