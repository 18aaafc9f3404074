"""Celery's way in: a few lines each, no rules. Losing any message loses no work."""

from celery import shared_task

from profiles_app.services import delivery_run, inbound_message


@shared_task(ignore_result=True)
def deliver_message(pk: int) -> None:
    """Post an inbound message to its webhook."""
    inbound_message.deliver_message(pk)


@shared_task(ignore_result=True)
def deliver_due() -> None:
    """Find out who is told of new events, and deliver whatever is due."""
    delivery_run.deliver_due()
