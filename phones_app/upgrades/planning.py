"""Which loads each phone of a rollout gets, one after the other, and which phones get none: the aim of the rollout.

The way is that of the gates (`firmware.sets.gates`). A load that is not held complete is given to no phone: one that
finds half of it keeps the old one, or stops.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count

from contacts_app.core.errors import Refusal
from contacts_app.core.lists.among import among
from contacts_app.core.lists.insert import insert_many
from contacts_app.core.tables import table
from contacts_app.core.work.queue import run_queue
from phones_app.firmware.models import Firmware
from phones_app.firmware.services import hidden_files, loads_of, way_of
from phones_app.inventory.models import Phone
from phones_app.inventory.services import FileServerLookup
from phones_app.rollout.aims import Way
from phones_app.rollout.gate import GONE
from phones_app.rollout.models import ChosenPhone, Rollout, RolloutMember, RolloutState
from phones_app.servers.models import FileServer
from phones_app.shared_files.models import CopyState, FileCopy
from phones_app.upgrades.judgement import stands
from phones_app.upgrades.models import Upgrade
from phones_app.upgrades.watching import GOES_ON, UPGRADES
from profiles_app.phone import sep
from profiles_app.phone.models import PhoneProfile, is_made

AWAY = "It does not answer now. It is waited for, and gets its firmware when it is back."
UNKNOWN_SERVER = "Whether {server} has the files of these loads is not known."
MOST_NAMED = 3  # files, in a sentence
COMES_FIRST = "{load} comes first. {reason} Source: {source}."


class _Held:
    """The loads that the phones of one account can be given, each compared with the account's own files once."""

    def __init__(self, account: int) -> None:
        self._account = account
        self.rows = loads_of(account)
        self._hidden: dict[int, list[str]] = {}

    def check(self, load: str, why: str) -> None:
        """Raises Refusal where the phones would not find all of it."""
        row = self.rows.get(load)
        if row is None:
            raise Refusal("load-missing", f"There is no firmware {load} in the portal. {why}".strip())
        if row.pk not in self._hidden:
            self._hidden[row.pk] = hidden_files(row, self._account)
        if hidden := self._hidden[row.pk]:
            names = ", ".join(hidden[:MOST_NAMED]) + (" …" if len(hidden) > MOST_NAMED else "")
            told = f"In the place of files of {load} its phones get other files of the account: {names}."
            raise Refusal("load-incomplete", f"{told} {why}".strip())
        if row.faults:
            raise Refusal("load-incomplete", f"The firmware {load} is not complete any more. {why}".strip())


@dataclass
class FirmwareAim:
    """To bring phones to `load` (`rollout.aims.Aim`)."""

    load: str

    def ways(self, phones: Sequence[Phone]) -> dict[int, Way | Refusal]:
        held = {account: _Held(account) for account in {phone.account_id for phone in phones}}
        servers, shared = FileServerLookup(), _of_several(phone.current_profile for phone in phones)
        on_servers = _OnServers()
        found: dict[int, Way | Refusal] = {}
        for phone in phones:
            try:
                found[phone.pk] = self._way(phone, held[phone.account_id], servers.of(phone), shared, on_servers)
            except Refusal as refusal:
                found[phone.pk] = refusal
        return found

    def begun(self, members: Sequence[RolloutMember], ways: Mapping[int, Way]) -> None:
        loads = dict(Phone.objects.filter(pk__in=among(list(ways))).values_list("pk", "software_version"))
        insert_many(
            [
                Upgrade(
                    member=member,
                    account_id=member.deployment.account_id,
                    phone_id=member.deployment.phone_id,
                    mac=member.deployment.mac,
                    before=loads.get(member.deployment.phone_id or 0, ""),
                    way=list(ways[member.deployment.phone_id or 0].loads),
                )
                for member in members
            ]
        )

    def stands(self, members: Sequence[RolloutMember]) -> dict[int, str]:
        rows = Upgrade.objects.filter(member__in=[member.pk for member in members]).select_related("member__deployment")
        return {row.member_id: stands(row) for row in rows}

    def go_on(self) -> None:
        run_queue(UPGRADES)

    def _way(
        self, phone: Phone, held: _Held, server: FileServer, shared: Mapping[int, int], on_servers: "_OnServers"
    ) -> Way:
        present = phone.software_version
        if present.lower() == self.load.lower():
            return Way()
        if not phone.model:
            raise Refusal("no-model", "The model of the phone is not known, nor with it which firmware it takes.")
        found = way_of(phone.model, phone.software_type or "", present, self.load)
        if found.refused:
            raise Refusal("upgrade-refused", found.refused)
        remarks = [_sentence(doubt) for doubt in found.doubts]
        for step in found.steps:
            why = COMES_FIRST.format(load=step.load, reason=step.reason, source=step.source) if step.reason else ""
            held.check(step.load, why)
            remarks += [why] if why else []
        _check_profile(phone, shared)
        remarks += on_servers.check(server, [held.rows[step.load] for step in found.steps])
        remarks += [AWAY] if phone.presence in GONE else []
        remarks += remarks_on(phone.model, self.load)
        return Way(tuple(step.load for step in found.steps), tuple(remarks))


