"""What can be known before a deployment or a rollout although no file and no row alone shows it: that a restart will not
reach its phone, and which setting is the reason; that a load is not to be taken from the one that a phone has; which
phones would share a line; and what it takes the place of.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from ipaddress import ip_address
from typing import NamedTuple

from django.db.models import Prefetch, prefetch_related_objects
from django.db.models.fields.json import KeyTextTransform

from contacts_app.core.counted import counted
from contacts_app.core.lists.among import among
from phones_app.configuration.gather import LOAD
from phones_app.deployment.models import Deployment, PhoneFile, State
from phones_app.deployment.restart import Macros, choose, first_contact, key_macros
from phones_app.firmware.services import way_of
from phones_app.inventory.models import Phone
from phones_app.inventory.services import TAKEN, address_taken
from phones_app.servers.models import CallManager
from phones_app.servers.services import phone_networks
from phones_app.transports.restart.strategies import Description, FirstContact, SipNotify
from profiles_app.phone import sep
from profiles_app.phone.models import ProfileRevision
from profiles_app.phone.sep.catalogue import colons, models_of_load, normalise_model

# So many phones and lines are named.
NAMED = 5
GATED = "{load} cannot be taken from {present}: upgrade by a rollout of firmware, which brings {gates} first. {why}"
BARRED = "{load} cannot be taken from {present}: {why}"


def describe_restart(phone: Phone, revision: ProfileRevision | None, macros: Macros = key_macros) -> Description:
    """How the phone would be restarted, and why that cannot work as far as is known before."""
    strategy = choose(phone, revision, macros)
    if not phone.line_user and revision is not None and _uploaded(phone) is None:
        strategy = first_contact(strategy, phone, macros)
    described = strategy.describe()
    first = strategy.first if isinstance(strategy, FirstContact) else strategy
    direct = isinstance(first, SipNotify) and phone.call_manager is None
    trouble = described.trouble or _outside(phone) or (_unheard(phone, revision) if direct else "")
    if not trouble and address_taken(phone):
        trouble = TAKEN.format(address=phone.phone_ip)
    return replace(described, trouble=trouble)


def read_files(phones: Sequence[Phone]) -> None:
    """What the phones have, for all of them by one query: a preview of many asks for each."""
    files = PhoneFile.objects.select_related("revision").defer("found", "revision__content")
    prefetch_related_objects(phones, Prefetch("file", queryset=files))


def _uploaded(phone: Phone) -> dict[str, object] | None:
    """What the file that was uploaded to the phone last says; None where none was, or it is not known any more."""
    if "file" in phone._state.fields_cache:  # read for many at once
        read: PhoneFile | None = phone._state.fields_cache["file"]
        return dict(read.revision.facts) if read and read.revision else None
    files = PhoneFile.objects.filter(phone=phone.pk, revision__isnull=False)
    facts: dict[str, object] | None = files.values_list("revision__facts", flat=True).first()
    return facts


def _outside(phone: Phone) -> str:
    """That the restart goes where nothing may be sent. Names are not looked up before they are needed."""
    address = phone.call_manager.host if phone.call_manager else phone.phone_ip or ""
    try:
        ip_address(address)
    except ValueError:
        return ""
    return "" if phone_networks().allows(address) else f"{address} is outside of PHONE_NETWORKS: nothing is sent there."


def _unheard(phone: Phone, revision: ProfileRevision | None) -> str:
    """That the phone is registered by TCP or TLS, over which only its PBX can send it anything."""
    # A phone that was taken over with its file runs that, though it was not uploaded from here.
    own = phone.current_profile.revision if phone.current_profile else revision
    transport = str((_uploaded(phone) or (own.facts if own else {})).get("transport") or "")
    if transport not in ("tcp", "tls"):
        return ""
    return (
        f"Its file has transportLayerProtocol {transport.upper()}, and a phone registered so hears no NOTIFY sent to it "
        f"directly. Give it a call manager of the kind {CallManager.Kind.AMI.upper()}."
    )


class LoadChange(NamedTuple):
    """What is known of a phone, and the load that its file would name; many phones have the same in common."""

    model: str
    software_type: str
    present: str
    load: str

    @property
    def trouble(self) -> str:
        """That the phone is not to get from one to the other at once; "" also where nothing is known of it."""
        models = models_of_load(self.load)
        # A load of other phones is told by what checks the file.
        is_other = bool(models) and normalise_model(self.model) not in models
        if not (self.model and self.present and self.load) or self.present.lower() == self.load.lower() or is_other:
            return ""
        way = way_of(*self)
        if way.refused:
            return BARRED.format(load=self.load, present=self.present, why=way.refused)
        if not way.gates:
            return ""
        gates = " and ".join(step.load for step in way.gates)
        why = " ".join(f"{step.reason} Source: {step.source}." for step in way.gates)
        return GATED.format(load=self.load, present=self.present, gates=gates, why=why)


def load_change(phone: Phone, facts: Mapping[str, object]) -> LoadChange:
    return LoadChange(phone.model, phone.software_type or "", phone.software_version, str(facts.get(LOAD) or ""))


def load_findings(phone: Phone, facts: Mapping[str, object]) -> list[sep.Finding]:
    trouble = load_change(phone, facts).trouble
    return [sep.Finding("load-gate", sep.Severity.WARNING, trouble)] if trouble else []


def load_notes(changes: Mapping[LoadChange, int]) -> list[str]:
    """A sentence for each change that is not to be, with the number of its phones, the most first."""
    told: Counter[str] = Counter()
    for change, number in changes.items():
        if trouble := change.trouble:
            told[trouble] += number
    return [f"{counted(number, 'phone')}: {text}" for text, number in told.most_common()]


def superseded_notes(phones: Collection[int]) -> list[str]:
    """That phones have a deployment which would not be carried out any more: a phone has one queued deployment."""
    queued = Deployment.objects.filter(phone__in=among(list(phones)), finished_at=None, state=State.QUEUED)
    number = queued.count()
    whose = f"{counted(number, 'phone')} {'has' if number == 1 else 'have'} a queued deployment"
    return [f"{whose}, as in a later wave of a rollout, which this supersedes."] if number else []


class Destined(NamedTuple):
    """A phone with the revision that it would get; of a file that is not stored yet, what it registers as."""

    phone: int
    account: int
    mac: str
    revision: int
    user: str = ""


def destined(phone: Phone, revision: ProfileRevision | None) -> Destined:
    user = str(revision.facts.get("registration_user") or "") if revision and revision.pk is None else ""
    return Destined(phone.pk, phone.account_id, phone.mac, (revision and revision.pk) or 0, user)


def shared_lines(destined: Iterable[Destined]) -> list[str]:
    """A sentence for each line that several phones would register, those included that have it already."""
    rows = list(destined)
    known = {row.revision for row in rows if row.revision}
    facts = ProfileRevision.objects.filter(pk__in=among(list(known))).values_list("pk", "facts")
    users = {pk: str((each or {}).get("registration_user") or "") for pk, each in facts}
    phones: defaultdict[_Line, list[str]] = defaultdict(list)
    for row in rows:
        if user := row.user or users.get(row.revision):
            phones[row.account, user].append(row.mac)
    chosen = {row.phone for row in rows}
    for line, phone, mac in _registered(list(phones)):
        if phone not in chosen and line in phones:
            phones[line].append(mac)
    shared = [(user, macs) for (_, user), macs in phones.items() if len(macs) > 1]
    told = [_sentence(user, macs) for user, macs in shared[:NAMED]]
    more = len(shared) - len(told)
    return [*told, f"So would {counted(more, 'more line')}."] if more > 0 else told


# An account, and whom a phone of it registers as: two accounts may use one number.
_Line = tuple[int, str]


def _registered(lines: Sequence[_Line]) -> Iterator[tuple[_Line, int, str]]:
    """The phones whose files, as they were uploaded last, have these lines: by one query, as it looks at all files."""
    accounts, users = list({account for account, _ in lines}), list({user for _, user in lines})
    files = PhoneFile.objects.filter(phone__account__in=among(accounts)).order_by("phone__mac")
    files = files.annotate(line=KeyTextTransform("registration_user", "revision__facts")).filter(line__in=among(users))
    for account, user, phone, mac in files.values_list("phone__account", "line", "phone", "phone__mac"):
        yield (account, user), phone, mac


def _sentence(user: str, macs: list[str]) -> str:
    names = ", ".join(map(colons, macs[:NAMED])) + (" …" if len(macs) > NAMED else "")
    what = "they ring together, and each may end another's registration"
    return f"Line {user} would be on {len(macs)} phones ({names}): {what}."
