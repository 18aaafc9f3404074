"""What stands on top of the page of a phone, above its form: how the phone is and what shows it, which file it should
have and which one it has, and what was done with it last; with the buttons that are pressed most.
"""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from contacts_app.core.admin.base import PortalAdmin
from contacts_app.core.admin.links import list_url
from phones_app.boot.models import FileFetch
from phones_app.configuration.line_places import PLACES_LINES
from phones_app.configuration.models import PhoneConfiguration
from phones_app.deployment.models import FAILURES, Deployment, PhoneFile, State
from phones_app.deployment.outcome import Advice, advice_for, proof_of
from phones_app.inventory.models import Phone
from profiles_app.phone.models import Line, PhoneProfile, is_made
from profiles_app.phone.sep.catalogue import is_mac

SHOWN = 5
# They stand beside what they are about, also where a narrow window hides the row of all buttons; `now` needs no question.
BUTTONS = {"deploy_one": "", "restart_one": "", "check_one": "now"}
GIVEN_UP = (State.CANCELLED, State.SUPERSEDED)
SEES_FETCHES = "phones_app.view_filefetch"


@dataclass(frozen=True)
class FileVerdict:
    """Whether the phone's file is the one that it should have, as a sentence; `tone` is good, wait or bad."""

    tone: str
    text: str


@dataclass(frozen=True)
class PhoneStanding:
    """`confirmed` is the newest of the last deployments that evidence was found for; `problem` is the last one that came
    to an end of its own, if it failed: a newer one that waits does not hide why.
    """

    profile: PhoneProfile | None
    should: PhoneConfiguration | None
    file: PhoneFile | None
    verdict: FileVerdict
    deployments: list[Deployment]
    more: bool
    fetch: FileFetch | None

    @property
    def confirmed(self) -> Deployment | None:
        return next((row for row in self.deployments if row.state == State.CONFIRMED), None)

    @property
    def evidence(self) -> str:
        return proof_of(self.confirmed) if self.confirmed else ""

    @property
    def problem(self) -> Deployment | None:
        decided = (row for row in self.deployments if not row.is_open and row.state not in GIVEN_UP)
        last = next(decided, None)
        return last if last and last.state in FAILURES else None

    @property
    def advice(self) -> Advice | None:
        return advice_for(self.problem) if self.problem and self.problem.error_code else None

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Of the file that the phone has."""
        revision = self.file.revision if self.file else None
        return list(revision.facts.get("lines") or ()) if revision else []


def standing_of(phone: Phone, *, sees_fetches: bool) -> PhoneStanding:
    profiles = PhoneProfile.objects.select_related("revision").defer("revision__content")
    profile = profiles.filter(pk=phone.current_profile_id).first() if phone.current_profile_id else None
    files = PhoneFile.objects.select_related("server", "revision__profile").defer("found", "revision__content")
    file = files.filter(phone=phone).first()
    should = PhoneConfiguration.objects.filter(phone=phone).first()
    # A phone that came from another account brings nothing of what was done there.
    rows = list(
        Deployment.objects.filter(phone=phone, account=phone.account_id).order_by("-created_at", "-pk")[: SHOWN + 1]
    )
    # A form that came back with errors may have anything in the place of the MAC address.
    known = sees_fetches and is_mac(phone.mac or "")
    fetch = FileFetch.objects.filter(mac=phone.mac).order_by("-fetched_at").first() if known else None
    verdict = _verdict(profile, should, file)
    return PhoneStanding(profile, should, file, verdict, rows[:SHOWN], len(rows) > SHOWN, fetch)


def _verdict(profile: PhoneProfile | None, should: PhoneConfiguration | None, file: PhoneFile | None) -> FileVerdict:
    if profile is None:
        return FileVerdict("wait", "The phone has no profile, so that nothing is deployed to it.")
    if is_made(profile) and should and should.error:
        return FileVerdict("bad", f"No file can be made: {should.error}.")
    if file is None:
        return FileVerdict("wait", "Nothing was uploaded for it yet.")
    if file.is_drifted:
        return FileVerdict("bad", f"On the server: {file.get_state_display().lower()}.")
    wanted = should.sha256 if should else ""
    if not is_made(profile):
        wanted = profile.revision.sha256 if profile.revision else ""
    elif should is None or should.due_at is not None or not wanted:
        return FileVerdict("wait", "Which file it should have is still being worked out.")
    if wanted != file.sha256:
        return FileVerdict("wait", "It has another file than it should have: deploy its profile.")
    return FileVerdict("good", "It has the file that it should have.")


class StandingOfPhone(PortalAdmin):
    """Mixed into the admin of phones, before all that has buttons."""

    change_form_outer_before_template = "phones_app/phone_standing.html"

    def get_actions_detail(self, request: HttpRequest, object_id: object) -> list[Any]:
        return [each for each in super().get_actions_detail(request, object_id) if each.path not in BUTTONS]

    def shown(self, request: HttpRequest, row: Phone) -> dict[str, Any]:
        buttons = [
            {
                "words": each.description,
                "url": reverse(f"admin:{each.action_name}", args=[row.pk]),
                "icon": each.icon,
                "now": bool(BUTTONS[each.path]),
            }
            for each in super().get_actions_detail(request, row.pk)
            if each.path in BUTTONS
        ]
        standing = standing_of(row, sees_fetches=request.user.has_perm(SEES_FETCHES))
        return super().shown(request, row) | {
            "standing": standing,
            "standing_buttons": buttons,
            "add_line_url": self._add_line_url(request, row, standing.profile),
            "deployments_url": list_url(Deployment, q=row.mac),
        }

    def _add_line_url(self, request: HttpRequest, row: Phone, profile: PhoneProfile | None) -> str:
        """Empty where a line would change no file, or the person may not put one on a phone."""
        lines = self.admin_site.get_model_admin(Line)
        if profile is None or not is_made(profile) or not lines.has_add_permission(request):
            return ""
        if not request.user.has_perms(PLACES_LINES):
            return ""
        return f"{reverse('admin:profiles_app_line_add')}?account={row.account_id}&phone={row.pk}"
