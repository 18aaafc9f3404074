"""Celery's way in: a few lines each, no rules. Losing any message loses no work."""

from celery import shared_task

from contacts_app.services import mail_sending


@shared_task(ignore_result=True)
def send_due_mail() -> None:
    """Send whatever mail is due."""
    mail_sending.send_due_mail()
