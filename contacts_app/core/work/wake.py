"""Waking workers: by a nudge when rows were written, and by the sweep, which finds rows that no worker was nudged for."""

from datetime import timedelta

import structlog
from celery import shared_task
from django.db import transaction

from contacts_app.core.work.apart import apart
from contacts_app.core.work.broker import mend
from contacts_app.core.work.kind import Work, queues
from contacts_app.core.work.models import note_run
from contacts_app.core.work.queue import run_queue

log = structlog.get_logger(__name__)
SWEEP = "sweep"


@shared_task(ignore_result=True)  # type: ignore[untyped-decorator]
def work_on(queue: str) -> None:
    """Celery's way in. Losing the message loses no work."""
    run_queue(queue)


def nudge(queue: str) -> None:
    """Have a worker look for due rows of this queue."""
    for is_mended in (False, True):
        try:
            work_on.delay(queue)
            return
        except Exception as error:
            # The broker's clients raise errors of several families: the rows are written, so nothing has failed.
            if is_mended or not mend():
                log.warning("nudge lost, the sweep will find the rows", queue=queue, reason=str(error))
                return


def nudge_after_commit(queue: str) -> None:
    """The same, once the rows of this transaction can be seen."""
    transaction.on_commit(lambda: nudge(queue))


def sweep() -> int:
    """Nudge a worker for each queue with due work; how much is due. Notes that it ran."""
    note_run(SWEEP)
    found = 0
    for queue, kinds in queues().items():
        due = sum(map(_due, kinds))
        if due:
            nudge(queue)
        found += due
    return found


def _due(kind: type[Work]) -> int:
    """One kind that breaks keeps no other from being found; its worker is nudged as well."""
    with apart("looking for work broke", work=kind.name):
        return kind.sweep()
    return 1


def overdue(age: timedelta) -> dict[str, int]:
    """How many rows of each kind of work have been due for longer than `age`: no worker takes them."""
    return {kind.name: kind.overdue(age) for kinds in queues().values() for kind in kinds}
