"""What commands have in common that ask for deployments: MAC addresses in, waiting, one row per phone out."""

from collections.abc import Iterable, Sequence
from contextlib import closing
from functools import cache
from typing import Any
from uuid import UUID

from django.core.management.base import CommandError

from contacts_app.core.commands import Add, ReportingCommand, Row, argument, positive
from contacts_app.core.counted import counted
from phones_app.deployment.foresight import describe_restart
from phones_app.deployment.models import FAILURES, Deployment, State
from phones_app.deployment.preview import SHOWN, FilePreview, preview_file
from phones_app.deployment.request import Deployed
from phones_app.deployment.restart import key_macros
from phones_app.deployment.run import wait_for
from phones_app.inventory.models import Phone
from phones_app.transports.ftp.pool import FtpPool
from profiles_app.phone.models import PhoneProfile
from profiles_app.phone.sep.catalogue import colons, parse_mac
from profiles_app.phone.services import describe

WAIT_SECONDS = 300.0
LONGEST_WAIT = 24 * 3600.0


PLANNED_COLUMNS = {"mac": "Phone", "name": "Name", "state": "State", "restart": "Restart", "error": "Error"}


def profile_with(uuid: UUID) -> PhoneProfile:
    profile = PhoneProfile.objects.select_related("user__account", "revision").filter(uuid=uuid).first()
    if profile is None:
        raise CommandError(f"There is no profile {uuid}.")
    return profile


class DeploymentCommand(ReportingCommand):
    """Status 1 when a phone was refused or failed; with --wait also when one was not confirmed in time."""

    columns = {"mac": "Phone", "name": "Name", "state": "State", "evidence": "Evidence", "error": "Error"}

    def arguments(self, add: Add) -> None:
        add("--wait", action="store_true", help="Wait for the end; works without a worker too.")
        add(
            "--timeout",
            type=positive(float, at_most=LONGEST_WAIT),
            default=WAIT_SECONDS,
            metavar="SECONDS",
            help="How long --wait waits; the work continues afterwards (default: %(default)g).",
        )

    @staticmethod
    def add_macs(add: Add, *, required: bool) -> None:
        add(
            "macs",
            nargs="+" if required else "*",
            type=argument(parse_mac),
            metavar="MAC",
            help="In any spelling: AA:BB:…, aabb.ccdd.eeff, SEPAABB…",
        )

    def phones(self, macs: Iterable[str]) -> tuple[list[Phone], list[Row]]:
        """The phones, and a row for each address that belongs to none."""
        wanted = list(dict.fromkeys(macs))
        rows = Phone.objects.filter(mac__in=wanted).select_related("account", "file_server", "call_manager")
        found = {phone.mac: phone for phone in rows}
        unknown: list[Row] = [
            _refused(mac, "", "unknown-phone", "There is no phone with this MAC address.")
            for mac in wanted
            if mac not in found
        ]
        return [found[mac] for mac in wanted if mac in found], unknown

    def conclude(
        self, asked: Deployed, unknown: list[Row], *, wait: bool, timeout: float, dry_run: bool, **_: Any
    ) -> None:
        """Wait if so asked, report each phone, and fail if anything went wrong."""
        refused = unknown + [_refused(phone.mac, phone.name, no.code, no.message) for phone, no in asked.refused]
        deployments = asked.deployments
        if dry_run:
            rows = _planned(deployments)
            self._compare(deployments, rows)
        else:
            if wait and deployments:
                deployments = self._follow(deployments, timeout)
            rows = [_row(deployment) for deployment in deployments]
        self.report([*rows, *refused], PLANNED_COLUMNS if dry_run else None)
        bad = [row for row in rows if _is_bad(row, waited=wait and not dry_run)]
        if bad or refused:
            raise CommandError(_summary(bad, refused, len(rows) + len(refused)))

    def _compare(self, deployments: Sequence[Deployment], rows: list[dict[str, object]]) -> None:
        """What the page of a deployment's preview shows, for as many phones: the file beside the present ones."""
        with closing(FtpPool()) as pool:
            for deployment, row in zip(deployments[:SHOWN], rows, strict=False):
                if deployment.profile and deployment.phone:
                    preview = preview_file(phone=deployment.phone, profile=deployment.profile, pool=pool)
                    row["preview"] = preview.as_dict()
                    self.say(_told(preview))
        if len(deployments) > SHOWN:
            self.say(f"The files of {counted(len(deployments) - SHOWN, 'more phone')} were not compared.")

    def _follow(self, deployments: Sequence[Deployment], timeout: float) -> list[Deployment]:
        present = list(deployments)
        with self.progress(len(present)) as show:
            for present in wait_for(deployments, seconds=timeout):
                open_rows = [row for row in present if row.is_open]
                waiting = {row.waiting_for or row.get_state_display().lower() for row in open_rows}
                show(", ".join(sorted(waiting)[:2]) or "Phones done", len(present) - len(open_rows))
        return present


def _told(preview: FilePreview) -> str:
    """A preview for people: findings, verdicts, and a diff for each file that differs."""
    lines = [f"{preview.file_name}, {preview.revision}, {len(preview.content)} bytes"]
    lines += [f"  {finding.severity}: {describe(finding)} ({finding.code})" for finding in preview.findings]
    lines += [
        f"  {verdict.topic}: {verdict.file} does not fit {verdict.phone}"
        for verdict in preview.verdicts
        if verdict.fits is False
    ]
    for title, compared in (("uploaded last", preview.uploaded), ("on the file server", preview.on_server)):
        same = "the same file" if compared.same else "another file:" if compared.exists else "nothing"
        lines.append(f"  {title}: {compared.trouble or same}")
        lines += [f"    {line}" for line in compared.diff.splitlines()[2:]]
    return "\n".join(lines)


def _row(deployment: Deployment) -> dict[str, object]:
    return {
        "mac": colons(deployment.mac),
        "name": deployment.phone.name if deployment.phone else "",
        "deployment": None if deployment.pk is None else deployment.uuid,
        "state": deployment.state,
        "open": deployment.is_open,
        "evidence": deployment.evidence.get("kind", ""),
        "waiting_for": deployment.waiting_for,
        "error": deployment.error,
        "error_code": deployment.error_code,
    }


def _planned(deployments: Sequence[Deployment]) -> list[dict[str, object]]:
    """The rows of a dry run: how each phone would be restarted, in the words of the preview."""
    macros = cache(key_macros)
    return [
        _row(deployment)
        | {"state": "would be queued", "restart": str(describe_restart(deployment.phone, deployment.revision, macros))}
        for deployment in deployments
        if deployment.phone
    ]


def _refused(mac: str, name: str, code: str, message: str) -> dict[str, object]:
    return {"mac": colons(mac), "name": name, "state": "refused", "error": message, "error_code": code}


def _is_bad(row: Row, *, waited: bool) -> bool:
    if waited:
        return bool(row["state"] != State.CONFIRMED)
    return not row["open"] and row["state"] in (*FAILURES, State.CANCELLED)


def _summary(bad: Sequence[Row], refused: Sequence[Row], total: int) -> str:
    still = sum(bool(row["open"]) for row in bad)
    counts = {"refused": len(refused), "failed": sum(row["state"] in FAILURES for row in bad), "still under way": still}
    counts["not confirmed"] = len(bad) - counts["failed"] - still
    told = ", ".join(f"{number} {what}" for what, number in counts.items() if number)
    return f"Of {counted(total, 'phone')}: {told}."
