"""The PBX side of phones: what it must have for their files, as text, and what it has already where it can be asked."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from contacts_app.core.actor import Actor
from contacts_app.core.errors import Refusal, TransportError
from contacts_app.core.lists.among import among
from phones_app.configuration.rendering import Outcome, Rendered, revisions_for
from phones_app.inventory.models import Phone
from phones_app.servers.models import CallManager
from phones_app.servers.services import ami_target, told_of
from phones_app.transports.restart.ami_sessions import ami_session
from phones_app.transports.restart.known_names import MOST_NAMES, known_names
from profiles_app.phone import pbx, sep
from profiles_app.phone.lines import known_to_pbx
from profiles_app.phone.models import Line, PhoneProfile, ProfileRevision

MOST_PHONES = 1000
NO_MANAGER = "Phones without a call manager: no PBX could be asked for what it has."
# At the PBX of everybody an account would learn by their names which peers others have.
SHARED = "This call manager is shared by all accounts: what it has is shown to the portal's staff only."


@dataclass(frozen=True)
class PhoneLeftOut:
    """A phone of which nothing can be told, and why."""

    phone: Phone
    reason: str


@dataclass
class PbxNeeds:
    """`phones` are as the actor may see them, `shown` the profiles whose passwords are in them."""

    phones: list[pbx.PbxPhone] = field(default_factory=list)
    left_out: list[PhoneLeftOut] = field(default_factory=list)
    shown: list[PhoneProfile] = field(default_factory=list)

    @property
    def names(self) -> list[str]:
        return pbx.missing(self.phones, set())


@dataclass(frozen=True)
class PbxComparison:
    """What one PBX lacks; `error` says why it could not be asked."""

    manager: str
    needed: tuple[str, ...]
    missing: tuple[str, ...] = ()
    error: str = ""

    @property
    def sentence(self) -> str:
        number = len(self.needed)
        if self.error:
            return f"{self.manager}: {self.error}" if self.manager else self.error
        lines = f"{number} line{'' if number == 1 else 's'}"
        if not self.missing:
            return f"{self.manager} has all of the {lines}."
        named = ", ".join(self.missing[:20]) + (" …" if len(self.missing) > 20 else "")
        return f"{lines} needed; {self.manager} has {number - len(self.missing)}. Missing: {named}."


def needs_of(phones: Sequence[Phone], actor: Actor) -> PbxNeeds:
    """What the PBX must have for these phones, out of the file that each should have. Raises Refusal for too many."""
    if len(phones) > MOST_PHONES:
        raise Refusal("too-many-phones", f"Choose at most {MOST_PHONES} phones at a time.")
    needs, outcomes = PbxNeeds(), revisions_for(phones, store=False)
    contents = _contents(outcomes.values())
    read: list[tuple[Phone, pbx.PbxPhone]] = []
    shown: dict[int, PhoneProfile] = {}
    for phone in phones:
        outcome = outcomes[phone.pk]
        if isinstance(outcome, Refusal):
            needs.left_out.append(PhoneLeftOut(phone, outcome.message))
            continue
        content = contents.get(outcome.revision.pk or 0) or outcome.content
        try:
            read.append((phone, pbx.needs_of(content, mac=phone.mac, title=phone.name)))
        except sep.Refused as refused:
            needs.left_out.append(PhoneLeftOut(phone, str(refused)))
        else:
            shown[outcome.profile.pk] = outcome.profile
    known = _lines(read)
    for phone, needed in read:
        whole = pbx.completed(needed, known[phone.account_id])
        needs.phones.append(whole if actor.reveals else pbx.masked(whole))
    needs.shown = list(shown.values()) if actor.reveals else []
    return needs


def dialect_of(phones: Sequence[Phone]) -> str:
    """The dialect of the first phone's call manager."""
    manager = phones[0].call_manager if phones else None
    return manager.channel if manager is not None and manager.kind == CallManager.Kind.AMI else "pjsip"


def compared(phones: Sequence[Phone], needs: PbxNeeds, actor: Actor) -> list[PbxComparison]:
    """Each call manager of the phones that can be asked by AMI is asked for the names that its phones need."""
    by_mac = {needed.mac: needed for needed in needs.phones}
    at: defaultdict[CallManager | None, list[pbx.PbxPhone]] = defaultdict(list)
    for phone in phones:
        if phone.mac in by_mac:
            at[phone.call_manager].append(by_mac[phone.mac])
    return [_compared(manager, pbx.missing(there, set()), actor) for manager, there in at.items()]


def _compared(manager: CallManager | None, names: list[str], actor: Actor) -> PbxComparison:
    needed = tuple(names)
    if manager is None:
        return PbxComparison("", needed, error=NO_MANAGER)
    if manager.kind != CallManager.Kind.AMI:
        return PbxComparison(manager.name, needed, error="It is not asked by AMI, so what it has is not known.")
    if manager.account_id is None and actor.account is not None:
        return PbxComparison(manager.name, needed, error=SHARED)
    if len(names) > MOST_NAMES:
        return PbxComparison(manager.name, needed, error=f"It is asked for at most {MOST_NAMES} names at a time.")
    try:
        with ami_session(ami_target(manager)) as session:
            known = known_names(session, manager.channel, names)
    except TransportError as error:
        told = error if actor.account is None else told_of(manager, error)
        return PbxComparison(manager.name, needed, error=told.message)
    return PbxComparison(manager.name, needed, tuple(name for name in names if name not in known))


def _contents(outcomes: Iterable[Outcome]) -> dict[int, bytes]:
    """The files that are stored, at once; what is made from data has its own with it."""
    keys = {one.revision.pk for one in outcomes if isinstance(one, Rendered) and one.revision.pk}
    rows = ProfileRevision.objects.filter(pk__in=among(list(keys))).values_list("pk", "content") if keys else ()
    return {pk: bytes(content) for pk, content in rows}


def _lines(read: Sequence[tuple[Phone, pbx.PbxPhone]]) -> dict[int, dict[str, pbx.PbxLine]]:
    """The lines of the phones' accounts by account and peer, as far as the files name them."""
    found: defaultdict[int, list[Line]] = defaultdict(list)
    names = {line.name for _, needed in read for line in needed.lines}
    accounts = {phone.account_id for phone, _ in read}
    if names:
        lines, asked = Line.objects.filter(account__in=accounts), among(sorted(names))
        # A peer is called by the line's name, or by its extension where it has none.
        for rows in (lines.filter(name="", extension__in=asked), lines.filter(name__in=asked)):
            for line in rows:
                found[line.account_id].append(line)
    return defaultdict(dict, {account: known_to_pbx(lines) for account, lines in found.items()})
