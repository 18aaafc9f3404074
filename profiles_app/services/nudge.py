"""Waking a worker to deliver. The rows are the truth: a nudge that gets lost costs time until the next sweep."""

import structlog
from celery import current_app
from django.db import transaction
from kombu.exceptions import KombuError

log = structlog.get_logger(__name__)


def nudge_after_commit() -> None:
    """Wake a worker for all due deliveries once the rows of this transaction can be seen."""
    transaction.on_commit(nudge)


def nudge() -> None:
    try:
        # A signature, because send_task would ignore eager mode.
        current_app.signature("profiles_app.tasks.deliver_due").apply_async()
    except (KombuError, OSError) as error:
        log.warning("nudge lost, the sweep will find the rows", reason=str(error))
