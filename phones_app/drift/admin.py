"""What somebody can do about a phone's file that was changed behind our back: put it back, or adopt it."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from unfold.decorators import action

from contacts_app.core.admin.base import PortalAdmin
from contacts_app.core.admin.frame import actor_of
from contacts_app.core.errors import Refusal
from phones_app.deployment.admin.deploy import MAY_DEPLOY
from phones_app.deployment.models import DRIFTED, PhoneFile
from phones_app.drift.checks import difference
from phones_app.drift.repair import adopt, put_back, put_back_many
from phones_app.inventory.models import Phone

REPAIRS = ("put_back_one", "adopt_one")
REPAIRABLE = ("phone__account", "server", "revision__profile__user")


def file_of(phone: Phone) -> PhoneFile | None:
    return PhoneFile.objects.select_related(*REPAIRABLE).filter(phone=phone).first()


class DriftPages(PortalAdmin):
    """The actions of the phone admin on a drifted file, and the panel on the phone's page that shows the difference."""

    def has_put_back_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return self._is_drifted(object_id) and request.user.has_perm(MAY_DEPLOY)

    def has_adopt_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return self._is_drifted(object_id) and request.user.has_perm("profiles_app.change_phoneprofile")

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Repairs stand below the difference that they are about, not on top of the page."""
        return [each for each in super().get_actions_detail(request, object_id) if each.path not in REPAIRS]

    def drift_context(self, request: HttpRequest, object_id: str) -> dict[str, Any]:
        """What the panel on a phone's page shows."""
        phone = Phone.objects.filter(pk=int(object_id)).first() if object_id.isdecimal() else None
        file = file_of(phone) if phone else None
        if file is None or not file.is_drifted:
            return {}
        repairs = [
            (each.description, reverse(f"admin:{each.action_name}", args=[file.pk]))
            for each in super().get_actions_detail(request, file.pk)
            if each.path in REPAIRS
        ]
        return {"phone_file": file, "file_diff": difference(file), "repairs": repairs}

    @staticmethod
    def _is_drifted(object_id: Any) -> bool:
        """A button that has nothing to repair is not shown."""
        return PhoneFile.objects.filter(phone=object_id, state__in=DRIFTED).exists()

    @admin.action(description="Put the uploaded file back", permissions=["deploy"])
    def put_back_selected(self, request: HttpRequest, queryset: Any) -> None:
        rows = self.tenant_rows(request).filter(pk__in=queryset.values("pk"))
        drifted = PhoneFile.objects.filter(phone__in=rows).select_related(*REPAIRABLE)
        done = put_back_many(drifted, actor=actor_of(request))
        for phone, refusal in done.refused[:5]:
            messages.warning(request, f"{phone}: {refusal.message}")
        messages.success(request, f"{len(done.deployments)} files are being put back.")

    @action(description="Put file back…", icon="undo", permissions=["put_back"])
    def put_back_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        question = "Upload the file of {} again, without a restart? What is there now is kept as a backup."
        done = "The file is being put back."
        return self._repair(request, object_id, question, "Put back", done, put_back)

    @action(description="Adopt file…", icon="move_to_inbox", permissions=["adopt"])
    def adopt_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        question = (
            "Make the file found for {} a new revision of its profile? Other phones keep what they have."
        )
        return self._repair(request, object_id, question, "Adopt", "The profile has a new revision.", adopt)

    def _repair(
        self,
        request: HttpRequest,
        object_id: str,
        question: str,
        button: str,
        done: str,
        repair: Callable[..., object],
    ) -> HttpResponse:
        phone = self.row_or_404(request, object_id)
        back = reverse("admin:phones_app_phone_change", args=[phone.pk])
        file = file_of(phone)
        if file is None or not file.is_drifted:
            messages.info(request, "The file on the server is the one that was uploaded, as far as is known.")
            return HttpResponseRedirect(back)
        asked = self.confirmed(request, question=question.format(phone), button=button, back=back)
        if asked is not None:
            return asked
        try:
            repair(file, actor=actor_of(request))
            messages.success(request, done)
        except Refusal as refusal:
            messages.error(request, refusal.message)
        return HttpResponseRedirect(back)
