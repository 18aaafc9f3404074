"""What a rollout would do, before it does anything: who gets a file, who has it already, who is refused and why."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any, NamedTuple

from django.db.models import F, OuterRef, QuerySet, Subquery

from contacts_app.core.counted import counted
from contacts_app.core.errors import Refusal
from phones_app.configuration.gather import LOAD
from phones_app.deployment.companions import Awaited, missing_notes
from phones_app.deployment.foresight import (
    Destined,
    LoadChange,
    load_change,
    load_notes,
    shared_lines,
    superseded_notes,
)
from phones_app.deployment.models import DRIFTED, Deployment, State
from phones_app.deployment.request import check_fits
from phones_app.inventory.models import Phone
from phones_app.inventory.services import FileServerLookup, Selection
from phones_app.rollout.aims import Way, aim_of, check_aim
from phones_app.rollout.models import Rollout
from phones_app.rollout.planned_files import CHUNK, File, PlannedFile, companions_of, files_for_plan
from phones_app.servers.models import FileServer
from profiles_app.phone import sep
from profiles_app.phone.models import PhoneProfile

# Refused phones are counted, and so many of each kind named.
NAMED = 20
ARROW = " → "
# What a phone is not given again: it was told to restart with this file in its place.
HAS_IT = (State.CONFIRMED, State.RESTART_ACKNOWLEDGED)


class Planned(NamedTuple):
    """One phone with what it would get from where."""

    phone: int
    account: int
    mac: str
    model: str
    site: str
    server: int
    profile: int
    profile_name: str
    # 0 where the file is made for the phone when the rollout starts.
    revision: int
    sha256: str
    user: str = ""
    # What the phone will fetch beside it, where that is known.
    companions: tuple[sep.Companion, ...] = ()
    # Of a rollout of firmware.
    way: Way = Way()

    @property
    def loads(self) -> str:
        return ARROW.join(self.way.loads)


@dataclass
class RolloutPlan:
    """`waves` are the phones in the order in which they would get their file."""

    waves: list[list[Planned]] = field(default_factory=list)
    unchanged: int = 0
    refused: list[dict[str, Any]] = field(default_factory=list)
    # Phones that there was no time to look at.
    unseen: int = 0
    # From which load to which, and how many phones; not of a rollout of firmware, which knows the ways.
    changes: Counter[LoadChange] = field(default_factory=Counter)

    @property
    def total(self) -> int:
        return sum(map(len, self.waves))

    @property
    def refused_total(self) -> int:
        return sum(group["phones"] for group in self.refused)

    @property
    def looked_at(self) -> int:
        return self.total + self.unchanged + self.refused_total

    @property
    def notes(self) -> list[str]:
        """What is to be known of several phones together."""
        planned = [one for wave in self.waves for one in wave]
        remarks = Counter(remark for one in planned for remark in one.way.remarks)
        lines = shared_lines(Destined(one.phone, one.account, one.mac, one.revision, one.user) for one in planned)
        missing = missing_notes(
            Awaited(one.phone, one.account, one.model, one.server, one.companions) for one in planned
        )
        told = (f"{counted(number, 'phone')}: {remark}" for remark, number in remarks.most_common())
        superseded = superseded_notes([one.phone for one in planned])
        return [*told, *superseded, *lines, *load_notes(self.changes), *missing]

    @property
    def ways(self) -> list[tuple[str, int]]:
        """How many phones get which loads, one after the other."""
        return [each for each in self.counted("loads") if each[0]]

    def counted(self, name: str) -> list[tuple[str, int]]:
        """How many phones there are of each model, site …, the most frequent first."""
        return Counter(str(getattr(one, name)) for wave in self.waves for one in wave).most_common()

    def servers(self) -> list[tuple[str, int]]:
        numbers = {int(key): number for key, number in self.counted("server")}
        names = FileServer.objects.in_bulk(numbers)
        return [(names[key].name, number) for key, number in numbers.items()]


def make_plan(
    *,
    selection: Selection,
    profile: PhoneProfile | None,
    pace: Rollout | None = None,
    include_unchanged: bool = False,
    seconds: float | None = None,
    note: Callable[[int], None] = lambda looked_at: None,
) -> RolloutPlan:
    """What `start` would do. `pace`, which need not be saved, has the limits. `profile` None: each phone's own.

    With `seconds`, phones are examined for so long and the rest is counted, as a person waits for the answer. `note` is
    called now and then with the number of phones examined. Raises Refusal for what makes no rollout.
    """
    plan, taken, pace = RolloutPlan(), [], pace or Rollout()
    check_aim(pace, profile)
    aim = aim_of(pace)
    refused: dict[str, dict[str, Any]] = {}
    for mac in selection.unknown:
        refuse(refused, mac, Refusal("unknown-phone", "There is no phone with this MAC address."))
    servers = FileServerLookup()
    phones = _with_what_they_have(selection.phones, profile)
    last = ""
    for number, (phone, file, way) in enumerate(files_for_plan(phones, profile, aim, seconds)):
        last = phone.mac
        if number and number % CHUNK == 0:
            note(number)
        try:
            planned = _planned(phone, profile or phone.current_profile, file, servers)._replace(way=way)
        except Refusal as refusal:
            refuse(refused, phone.mac, refusal)
            continue
        # A phone may have the file that names the load, and not the load.
        has_it = not way.loads if aim is not None else _has_it(phone, planned) and not include_unchanged
        if has_it:
            plan.unchanged += 1
        else:
            taken.append(planned)
            if aim is None:
                plan.changes[load_change(phone, _facts(file, profile or phone.current_profile))] += 1
    if seconds is not None and last:
        plan.unseen = selection.phones.filter(mac__gt=last).count()
    plan.refused = sorted(refused.values(), key=lambda group: -group["phones"])
    plan.waves = list(_in_waves(taken, pace))
    return plan


def _facts(file: File, profile: PhoneProfile | None) -> dict[str, Any]:
    """What the file says, as far as it is known of one that is made."""
    if isinstance(file, PlannedFile):
        return {LOAD: file.load}
    return profile.revision.facts if profile and profile.revision else {}


def _has_it(phone: Any, planned: Planned) -> bool:
    """Whether the phone was told to restart with this file, and the file lies where the phone would find it."""
    uploaded = phone.has_sha256 == planned.sha256 and phone.has_state in HAS_IT
    in_place = (phone.there_sha256, phone.there_server) == (planned.sha256, planned.server)
    return uploaded and in_place and phone.there_state not in DRIFTED


def refuse(refused: dict[str, dict[str, Any]], mac: str, why: Refusal) -> None:
    group = refused.setdefault(why.code, {"code": why.code, "message": why.message, "phones": 0, "macs": []})
    group["phones"] += 1
    if group["phones"] <= NAMED:
        group["macs"].append(sep.colons(mac))


def _with_what_they_have(phones: "QuerySet[Phone]", profile: PhoneProfile | None) -> Iterator[Phone]:
    newest = Deployment.objects.filter(
        phone=OuterRef("pk"), kind=Deployment.Kind.DEPLOY, uploaded_at__isnull=False
    ).order_by("-created_at", "-pk")
    rows = phones.order_by("mac").only(
        *("mac", "account_id", "model", "software_type", "location", "is_active", "file_server_id"),
        *("current_profile", "base_profile", "name", "software_version", "emergency_number"),
    )
    if profile is None:
        own = ("current_profile__user", "current_profile__revision")
        rows = phones.order_by("mac").select_related(*own)
        rows = rows.defer("web_password", "description", "current_profile__revision__content")
    rows = rows.annotate(
        has_sha256=Subquery(newest.values("sha256")[:1]),
        has_state=Subquery(newest.values("state")[:1]),
        # What is there: moved to another server, or after a file was adopted, it is not what was uploaded last.
        there_sha256=F("file__sha256"),
        there_server=F("file__server"),
        there_state=F("file__state"),
        made_sha256=F("configuration__sha256"),
        made_error=F("configuration__error"),
        made_user=F("configuration__registration_user"),
        made_load=F("configuration__load"),
        made_beside=F("configuration__beside"),
        made_since=F("configuration__rendered_at"),
        made_due=F("configuration__due_at"),
    )
    return rows.iterator(chunk_size=CHUNK)


def _planned(phone: Phone, profile: PhoneProfile | None, file: File, servers: FileServerLookup) -> Planned:
    if profile is None:
        raise Refusal("no-profile", "The phone has no profile.")
    check_fits(phone, profile)
    if isinstance(file, Refusal):
        raise file
    revision = profile.revision
    if file is None and revision is not None:
        # Of all that makes a stored file wrong for a phone this alone is not known when it is stored (Cisco phones
        # spec §4.8), and reading ten thousand files for it would take long.
        facts = revision.facts
        why = sep.misfit(
            facts.get("protocol", ""),
            facts.get("bootstrap", False),
            model=phone.model,
            software_type=phone.software_type,
            file_format=facts.get("format", ""),
        )
        if why:
            raise Refusal(why.code, why.sentence)
    return Planned(
        phone.pk,
        phone.account_id,
        phone.mac,
        phone.model,
        phone.location,
        servers.of(phone).pk,
        profile.pk,
        profile.name,
        revision.pk if revision and file is None else 0,
        file.sha256 if file else revision.sha256 if revision else "",
        file.user if file else "",
        file.companions if file else companions_of(phone, revision.facts if revision else {}),
    )


def _in_waves(taken: list[Planned], pace: Rollout) -> Iterator[list[Planned]]:
    canary = _canary(taken, pace.canary_size) if pace.canary_size else []
    if canary:
        yield canary
        chosen = {one.phone for one in canary}
        taken = [one for one in taken if one.phone not in chosen]
    size = pace.wave_size or len(taken) or 1
    for start in range(0, len(taken), size):
        yield taken[start : start + size]


def _canary(taken: list[Planned], size: int) -> list[Planned]:
    """One phone of each model, then another of each …: what goes wrong often does so with one model only."""
    by_model: defaultdict[str, list[Planned]] = defaultdict(list)
    for one in taken:
        if len(by_model[one.model]) < size:
            by_model[one.model].append(one)
    rounds = zip_longest(*by_model.values())
    return [one for ones in rounds for one in ones if one is not None][:size]
