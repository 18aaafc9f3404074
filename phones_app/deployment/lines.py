"""The users of a phone's SIP contact before it reads its new file: whom a restart is sent to."""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import NamedTuple

from contacts_app.core.lists.statement import Instances, Slot, Statement
from phones_app.boot.models import FileFetch
from phones_app.deployment.models import Deployment, DeploymentStep, State
from phones_app.inventory.models import Phone
from phones_app.servers.models import CallManager

_CREATED = Deployment._meta.get_field("created_at")
_EVER = datetime.min.replace(tzinfo=UTC)


def line_user(deployment: Deployment, phone: Phone, steps: Mapping[str, DeploymentStep]) -> str:
    """The user of the phone's SIP contact, as which it is registered *now*, before it reads the new file.

    What is known, else line 1 of the new file, else its device name. The phone answers 404 to a wrong one.
    """
    return next(iter(known_lines(deployment, phone, steps)), "") or new_line(deployment) or f"SEP{phone.mac}"


def new_line(deployment: Deployment) -> str:
    return str((deployment.revision.facts if deployment.revision else {}).get("registration_user") or "")


def known_lines(deployment: Deployment, phone: Phone, steps: Mapping[str, DeploymentStep]) -> list[str]:
    """The users of the phone's SIP contact, the likeliest first; none where nothing tells one, as of a new phone.

    As recorded; line 1 of the file that it fetched last, where that is seen, else of what it was last confirmed to run;
    what its status page says; line 1 of the file that the upload replaced.
    """
    if phone.line_user:
        return [phone.line_user]
    before = _lines_before(deployment, phone)
    seen = {kind: step.detail for kind, step in steps.items()}
    candidates = [
        before.fetched,
        before.running,
        seen.get(DeploymentStep.Kind.RESTART, {}).get("directory_number"),
        seen.get(DeploymentStep.Kind.UPLOAD, {}).get("replaced_user"),
        before.confirmed,
    ]
    return list(dict.fromkeys(str(user) for user in candidates if user))


class _LinesBefore(NamedTuple):
    """Line 1 of the files that the phone fetched last, that it runs, and that it was confirmed with."""

    fetched: str
    running: str
    confirmed: str


def _lines_before(deployment: Deployment, phone: Phone) -> _LinesBefore:
    """By the deployments before and the phone's fetches: read once while a worker has the deployment."""
    found: _LinesBefore | None = vars(deployment).get("lines_before")
    if found is None:
        of_phone = (phone.pk, phone.mac, deployment.created_at)
        running = _former(is_running=True).first(*of_phone)
        since = running.uploaded_at if running is not None and running.uploaded_at is not None else _EVER
        last = _digest_fetched().row(phone.mac, since)
        sha256 = last[0] if last is not None else ""
        is_outdated = bool(sha256) and running is not None and running.sha256 != sha256
        is_other = bool(sha256) and (running is None or is_outdated)
        fetched = _former(has_digest=True).first(*of_phone, sha256) if is_other else None
        confirmed = new_line(running) if running is not None else ""
        found = _LinesBefore(new_line(fetched) if fetched else "", "" if is_outdated else confirmed, confirmed)
        vars(deployment)["lines_before"] = found
    return found


@cache
def _former(*, is_running: bool = False, has_digest: bool = False) -> Instances:
    """The deployments to a phone, with its MAC address, that were asked for before a moment, the latest first."""
    # What a handset ran that was replaced says nothing of this one.
    rows = Deployment.objects.filter(phone=Slot()()).filter(mac=Slot()()).filter(created_at__lt=Slot(_CREATED)())
    rows = rows.exclude(revision=None)
    if is_running:
        rows = rows.filter(state__in=(State.CONFIRMED, State.RESTART_ACKNOWLEDGED))
    if has_digest:
        rows = rows.filter(sha256=Slot()())
    rows = rows.select_related("revision").order_by("-created_at")
    return Instances(rows.only("uploaded_at", "sha256", "revision", "revision__facts")[:1])


@cache
def _digest_fetched() -> Statement:
    """Of the file that the phone fetched last, after a moment."""
    rows = FileFetch.objects.filter(mac=Slot()()).filter(fetched_at__gt=Slot(_CREATED)())
    return Statement(rows.order_by("-fetched_at").values_list("sha256")[:1])


def other_lines(deployment: Deployment, phone: Phone, steps: Mapping[str, DeploymentStep], refused: str) -> list[str]:
    """Whom else to address where the phone has no line `refused`: a request that reaches this phone and no other.

    A registrar passes a NOTIFY on to whoever has the line now.
    """
    if phone.line_user or (phone.call_manager and phone.call_manager.kind == CallManager.Kind.SIP):
        return []
    vars(deployment).pop("lines_before", None)  # it may have fetched another file while it was asked
    lines = [*known_lines(deployment, phone, steps), new_line(deployment)]
    return [user for user in dict.fromkeys(lines) if user and user != refused]
