"""When periodic work ran last, and which process has it to itself."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.db import models
from django.db.models import Q

from contacts_app.core.work import clock


class WorkStatus(models.Model):
    """One row for the sweep, and one for each kind of work that one process at a time does."""

    name = models.CharField(primary_key=True, max_length=64)
    ran_at = models.DateTimeField()
    locked_until = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.name


def note_run(name: str) -> None:
    WorkStatus.objects.update_or_create(name=name, defaults={"ran_at": clock.now()})


@contextmanager
def lock(name: str, *, seconds: float) -> Iterator[bool]:
    """Whether this process has the work to itself. One that dies in it keeps the others waiting `seconds` at most."""
    now = clock.now()
    WorkStatus.objects.get_or_create(name=name, defaults={"ran_at": now})
    until = now + timedelta(seconds=seconds)
    free = WorkStatus.objects.filter(Q(locked_until=None) | Q(locked_until__lt=now), name=name)
    if not free.update(locked_until=until, ran_at=now):
        yield False
        return
    try:
        yield True
    finally:
        WorkStatus.objects.filter(name=name, locked_until=until).update(locked_until=None)
