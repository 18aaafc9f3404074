"""Celery's way in: a few lines each, no rules. Losing any message loses no work."""

from celery import shared_task

from contacts_app.services import mail_sending, notice_mail


@shared_task(ignore_result=True)
def send_due_mail() -> None:
    """Send whatever mail is due, and make mails of lines that are."""
    notice_mail.mail_due_notices()
    mail_sending.send_due_mail()
