"""Who it is that types a name and a PIN on a phone; and that no answer tells why it is nobody (mobility spec §5.2).

A wrong name, a wrong PIN, a lock, no permission and an unknown phone do the same work, of which hashing a PIN is nearly
all, and so take the same time: what differs would tell which names exist, and which PIN is right. Nobody waits for it to
pass, because a thread of the web server would wait as well.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.contrib.auth.hashers import make_password
from django.db.models import Q

from contacts_app.core.values import digits
from contacts_app.people.models import User
from phones_app.mobility import pins
from phones_app.mobility.codes import EmCode
from phones_app.mobility.policy import mobility_of
from phones_app.mobility.switch import EmRefusal

# How people name themselves: by email or user name, or by their phone number, as CUCM's `loginType=DN`.
USER, EXTENSION = "user", "extension"
# So many PINs are checked at once in a process: made-up phones may not keep all its threads busy with it.
AT_ONCE = 8
_checks = threading.BoundedSemaphore(AT_ONCE)


class LoginRefused(Exception):
    """Name or PIN is wrong, there were too many failures, or this person or phone may not: which, no answer tells."""


class PinMustChange(Exception):
    """The PIN is right, and it has to be changed before anything else: somebody else has set it."""

    def __init__(self, user: User) -> None:
        super().__init__()
        self.user = user


def person_by_pin(*, account: int | None, mac: str, name: str, pin: str, by: str = USER, mobile: bool = False) -> User:
    """The person of this account, counted as a try on this phone. Raises LoginRefused, after the same work each time,
    and EmRefusal at once, before it knows of whom, when too many PINs are being checked.

    `account` None: the phone is not known. `mobile`: the person has to be allowed to log in on phones.
    """
    with _one_of_few():
        return _person_by_pin(account, mac, name, pin, by, mobile)


@contextmanager
def _one_of_few() -> Iterator[None]:
    if not _checks.acquire(blocking=False):
        raise EmRefusal(EmCode.BUSY, "busy", "Many people are logging in. Please try again in a moment.")
    try:
        yield
    finally:
        _checks.release()


def _person_by_pin(account: int | None, mac: str, name: str, pin: str, by: str, mobile: bool) -> User:
    user = find_person(account, name, by)
    if account is None:
        pins.pretend()
    is_tried = account is not None and pins.may_try(mac=mac, user=user)
    if is_tried and user is not None and user.pin_hash:
        is_right = user.check_pin(pin)
    else:
        is_right = False
        make_password(pin)  # the same work as for a PIN that is checked
    if user is not None and is_right and (not mobile or mobility_of(user).is_allowed):
        pins.succeeded(mac=mac, user=user)
        return user
    if is_tried:
        pins.tell_if_locked(mac=mac, user=user)
    raise LoginRefused


def find_person(account: int | None, name: str, by: str = USER) -> User | None:
    """An active person of the account by email or user name, or by their extension if no other has it."""
    people = User.objects.filter(account=account, account__isnull=False, is_active=True)
    if by == EXTENSION:
        number = digits(name)
        found = list(people.filter(phone_digits=number)[:2]) if number else []
        if number and not found:
            # Where people's own numbers are those of the world outside, line 1 of their profiles is their extension.
            line = {"phone_profiles__revision__facts__registration_user": number}
            found = list(people.filter(**line).distinct()[:2])
        return found[0] if len(found) == 1 else None
    return people.filter(Q(email__iexact=name) | Q(username__iexact=name)).first()
