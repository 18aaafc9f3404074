"""What a rollout brings its phones to beyond a file: loads of firmware, one after the other.

Which loads these are, and whether a phone has arrived, is known to the subject above, which registers itself here.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from contacts_app.core.errors import Refusal
from contacts_app.core.work import clock
from phones_app.inventory.models import Phone
from phones_app.rollout.models import NAME_OF_LOAD, Rollout, RolloutMember
from profiles_app.phone.models import PhoneProfile


@dataclass(frozen=True)
class Way:
    """The loads that one phone gets, none if it has the last one; `remarks` are what people should know before."""

    loads: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


class Aim(Protocol):
    def ways(self, phones: Sequence[Phone]) -> Mapping[int, Way | Refusal]:
        """The way of each of these phones, or why it must not go."""

    def begun(self, members: Sequence[RolloutMember], ways: Mapping[int, Way]) -> None:
        """These are stored with their first deployments, in this transaction. The ways are by the keys of phones."""

    def stands(self, members: Sequence[RolloutMember]) -> Mapping[int, str]:
        """How far the phones of these are, in a few words, by their keys."""

    def go_on(self) -> None:
        """Do what is due, for who waits for it where no worker may be."""


# A rollout of firmware waits for so long for phones that are away, unless it is said.
PATIENCE = timedelta(days=14)
_makers: list[Callable[[str], Aim]] = []


def register_aim(make: Callable[[str], Aim]) -> None:
    """Have `make` called with the load of a rollout of firmware."""
    _makers.append(make)


def check_aim(rollout: Rollout, profile: PhoneProfile | None) -> None:
    """Raises Refusal for what makes no rollout. Of one of firmware the end is set where none is given."""
    if not rollout.load:
        rollout.ends_at = None
        return
    if profile is not None:
        raise Refusal("load-and-profile", "Firmware goes to phones with the profiles that they have: choose none.")
    if not re.fullmatch(NAME_OF_LOAD, rollout.load):
        raise Refusal("wrong-load", f"“{rollout.load[:64]}” is not the name of a load, such as SIP42.9-4-2SR3-1S.")
    rollout.ends_at = rollout.ends_at or clock.now() + PATIENCE
    if rollout.ends_at <= clock.now():
        raise Refusal("ends-in-the-past", "The end of the rollout is in the past.")


def aim_of(rollout: Rollout) -> Aim | None:
    return next((make(rollout.load) for make in _makers), None) if rollout.load else None
