"""Waking a worker. The rows are the truth: a nudge that gets lost costs time until the next sweep, nothing else."""

import structlog
from celery import current_app
from django.db import transaction

log = structlog.get_logger(__name__)


def nudge_after_commit(task: str) -> None:
    """Have a worker look for due rows once those of this transaction can be seen."""
    transaction.on_commit(lambda: nudge(task))


def nudge(task: str) -> None:
    try:
        # A signature, because send_task would ignore eager mode.
        current_app.signature(task).apply_async()
    except Exception as error:
        # Whatever the broker's client raises, of which there are several: the rows are written, so nothing has failed.
        log.warning("nudge lost, the sweep will find the rows", task=task, reason=str(error))
