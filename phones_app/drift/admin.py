"""A phone's file that was changed outside Patchbay can be put back or adopted on the page of the phone."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from unfold.contrib.filters.admin import ChoicesCheckboxFilter
from unfold.decorators import display

from contacts_app.core.admin.base import PortalAdmin, button
from contacts_app.core.admin.frame import actor_of, tell
from contacts_app.core.admin.links import of_address
from contacts_app.core.counted import counted
from contacts_app.core.errors import Refusal
from phones_app.deployment.models import DRIFTED, PhoneFile
from phones_app.deployment.request import MAY_DEPLOY
from phones_app.drift.checks import difference
from phones_app.drift.repair import adopt, put_back, put_back_many
from phones_app.inventory.models import Phone

REPAIRS = ("put_back_one", "adopt_one")
# At most so many refusals are shown one by one.
NAMED = 5
REPAIRABLE = ("phone__account", "server", "revision__profile__user")


def file_of(phone: Phone) -> PhoneFile | None:
    return PhoneFile.objects.select_related(*REPAIRABLE).filter(phone=phone).first()


class StateOfFile(ChoicesCheckboxFilter):
    """By whether the file on the server is the uploaded one."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = "file on the server"


class DriftPages(PortalAdmin):
    """What the admin of phones has about drift: a note in the list, actions on a drifted file, and the panel on the
    phone's page that shows the difference."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Phone]:
        # What no page shows need not be deciphered.
        return super().get_queryset(request).defer("file__found", "file__revision__content")

    @display(description="Profile", header=True)
    def profile(self, phone: Phone) -> list[str]:
        """The phone's own, and whether its file is that of another one, or none."""
        file = getattr(phone, "file", None)
        if file is None:
            note = "not deployed" if phone.current_profile else ""
        elif file.revision is not None and phone.current_profile_id not in (None, file.revision.profile_id):
            note = "not uploaded yet"
        else:
            note = f"file {file.get_state_display().lower()}" if file.is_drifted else ""
        return [phone.current_profile.name if phone.current_profile else "–", note]

    def has_put_back_permission(self, request: HttpRequest, object_id: str | int | None = None) -> bool:
        return self._is_drifted(object_id) and request.user.has_perm(MAY_DEPLOY)

    def has_adopt_permission(self, request: HttpRequest, object_id: str | int | None = None) -> bool:
        return self._is_drifted(object_id) and request.user.has_perm("profiles_app.change_phoneprofile")

    def get_actions_detail(self, request: HttpRequest, object_id: object) -> list[Any]:
        """Repairs stand below the difference that they are about, not on top of the page."""
        return [each for each in super().get_actions_detail(request, object_id) if each.path not in REPAIRS]

    def shown(self, request: HttpRequest, row: Phone) -> dict[str, Any]:
        others, file = super().shown(request, row), file_of(row)
        if file is None or not file.is_drifted:
            return others
        repairs = [
            (each.description, reverse(f"admin:{each.action_name}", args=[row.pk]))
            for each in super().get_actions_detail(request, row.pk)
            if each.path in REPAIRS
        ]
        return others | {"phone_file": file, "file_diff": difference(file), "repairs": repairs}

    @staticmethod
    def _is_drifted(object_id: str | int | None) -> bool:
        """A button that has nothing to repair is not shown."""
        phones = of_address(Phone.objects.all(), object_id)
        return PhoneFile.objects.filter(phone__in=phones, state__in=DRIFTED).exists()

    @admin.action(description="Put the uploaded file back", permissions=["deploy"])
    def put_back_selected(self, request: HttpRequest, queryset: QuerySet[Phone]) -> None:
        rows = self.tenant_rows(request).filter(pk__in=queryset.values("pk"))
        drifted = PhoneFile.objects.filter(phone__in=rows).select_related(*REPAIRABLE)
        done = put_back_many(drifted, actor=actor_of(request))
        for phone, refusal in done.refused[:NAMED]:
            messages.warning(request, f"{phone}: {refusal.message}")
        if (more := len(done.refused) - NAMED) > 0:
            messages.warning(request, f"{counted(more, 'more file')} cannot be put back.")
        number = len(done.deployments)
        tell(request, number, f"{counted(number, 'file')} {'is' if number == 1 else 'are'} being put back.")

    @button(
        "Put file back…",
        question="Upload the file of {0} again, without a restart? What is there now is kept as a backup.",
        yes="Put back",
        done="The file is being put back.",
        icon="undo",
        permission="put_back",
    )
    def put_back_one(self, request: HttpRequest, phone: Phone) -> None:
        put_back(_drifted(phone), actor=actor_of(request))

    @button(
        "Adopt file…",
        question="Make the file found for {0} a new revision of its profile? Other phones keep what they have.",
        yes="Adopt",
        done="The profile has a new revision.",
        icon="move_to_inbox",
        permission="adopt",
    )
    def adopt_one(self, request: HttpRequest, phone: Phone) -> None:
        adopt(_drifted(phone), actor=actor_of(request))


def _drifted(phone: Phone) -> PhoneFile:
    file = file_of(phone)
    if file is None or not file.is_drifted:
        raise Refusal("unchanged", "The file on the server is the uploaded one, as far as is known.")
    return file
