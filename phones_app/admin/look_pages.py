"""Looking at phones now, instead of when it is their turn."""

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from unfold.decorators import action

from contacts_app.admin.base import PortalAdmin
from contacts_app.services.errors import Refusal
from phones_app.services.inventory import ask_for_look, look_now


class LookPages(PortalAdmin):
    """The actions of the phone admin that read status pages; who may change a phone may have it looked at."""

    @admin.action(description="Look now", permissions=["change"])
    def look_selected(self, request: HttpRequest, queryset: Any) -> None:
        rows = self.tenant_rows(request).filter(pk__in=queryset.values("pk"))
        asked = ask_for_look(rows)
        messages.info(request, f"{asked} phones are being looked at.")

    @action(description="Look now", icon="visibility", permissions=["change"])
    def look_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        phone = self.row_or_404(request, object_id)
        back = reverse("admin:phones_app_phone_change", args=[phone.pk])
        question = self.confirmed(
            request, question=f"Read the status page of {phone} now?", button="Look now", back=back
        )
        if question is not None:
            return question
        try:
            seen = look_now(phone)
        except Refusal as refusal:
            messages.error(request, refusal.message)
            return HttpResponseRedirect(back)
        if seen.status is None:
            messages.warning(request, seen.error)
        else:
            messages.success(request, f"A {seen.status.model} with load {seen.status.load} answers.")
        return HttpResponseRedirect(back)
