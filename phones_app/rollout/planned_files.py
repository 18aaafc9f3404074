"""The files that a rollout's plan compares, made as far as they have to be. `made_files` makes those of its start."""

import time
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, NamedTuple

from contacts_app.core.errors import Refusal
from phones_app.configuration.gather import LOAD
from phones_app.configuration.rendering import Rendered, revisions_for
from phones_app.rollout.aims import Aim, Way
from profiles_app.phone import sep
from profiles_app.phone.models import PhoneProfile, is_made

CHUNK = 1000


class PlannedFile(NamedTuple):
    """A file that is made for a phone: its digest, what the phone registers as with it, and what it fetches besides."""

    sha256: str
    user: str
    load: str
    companions: tuple[sep.Companion, ...] = ()


File = PlannedFile | Refusal | None


def files_for_plan(
    phones: Iterable[Any], profile: PhoneProfile | None, aim: Aim | None = None, seconds: float | None = None
) -> Iterator[tuple[Any, File, Way]]:
    """Each phone with the file that is made for it, or why none is; None where its profile is a file.

    What was worked out for the phone's own profile since its data changed last need not be made for a plan; where none
    could be made, making it says under which code. With an aim, the file is the one with the first load of the phone's
    way. After so many seconds no more phones are taken.
    """
    rows = iter(phones)
    deadline = time.monotonic() + seconds if seconds is not None else None
    while chunk := list(islice(rows, CHUNK)):
        ways = aim.ways(chunk) if aim is not None else {}
        files: dict[int, File] = {key: way for key, way in ways.items() if isinstance(way, Refusal)}
        first = {key: way.loads[0] for key, way in ways.items() if isinstance(way, Way) and way.loads}
        unknown = []
        for phone in chunk:
            own = profile or phone.current_profile
            if phone.pk in first:
                unknown.append(phone)
            elif is_made(own) and phone.pk not in ways:
                known = phone.made_since and phone.made_due is None and own.pk == phone.current_profile_id
                known = known and not phone.made_error
                files[phone.pk] = _known(phone) if known else None
                unknown += [] if known else [phone]
        by_key = {phone.pk: phone for phone in unknown}
        for key, outcome in revisions_for(unknown, profile, store=False, loads=first).items():
            files[key] = outcome if isinstance(outcome, Refusal) else _made(by_key[key], outcome)
        for phone in chunk:
            way = ways.get(phone.pk)
            yield phone, files.get(phone.pk), way if isinstance(way, Way) else Way()
        if deadline is not None and time.monotonic() > deadline:
            return


def companions_of(phone: Any, facts: Mapping[str, Any]) -> tuple[sep.Companion, ...]:
    return tuple(sep.companions(facts, model=phone.model, runs=phone.software_version))


def _made(phone: Any, made: Rendered) -> PlannedFile:
    user = str(made.facts.get("registration_user") or "")
    return PlannedFile(made.sha256, user, str(made.facts.get(LOAD) or ""), companions_of(phone, made.facts))


def _known(phone: Any) -> PlannedFile:
    return PlannedFile(
        phone.made_sha256, phone.made_user, phone.made_load, companions_of(phone, phone.made_beside or {})
    )
