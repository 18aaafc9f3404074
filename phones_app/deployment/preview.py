"""What a deployment or a restart would do, phone by phone, before anything is done; and the exact file that a phone would
get, beside the one uploaded last and the one on its file server now.
"""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from functools import cache

from contacts_app.core.actor import Actor
from contacts_app.core.errors import Refusal, TransportError
from phones_app.configuration.rendering import revision_for
from phones_app.deployment.companions import Beside, awaited, findings_beside, missing_notes, watched
from phones_app.deployment.foresight import (
    describe_restart,
    destined,
    load_change,
    load_findings,
    load_notes,
    read_files,
    shared_lines,
    superseded_notes,
)
from phones_app.deployment.models import Deployment, LeftFile
from phones_app.deployment.request import check_compatible, deploy_many, restart_many
from phones_app.deployment.restart import key_macros
from phones_app.inventory.models import Phone
from phones_app.inventory.services import FileServerLookup, file_server_of
from phones_app.servers.models import FileServer
from phones_app.servers.services import ftp_target, told_of
from phones_app.transports.ftp.pool import FtpPool
from phones_app.transports.restart.strategies import Description
from profiles_app.phone import sep
from profiles_app.phone.models import PhoneProfile, ProfileRevision, is_made
from profiles_app.phone.services import findings_of

# How many phones are told about one by one; the others are counted.
SHOWN = 50


@dataclass(frozen=True)
class DeploymentPreview:
    """What would happen to one phone; `server` is None when nothing would be uploaded."""

    phone: Phone
    server: FileServer | None
    restart: Description
    warnings: tuple[sep.Finding, ...] = ()
    content: bytes = b""

    @property
    def file_name(self) -> str:
        return sep.file_name(self.phone.mac, sep.format_of_content(self.phone.model, self.content))


