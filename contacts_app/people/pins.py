"""Which PINs people may have for phones, and who sets them. How often one may be wrong is `phones_app/mobility/pins.py`.

A phone offers digits only, so there are few PINs: those that everybody tries first are refused (mobility spec §5).
"""

from collections.abc import Callable, Iterable
from itertools import pairwise

from django.conf import settings
from django.core.exceptions import ValidationError

from contacts_app.core.actor import Actor
from contacts_app.core.values import digits
from contacts_app.people.models import User

LONGEST = 16
_numbers: list[Callable[[User], Iterable[str]]] = []


def register_numbers(numbers: Callable[[User], Iterable[str]]) -> None:
    """Have `numbers` tell more numbers of a person, which are no PINs of theirs: those of their lines."""
    _numbers.append(numbers)


def _is_sequence(pin: str) -> bool:
    """One digit over and over, or each digit one higher or one lower than the digit before it: 0000, 7890, 4321."""
    steps = {(int(after) - int(before)) % 10 for before, after in pairwise(pin)}
    return len(steps) < 2 and steps <= {0, 1, 9}


def _is_repeated(pin: str) -> bool:
    """1212 and 123123 read the same from somewhere in the middle on."""
    return pin in (pin + pin)[1:-1]


def check_rules(pin: str, user: User, *, field: str = "pin") -> None:
    """Whether this person may have this PIN. Raises ValidationError for the field."""
    shortest = settings.PIN_MIN_DIGITS
    if not (pin.isascii() and pin.isdecimal() and shortest <= len(pin) <= LONGEST):
        reason = f"A PIN has {shortest} to {LONGEST} digits: phones offer no other keys."
    elif _is_sequence(pin) or _is_repeated(pin):
        reason = "A PIN is no sequence and repeats nothing, as 1234, 0000 and 1212 do: these are tried first."
    elif _is_own_number(pin, user):
        reason = "A PIN is not the person's own number or its end, forwards or backwards."
    else:
        return
    raise ValidationError({field: [reason]})


def _is_own_number(pin: str, user: User) -> bool:
    more = (number for numbers in _numbers if user.pk for number in numbers(user))
    own = filter(None, map(digits, (user.phone or "", *more)))
    return any(number.endswith((pin, pin[::-1])) for number in own)


def set_pin(user: User, pin: str, *, actor: Actor, field: str = "pin") -> None:
    """Set the PIN, or take it away with an empty one; the row is not saved. Raises ValidationError.

    A PIN that somebody else has chosen is changed by the person at its first use.
    """
    is_own = user.pk is not None and actor.pk == user.pk
    if pin:
        check_rules(pin, user, field=field)
    if is_own and user.pin_must_change and user.check_pin(pin):
        raise ValidationError({field: ["This is the PIN that has to be changed."]})
    user.set_pin(pin)
    user.pin_must_change = bool(pin) and not is_own


SET_COLUMNS = ("pin_hash", "pin_must_change", "updated_at")
