"""Which files of a folder are adopted, and what is known of their phones; the others are told with the reason."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from contacts_app.accounts.models import Account
from contacts_app.core.errors import Refusal
from contacts_app.core.lists.among import among
from contacts_app.core.uploads import NamedBytes
from phones_app.configuration.adopting.places import PhonePlace
from phones_app.configuration.adopting.report import AdoptedFile, AdoptResult
from phones_app.configuration.models import Layer
from phones_app.configuration.rendering import revisions_for
from phones_app.inventory.import_folder import why_ignored
from phones_app.inventory.models import Phone
from profiles_app.phone import sep
from profiles_app.phone.models import Source
from profiles_app.phone.services import ProfileRefused, check_content, describe


@dataclass
class Candidate:
    """A file that the checker accepts, with its phone: one of the inventory, or one that is to be made."""

    told: AdoptedFile
    content: bytes = field(repr=False)
    phone: Phone

    @property
    def mac(self) -> str:
        return self.told.mac


# Why a file is not made from data, by its format.
NOT_MADE = {
    "sip-text": "Text files are not made from data. import_profiles takes them as they are.",
    "ata": "Files of ATAs are not made from data. import_profiles takes them as they are.",
}


def sort_out(
    files: Iterable[NamedBytes], account: Account, places: Mapping[str, PhonePlace]
) -> tuple[list[AdoptedFile], list[Candidate]]:
    """Every file as it is told of, and those that are to be adopted."""
    told: list[AdoptedFile] = []
    readable: dict[str, tuple[AdoptedFile, bytes]] = {}
    for file in files:
        told.append(_looked_at(file, readable))
    known = Phone.objects.filter(mac__in=among(list(readable))) if readable else Phone.objects.none()
    stored = {phone.mac: phone for phone in known.select_related("account", "current_profile")}
    candidates = [
        Candidate(file, content, _placed(stored.get(mac) or _new(mac, content, account), places.get(mac)))
        for mac, (file, content) in readable.items()
        if not _is_elsewhere(file, stored.get(mac), account)
    ]
    return told, _still_to_adopt(candidates)


def _looked_at(named: NamedBytes, readable: dict[str, tuple[AdoptedFile, bytes]]) -> AdoptedFile:
    name, content = named
    mac = sep.mac_of_file_name(named.base)
    if mac is None:
        return AdoptedFile(name, AdoptResult.IGNORED, code="file-name", reason=why_ignored(named.base))
    if file_format := sep.format_of_file_name(named.base):
        return AdoptedFile(name, AdoptResult.IGNORED, code="file-format", reason=NOT_MADE[file_format])
    file = AdoptedFile(name, AdoptResult.REFUSED, mac)
    if mac in readable:
        file.code, file.reason = "twice", f"{readable[mac][0].file} is a file of the same phone."
        return file
    try:
        check_content(content)
    except ProfileRefused as refused:
        first = refused.findings[0]
        file.code, file.line, file.reason = first.code, first.line, "; ".join(map(describe, refused.findings))
        return file
    readable[mac] = file, content
    return file


def _is_elsewhere(file: AdoptedFile, phone: Phone | None, account: Account) -> bool:
    if phone is None or phone.account_id == account.pk:
        return False
    file.code, file.reason = "other-account", "This MAC address is taken already."
    return True


def _new(mac: str, content: bytes, account: Account) -> Phone:
    facts = sep.facts(sep.parse(content))
    # A load is often made for several models; only one that says it all tells the model.
    model = facts.load_models[0] if len(facts.load_models) == 1 else ""
    label = facts.lines[0].label if facts.lines else ""
    return Phone(
        mac=mac,
        account=account,
        model=model,
        software_type=facts.protocol or None,
        hostname=f"SEP{mac}",
        name=label[:255] if label.isprintable() else "",
    )


def _placed(phone: Phone, place: PhonePlace | None) -> Phone:
    """The phone with what the CSV file says of it, where the inventory says nothing."""
    if place is not None:
        phone.location = phone.location or place.location
        # The model of a phone that is still to be made is but concluded from its load.
        phone.model = (place.model or phone.model) if phone.pk is None else (phone.model or place.model)
    return phone


def _still_to_adopt(candidates: list[Candidate]) -> list[Candidate]:
    """Those whose phones are made from data already, or run something else, are told as such."""
    stored = [candidate.phone for candidate in candidates if candidate.phone.pk]
    running = revisions_for([phone for phone in stored if phone.current_profile_id], store=False)
    with_values = (
        set(Layer.objects.filter(phone__in=among([phone.pk for phone in stored])).values_list("phone", flat=True))
        if stored
        else set()
    )
    left = []
    for candidate in candidates:
        file, phone = candidate.told, candidate.phone
        own, now = phone.current_profile, running.get(phone.pk or 0)
        same = now is not None and not isinstance(now, Refusal) and now.content == candidate.content
        if own is not None and not same:
            file.code, file.reason = "other-profile", f"The phone has the profile {own}, whose file is another one."
        elif own is not None and own.source != Source.FILE:
            file.outcome, file.template = AdoptResult.UNCHANGED, str(own)
        elif phone.pk in with_values:
            file.outcome, file.code = AdoptResult.KEPT, "own-values"
            file.reason = "The phone has values of its own already, which adopting would change."
            left.append(candidate)
        else:
            left.append(candidate)
    return left
