"""Import of the files that phones run on today, from folders or out of a browser: each SEP<MAC>.cnf.xml, SIP<MAC>.cnf and
ATA<MAC>.cnf.xml becomes the profile of its phone.

Nothing is deployed. Each file is stored on its own, so that a bad one keeps no good one out.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from django.db import transaction

from contacts_app.accounts.models import Account
from contacts_app.core.actor import Actor
from contacts_app.core.errors import Refusal
from contacts_app.core.history.records import update_recorded
from contacts_app.core.uploads import NamedBytes
from contacts_app.people.models import User
from phones_app.inventory.models import Phone
from profiles_app.phone import sep
from profiles_app.phone.models import PhoneProfile
from profiles_app.phone.services import (
    ProfileRefused,
    check_content,
    create_profile,
    describe,
    findings_of,
    update_profile,
)

# Names that uploads and people leave beside the files of phones (Cisco phones spec §3.10).
_LEFT_OVER = re.compile(r"\..*|.*\.(part|bak|old|orig|tmp)|.*~", re.IGNORECASE)


class ImportResult(StrEnum):
    CREATED = "created"
    REVISED = "revised"
    UNCHANGED = "unchanged"
    REFUSED = "refused"
    IGNORED = "ignored"


@dataclass
class Imported:
    """What became of one file. `code`, `line` and `reason` say why it was refused or ignored.

    `warnings` are the checker's, for the phone of this file where it is known.
    """

    file: str
    result: ImportResult
    profile: str = ""
    phone: str = ""
    owner: str = ""
    code: str = ""
    line: int | None = None
    reason: str = ""
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class ImportTarget:
    """Whose the files become. Without an owner: the level-0 user of `account`, else of the phone's account."""

    owner: User | None = None
    account: Account | None = None
    create_phones: bool = False


def import_profiles(
    paths: Iterable[Path], *, destination: ImportTarget, actor: Actor, dry_run: bool = False
) -> Iterator[Imported]:
    """Take over files and the files that lie directly in folders, in the order of their names."""
    for path in paths:
        try:
            files = sorted(path.iterdir()) if path.is_dir() else [path]
        except OSError as error:
            yield _unreadable(path, error)
            continue
        for file in files:
            if not file.is_dir():
                yield _import_path(file, destination, actor, dry_run)


def _import_path(path: Path, destination: ImportTarget, actor: Actor, dry_run: bool) -> Imported:
    content = b""
    try:
        if sep.mac_of_file_name(path.name):
            with path.open("rb") as opened:
                content = opened.read(sep.MAX_BYTES + 1)
    except OSError as error:
        return _unreadable(path, error)
    return import_file(NamedBytes(str(path), content), destination=destination, actor=actor, dry_run=dry_run)


def import_file(file: NamedBytes, *, destination: ImportTarget, actor: Actor, dry_run: bool = False) -> Imported:
    """Take over one file, whose name without folders says of which phone it is."""
    mac = sep.mac_of_file_name(file.base)
    if mac is None:
        return Imported(file.name, ImportResult.IGNORED, code="file-name", reason=why_ignored(file.base))
    try:
        with transaction.atomic():
            imported = _store(file, mac, destination, actor)
            transaction.set_rollback(dry_run)
        return imported
    except ProfileRefused as refused:
        first, reasons = refused.findings[0], "; ".join(map(describe, refused.findings))
        return Imported(file.name, ImportResult.REFUSED, code=first.code, line=first.line, reason=reasons)
    except Refusal as refusal:
        return Imported(file.name, ImportResult.REFUSED, code=refusal.code, reason=refusal.message)


def _unreadable(path: Path, error: OSError) -> Imported:
    return Imported(str(path), ImportResult.REFUSED, code="unreadable", reason=error.strerror or str(error))


def why_ignored(name: str) -> str:
    """Why a file of this name is none of a phone."""
    if _LEFT_OVER.fullmatch(name):
        return "A backup or a file half uploaded."
    if known := sep.other_file(name):
        return f"The name is not SEP<MAC>.cnf.xml: {known}."
    if sep.mac_of_file_name("SEP" + name[3:15].upper() + name[15:].lower()):
        return "Phones ask for SEP<MAC>.cnf.xml with capital letters."
    return "The name is not SEP<MAC>.cnf.xml."