def _of_several(profiles: Iterable[PhoneProfile | None]) -> dict[int, int]:
    """Of these profiles those that are files written by hand, and how many phones have each."""
    keys = {profile.pk for profile in profiles if profile is not None and not is_made(profile)}
    rows = Phone.objects.filter(current_profile__in=among(list(keys))) if keys else Phone.objects.none()
    return dict(rows.order_by().values("current_profile").annotate(number=Count("pk")).values_list(
        "current_profile", "number"
    ))  # fmt: skip


def _check_profile(phone: Phone, shared: Mapping[int, int]) -> None:
    """A file that is written by hand keeps the load, so it has to be this phone's alone. Raises Refusal."""
    profile = phone.current_profile
    if profile is None or is_made(profile):
        return
    if shared.get(profile.pk, 0) > 1:
        raise Refusal(
            "profile-of-several",
            f"The profile {profile.name} is a file written by hand that {shared[profile.pk]} phones have: the load in it "
            "would be that of all of them. Give each phone a profile of its own, or make the file from data.",
        )
    if phone.base_profile_id not in (None, profile.pk):
        raise Refusal(
            "logged-in",
            "Somebody is logged in with a file written by hand: log them out, and begin with the phone's own.",
        )


class _OnServers:
    """Whether file servers have loads, each looked up once: the embedded one has what the portal has."""

    def __init__(self) -> None:
        self._missing: dict[tuple[int, int], list[str] | None] = {}

    def check(self, server: FileServer, firmware: Sequence[Firmware]) -> list[str]:
        """What is not known. Raises Refusal where files of a load are known not to be there yet."""
        if server.is_embedded:
            return []
        for row in firmware:
            if missing := self._of(server, row):
                names = f"{missing[0]} and {len(missing) - 1} more" if len(missing) > 1 else missing[0]
                raise Refusal("load-not-on-server", f"{server.name} does not have all of {row.load} yet: {names}.")
        is_known = all(self._of(server, row) is not None for row in firmware)
        return [] if is_known else [UNKNOWN_SERVER.format(server=server.name)]

    def _of(self, server: FileServer, row: Firmware) -> list[str] | None:
        """The files that are not copied there; None: nobody copies any there."""
        key = server.pk, row.pk
        if key not in self._missing:
            self._missing[key] = _not_copied(server, row)
        return self._missing[key]


def _not_copied(server: FileServer, row: Firmware) -> list[str] | None:
    wanted = row.paths
    copies = FileCopy.objects.filter(server=server, path__in=among(list(wanted))).exclude(sha256="")
    found = {path: (state, sha256) for path, state, sha256 in copies.values_list("path", "state", "sha256")}
    # Another file of the same name, as everybody's beside the account's own, is not this one.
    there = {path for path, said in found.items() if said == (CopyState.IN_PLACE, wanted[path] or said[1])}
    return sorted(wanted.keys() - there) if found else None


def remarks_on(model: str, load: str) -> list[str]:
    """What is known to go wrong with phones of this model."""
    model = sep.catalogue.normalise_model(model)
    rows: list[dict[str, Any]] = table(__file__, "remarks.toml")["remark"]
    software = sep.catalogue.software_of_load(load)
    return [
        f"{row['text']} Source: {row['source']}."
        for row in rows
        if model in row["models"] and row.get("loads", software) == software
    ]


def _sentence(text: str) -> str:
    text = text[:1].upper() + text[1:]
    return text if text.endswith(".") else f"{text}."


def firmware_in_use(rows: Sequence[Firmware]) -> list[str]:
    """Phones on their way to one of these loads would not find its files; an account's own goes to no other's phones."""
    under_way = Upgrade.objects.filter(member__sequel__in=GOES_ON)
    ways = [*under_way.order_by().values_list("member__rollout", "account", "way").distinct(), *_planned_ways()]
    keys = {rollout for rollout, account, way in ways if any(_is_on(row, account, way) for row in rows)}
    names = sorted(str(rollout) for rollout in Rollout.objects.filter(pk__in=keys))
    return [f"The rollout {name} brings phones to it." for name in names]


def _planned_ways() -> Iterator[tuple[int, int, list[str]]]:
    """Of phones that have no upgrade yet, as their rollout is being planned."""
    chosen = ChosenPhone.objects.filter(planning__rollout__state=RolloutState.PLANNING).exclude(phone__model="")
    chosen = chosen.exclude(planning__rollout__load="").order_by()
    of_phone = ("phone__account", "phone__model", "phone__software_type", "phone__software_version")
    kinds = chosen.values_list("planning__rollout", "planning__rollout__load", *of_phone).distinct()
    for rollout, load, account, model, software, present in kinds:
        if present.lower() != load.lower():
            yield rollout, account, [step.load for step in way_of(model, software or "", present, load).steps]


def _is_on(row: Firmware, account: int, way: Sequence[str]) -> bool:
    return row.account_id in (None, account) and row.load in way
