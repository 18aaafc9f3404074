"""Adopting: the files that a company has become templates, layers and lines, and are proven to come back byte for byte
(configuration spec §3).

Nothing is uploaded and no phone is restarted. All of it is stored in one transaction, after every file has been made
again from the rows and compared; a file that does not come back stays what it is, as the profile of its phone.
"""

from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field

from django.db import IntegrityError, transaction

from contacts_app.accounts.models import Account
from contacts_app.core.actor import Actor
from contacts_app.core.errors import Refusal
from contacts_app.core.history.records import create_recorded
from contacts_app.core.uploads import NamedBytes
from contacts_app.people.models import User
from phones_app.configuration.adopting.layers import KnownLayers
from phones_app.configuration.adopting.places import PhonePlace
from phones_app.configuration.adopting.report import Adoption, AdoptResult
from phones_app.configuration.adopting.sorting import Candidate, sort_out
from phones_app.configuration.adopting.storing import PlanRows
from phones_app.configuration.changes import mark_due
from phones_app.configuration.gather import device_of, layers_of, line_of
from phones_app.configuration.layer_rows import compared
from phones_app.configuration.models import Layer
from phones_app.configuration.rendering import revisions_for
from phones_app.inventory.import_folder import ImportResult, ImportTarget, import_file, owner_for
from phones_app.inventory.models import Phone
from profiles_app.phone import sep
from profiles_app.phone.adopting import Plan, Progress, SepFile, plan
from profiles_app.phone.models import Line
from profiles_app.phone.rendering.values import merge

CHANGED = "changed-meanwhile"


@dataclass(frozen=True)
class AdoptTarget:
    """Whose the files become. Without an owner: the level-0 user of the account."""

    account: Account
    owner: User | None = None
    places: Mapping[str, PhonePlace] = field(default_factory=dict)


class _NotIdentical(Exception):
    """Some files do not come back from the rows that were stored: the reasons by MAC address."""

    def __init__(self, reasons: Mapping[str, str]) -> None:
        super().__init__()
        self.reasons = reasons


def adopt(
    files: Iterable[NamedBytes],
    target: AdoptTarget,
    *,
    actor: Actor,
    dry_run: bool = False,
    progress: Progress = lambda _doing, _part: None,
) -> Adoption:
    """Adopt files. A dry run does all of it and takes it back. Raises Refusal."""
    destination = ImportTarget(target.owner, target.account, create_phones=True)
    owner = owner_for(destination)
    if owner.account_id != target.account.pk:
        # The templates are the account's, and no profile has one of an account that its owner is not of.
        whose = "another account" if owner.account_id else "no account"
        raise Refusal("other-account", f"{owner.email} belongs to {whose}.")
    told, candidates = sort_out(files, target.account, target.places)
    kept = {each.mac: each.told.reason for each in candidates if each.told.outcome is AdoptResult.KEPT}
    while True:
        planned, layers = _planned([each for each in candidates if each.mac not in kept], target.account, progress)
        kept |= planned.kept
        rows = PlanRows(planned, {each.mac: each for each in candidates}, target.account, owner)
        try:
            with transaction.atomic():
                progress("Storing", 0.0)
                rows.store(layers)
                _check(rows, progress)
                for each in candidates:
                    _tell(each, rows, kept)
                    if each.mac in kept:
                        _keep(each, destination, actor)
                transaction.set_rollback(dry_run)
            break
        except _NotIdentical as wrong:
            kept |= wrong.reasons
        except IntegrityError as error:
            text = "The same rows were changed by somebody else at this moment; nothing was stored. Try again."
            raise Refusal(CHANGED, text) from error
    new = rows.new
    return Adoption(told, new["template"], new, new["line"], new["phone"], dry_run)


def _planned(candidates: Sequence[Candidate], account: Account, progress: Progress) -> tuple[Plan, KnownLayers]:
    layers = KnownLayers(account, {each.mac for each in candidates})
    known = {line.extension: line_of(line) for line in Line.objects.filter(account=account)} if candidates else {}
    files = [_file(each) for each in candidates]
    return plan(files, known_lines=known, may_give=layers.may_give, progress=progress), layers


def _file(candidate: Candidate) -> SepFile:
    """The file with what layers are found by, and with the phone as it will be rendered for."""
    phone = candidate.phone
    software = phone.software_type or sep.facts(sep.parse(candidate.content)).protocol
    device = device_of(phone, "SCCP" if software == "SCCP" else "SIP")
    location = compared(Layer.Kind.LOCATION, phone.location)
    return SepFile(candidate.told.file, phone.mac, candidate.content, device.model, device.software, location, device)


def _check(rows: PlanRows, progress: Progress) -> None:
    """The proof: every file as the portal makes it from what was stored. Raises _NotIdentical."""
    phones = list(rows.phones.values())
    wrong: dict[str, str] = {}
    for start in range(0, len(phones), 100):
        progress("Comparing", start / len(phones))
        batch = phones[start : start + 100]
        made = revisions_for(batch, store=False)
        others = []
        for phone in batch:
            outcome = made[phone.pk]
            if isinstance(outcome, Refusal):
                wrong[phone.mac] = outcome.message
            elif outcome.content != rows.candidates[phone.mac].content:
                others.append(phone)
        wrong |= _reasons(others)
    if wrong:
        raise _NotIdentical(wrong)
    if phones:
        mark_due(Phone.objects.filter(pk__in=[phone.pk for phone in phones]))


def _reasons(phones: Sequence[Phone]) -> dict[str, str]:
    """Why the files of these phones come back as others: mostly a lock refuses what they say."""
    found = {}
    for phone in phones:
        found[phone.mac] = "With the layers that there are it does not come back byte for byte."
    for gathered in layers_of(phones).values() if phones else ():
        held = {name: one.locked_by for name, one in merge(gathered.layers).items() if one.refused}
        if held:
            told = ", ".join(f"{name} is locked by {layer}" for name, layer in held.items())
            found[gathered.device.mac] = f"It does not come back byte for byte: {told}."
    return found


def _tell(candidate: Candidate, rows: PlanRows, kept: Mapping[str, str]) -> None:
    told = candidate.told
    if candidate.mac in kept:
        told.outcome, told.code, told.reason = AdoptResult.KEPT, told.code or "not-identical", kept[candidate.mac]
    else:
        profile = rows.phones[candidate.mac].current_profile
        told.outcome, told.template = AdoptResult.ADOPTED, str(profile)


def _keep(candidate: Candidate, destination: ImportTarget, actor: Actor) -> None:
    """The file as the profile of its phone, byte for byte."""
    told = candidate.told
    if candidate.phone.pk is None:
        create_recorded([copy(candidate.phone)])
    imported = import_file(NamedBytes(told.file, candidate.content), destination=destination, actor=actor)
    if imported.result is ImportResult.REFUSED:
        told.outcome, told.code, told.reason = AdoptResult.REFUSED, imported.code, imported.reason