def _store(file: NamedBytes, mac: str, destination: ImportTarget, actor: Actor) -> Imported:
    content, device = file.content, file.base.partition(".")[0]
    check_content(content)  # First of all, so that a bad file is told as such, whosever it would be.
    if fault := sep.name_fault(file.base, content):
        raise Refusal(fault.code, f"{fault.message}.")
    phone = Phone.objects.select_related("account").filter(mac=mac).first()
    if phone is not None and actor.account is not None and phone.account_id != actor.account.pk:
        raise Refusal("other-account", "This MAC address is taken already.")
    if phone is not None:
        _check_format(file, phone.model)
    owner = owner_for(destination, phone)
    _check_account(phone, owner, destination)
    profile = PhoneProfile.objects.filter(user=owner, name=device).select_related("revision").first()
    imported = Imported(file.name, ImportResult.UNCHANGED, profile=device, owner=owner.email)
    kind = {"model": phone.model, "software_type": phone.software_type} if phone else {}
    imported.warnings = list(map(describe, findings_of(content, **kind)))
    reason = f"Imported from {file.base}"[:255]
    if profile is None:
        profile = _new_profile(device, content, owner, actor, reason)
        imported.result = ImportResult.CREATED
    elif profile.content != content:
        if not actor.reveals:
            text = "Changing a file that has passwords needs the permission to see them."
            raise Refusal("permission-denied", text)
        update_profile(profile, actor=actor, content=content, reason=reason)
        imported.result = ImportResult.REVISED
    if phone is None and destination.create_phones:
        phone = _new_phone(mac, file, destination.account or owner.account)
    if phone is not None:
        imported.phone = phone.mac
        # It is what the phone runs; one that got another profile from here runs that one.
        update_recorded(Phone.objects.filter(pk=phone.pk, current_profile=None), current_profile=profile)
    return imported


def owner_for(destination: ImportTarget, phone: Phone | None = None) -> User:
    """Whose a profile becomes. Raises Refusal `no-owner`."""
    if destination.owner is not None:
        return destination.owner
    account = destination.account or (phone.account if phone else None)
    if account is None:
        raise Refusal("no-owner", "No phone has this MAC address, and neither an owner nor an account is named.")
    owner = User.objects.filter(account=account, permission_level=0, is_active=True).order_by("pk").first()
    if owner is None:
        raise Refusal("no-owner", f"The account {account} has no user of permission level 0; name an owner.")
    return owner


def _check_account(phone: Phone | None, owner: User, destination: ImportTarget) -> None:
    """A file holds passwords, and must not come into the hands of another account."""
    if phone is None:
        return
    for account in (destination.account, owner.account):
        if account is not None and phone.account_id != account.pk:
            raise Refusal("other-account", f"The phone belongs to the account {phone.account}.")


def _check_format(file: NamedBytes, model: str) -> None:
    """Of XML the model says under which name it is read: what is imported goes back under the same one."""
    reads = sep.file_name("<MAC>", sep.format_of_content(model, file.content))
    if reads != sep.file_name("<MAC>", sep.format_of_file_name(file.base)):
        which = f"a {model} reads {reads}" if model else f"without a known model it is one that reads {reads}"
        raise Refusal("model-format", f"The phone does not read a file of this name: {which}.")


def _new_profile(name: str, content: bytes, owner: User, actor: Actor, reason: str) -> PhoneProfile:
    facts = sep.facts_of(content)
    labels = ", ".join(filter(None, (line.label or line.name for line in facts.lines)))
    return create_profile(
        actor=actor,
        user=owner,
        name=name,
        description=labels or None,
        software_type=facts.protocol or None,
        content=content,
        reason=reason,
    )


def _new_phone(mac: str, file: NamedBytes, account: Account | None) -> Phone:
    if account is None:
        raise Refusal("no-account", "The owner is staff; name the account of new phones.")
    facts = sep.facts_of(file.content)
    # A load is often made for several models; only one that says it all tells the model.
    model = facts.load_models[0] if len(facts.load_models) == 1 else ""
    _check_format(file, model)
    return Phone.objects.create(
        mac=mac,
        account=account,
        model=model,
        software_type=facts.protocol or None,
        hostname=file.base.partition(".")[0],
        name=(facts.lines[0].label if facts.lines else "")[:255],
    )
