"""Whose turn it is: periodic work of which one round at a time is enough, however many workers there are."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.db.models import Q
from django.utils import timezone

from phones_app.models import Sweep


@contextmanager
def turn(name: str, *, seconds: float) -> Iterator[bool]:
    """Whether the turn is ours. A worker that dies in it keeps the others waiting for `seconds` at most."""
    now = timezone.now()
    Sweep.objects.get_or_create(name=name, defaults={"ran_at": now})
    until = now + timedelta(seconds=seconds)
    free = Sweep.objects.filter(Q(held_until=None) | Q(held_until__lt=now), name=name)
    if not free.update(held_until=until, ran_at=now):
        yield False
        return
    try:
        yield True
    finally:
        Sweep.objects.filter(name=name, held_until=until).update(held_until=None)
