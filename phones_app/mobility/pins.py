"""How often a PIN may be wrong: counted for each person and for each phone, in the database that all processes share.

A try is counted before the PIN is checked, so that guesses at the same moment count as well. A right PIN takes away
the person's own count alone: on the phone it was one try that did not fail.
"""

import functools
import operator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F, Q

from contacts_app.core.work import clock
from contacts_app.people.models import User
from phones_app.mobility.events import tell_lock
from phones_app.mobility.models import PinFailures


@dataclass(frozen=True)
class PinLimit:
    """After so many `failures` nothing is tried until `lasts` has gone by without one that was tried."""

    failures: int
    lasts: timedelta


OF_PERSON = PinLimit(5, timedelta(minutes=15))
OF_PHONE = PinLimit(10, timedelta(minutes=10))


def limit_of(row: PinFailures) -> PinLimit:
    return OF_PERSON if row.user_id else OF_PHONE


def is_locked(row: PinFailures) -> bool:
    limit = limit_of(row)
    return row.count >= limit.failures and row.last_at > clock.now() - limit.lasts


def may_try(*, mac: str, user: User | None) -> bool:
    """Count a try on this phone and of this person; False: there were too many failures, so it is none."""
    if not _counted(OF_PHONE, mac=mac):
        return False
    if user is None:
        pretend()
        return True
    return _counted(OF_PERSON, user=user)


def pretend() -> None:
    """Ask the database as a try does, for nobody: who or what does not exist takes no less time."""
    nobody = PinFailures.objects.filter(pk=0)
    for _ in range(2):
        nobody.update(count=F("count") + 1)


def may_try_person(user: User) -> bool:
    """The same where no phone takes part, as over REST."""
    return _counted(OF_PERSON, user=user)


def succeeded(*, mac: str, user: User | None) -> None:
    if user is not None:
        PinFailures.objects.filter(user=user).delete()
    PinFailures.objects.filter(mac=mac, count__gt=0).update(count=F("count") - 1)


def tell_if_locked(*, mac: str, user: User | None) -> None:
    """After a failure: an event if it was the last one before a lock."""
    whose = [Q(mac=mac), *([Q(user=user)] if user else [])]
    for row in PinFailures.objects.filter(functools.reduce(operator.or_, whose)):
        if row.count == limit_of(row).failures:
            tell_lock(row, user if row.user_id else None, mac)


def _counted(limit: PinLimit, **whose: Any) -> bool:
    now, rows = clock.now(), PinFailures.objects.filter(**whose)
    # Each update asks and changes at once; of two that make the first row one begins again.
    for _ in range(2):
        if rows.filter(last_at__lte=now - limit.lasts).update(count=1, last_at=now):
            return True
        if rows.filter(count__lt=limit.failures).update(count=F("count") + 1, last_at=now):
            return True
        if rows.exists():
            return False
        try:
            with transaction.atomic():
                PinFailures.objects.create(count=1, last_at=now, **whose)
            return True
        except IntegrityError:
            continue
    return False