@dataclass(frozen=True)
class Preview:
    """`taken` counts the phones it would happen to, `plans` tell of the first; `refused` are the others.

    `notes` are about several phones together, `shown` says which files they are.
    """

    taken: int
    plans: list[DeploymentPreview] = field(default_factory=list)
    refused: list[tuple[Phone, Refusal]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    shown: str = ""

    @property
    def untold(self) -> int:
        return self.taken - len(self.plans)


def preview_deploy(*, phones: Sequence[Phone], profile: PhoneProfile, actor: Actor) -> Preview:
    asked = deploy_many(phones=phones, profile=profile, actor=actor, dry_run=True)
    servers, macros, plans = FileServerLookup(), cache(key_macros), []
    read_files([_phone(deployment) for deployment in asked.deployments[:SHOWN]])
    for deployment in asked.deployments[:SHOWN]:
        phone = _phone(deployment)
        revision = deployment.revision
        assert revision is not None, "a profile's deployment has a file"  # noqa: S101
        content = bytes(revision.content)
        findings = findings_of(content, model=phone.model, software_type=phone.software_type)
        restart = describe_restart(phone, revision, macros)
        plans.append(DeploymentPreview(phone, servers.of(phone), restart, findings, content))
    notes = superseded_notes([_phone(deployment).pk for deployment in asked.deployments])
    notes += shared_lines(destined(_phone(deployment), deployment.revision) for deployment in asked.deployments)
    notes += missing_notes(
        awaited(_phone(deployment), servers.of(_phone(deployment)).pk, deployment.revision.facts)
        for deployment in asked.deployments
        if deployment.revision
    )
    notes += load_notes(
        Counter(load_change(_phone(row), row.revision.facts) for row in asked.deployments if row.revision)
    )
    return Preview(len(asked.deployments), plans, asked.refused, notes, shown_of(profile, asked.deployments))


def shown_of(profile: PhoneProfile, deployments: Sequence[Deployment]) -> str:
    """Which files these are: whether what is confirmed is what was shown."""
    if not is_made(profile):
        return str(profile.revision_id or "")
    return hashlib.sha256("".join(sorted(f"{row.mac}{row.sha256}" for row in deployments)).encode()).hexdigest()


def preview_restart(*, phones: Sequence[Phone], actor: Actor) -> Preview:
    asked = restart_many(phones=phones, actor=actor, dry_run=True)
    macros = cache(key_macros)
    plans = [
        DeploymentPreview(phone, None, describe_restart(phone, deployment.revision, macros))
        for deployment in asked.deployments[:SHOWN]
        for phone in [_phone(deployment)]
    ]
    notes = superseded_notes([_phone(deployment).pk for deployment in asked.deployments])
    return Preview(len(asked.deployments), plans, asked.refused, notes)


def _phone(deployment: Deployment) -> Phone:
    assert deployment.phone is not None, "a row that was just made names its phone"  # noqa: S101
    return deployment.phone


# Somebody waits for the page: a server that answers more slowly than this is told as one that does not answer.
READ_SECONDS = 10.0


@dataclass(frozen=True)
class Compared:
    """The new file beside an earlier one.

    `sha256` is empty where there is no earlier one, `diff` unified and masked, `trouble` why something is not known.
    """

    sha256: str = ""
    at: datetime | None = None
    same: bool = False
    diff: str = ""
    trouble: str = ""

    @property
    def exists(self) -> bool:
        return bool(self.sha256)

    def as_dict(self) -> dict[str, object]:
        return {"exists": self.exists} | asdict(self)


@dataclass(frozen=True)
class FilePreview:
    """What somebody wants to know before the file leaves; `refusal` says why it may not go to this phone."""

    phone: Phone
    profile: PhoneProfile
    revision: ProfileRevision
    server: FileServer | None
    restart: Description
    uploaded: Compared
    on_server: Compared
    findings: tuple[sep.Finding, ...]
    verdicts: tuple[sep.Verdict, ...]
    refusal: Refusal | None

    @property
    def file_name(self) -> str:
        return sep.file_name(self.phone.mac, sep.file_format(self.phone.model, self.revision.facts))

    @property
    def content(self) -> bytes:
        return bytes(self.revision.content)

    def as_dict(self) -> dict[str, object]:
        """What page, REST and `--dry-run` have in common; the file itself is left to those who may see it."""
        return {
            "file_name": self.file_name,
            "file_server": self.server.name if self.server else "",
            "restart": self.restart.way,
            "restart_trouble": self.restart.trouble,
            "revision": self.revision.number,
            "size": len(self.content),
            "sha256": self.revision.sha256,
            "refused": self.refusal.message if self.refusal else "",
            "findings": [finding.as_dict() for finding in self.findings],
            "verdicts": [verdict.as_dict() for verdict in self.verdicts],
            "uploaded": self.uploaded.as_dict(),
            "on_server": self.on_server.as_dict(),
        }


def preview_file(*, phone: Phone, profile: PhoneProfile, pool: FtpPool) -> FilePreview:
    """Look at everything that is known before a deployment; reads the file server, writes nothing.

    Raises Refusal when the profile has no file, or none can be made for the phone.
    """
    made = revision_for(phone, profile, store=False)
    revision, content = made.revision, made.content
    refusal = server = None
    try:
        check_compatible(phone, profile, revision)
        server = file_server_of(phone)
    except Refusal as refused:
        refusal = refused
    on_server, beside = _on_server(phone, server, revision, pool) if server else (Compared(), [])
    return FilePreview(
        phone=phone,
        profile=profile,
        revision=revision,
        server=server,
        restart=describe_restart(phone, revision),
        uploaded=_uploaded_last(phone, revision),
        on_server=on_server,
        findings=(
            *findings_of(content, model=phone.model, software_type=phone.software_type),
            *load_findings(phone, revision.facts),
            *beside,
        ),
        verdicts=_verdicts(phone, content),
        refusal=refusal,
    )


def _uploaded_last(phone: Phone, revision: ProfileRevision) -> Compared:
    # What a former account of the phone had is nothing for this one.
    deployments = Deployment.objects.filter(phone=phone, account=phone.account_id).exclude(uploaded_at=None)
    last = deployments.select_related("revision").order_by("-created_at").first()
    if last is None:
        return Compared()
    if last.sha256 == revision.sha256:
        return Compared(last.sha256, last.uploaded_at, same=True)
    if last.revision is None:
        return Compared(last.sha256, last.uploaded_at, trouble="Its profile was deleted, and the file with it.")
    return Compared(last.sha256, last.uploaded_at, diff=sep.diff(bytes(last.revision.content), bytes(revision.content)))


def _on_server(
    phone: Phone, server: FileServer, revision: ProfileRevision, pool: FtpPool
) -> tuple[Compared, list[sep.Finding]]:
    """The file that lies there now, and what to know of the files beside it."""
    content = bytes(revision.content)
    try:
        with pool.session(replace(ftp_target(server), deadline=READ_SECONDS)) as session:
            there = session.read(sep.file_name(phone.mac, sep.file_format(phone.model, revision.facts)))
            present = session.present(watched(server, phone, phone.mac, revision.facts))
    except TransportError as error:
        return Compared(trouble=told_of(server, error).message), []
    [beside] = findings_beside([Beside(phone.mac, revision.facts, server, present, phone, phone.account_id)])
    if there is None:
        return Compared(), beside
    digest = hashlib.sha256(there).hexdigest()
    left = LeftFile.objects.filter(mac=phone.mac, server=server, sha256=digest).exclude(account=phone.account_id)
    if left.exists():
        return Compared(digest, trouble="It is the file of the account that the phone was of before."), beside
    return Compared(digest, same=there == content, diff=sep.diff(there, content)), beside


def _verdicts(phone: Phone, content: bytes) -> tuple[sep.Verdict, ...]:
    try:
        document = sep.parse(content)
    except sep.Refused:
        return ()
    return sep.fit(document, model=phone.model, software_type=phone.software_type)
