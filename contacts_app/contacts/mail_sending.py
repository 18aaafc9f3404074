"""Sending queued mail: claim due rows, hand them to the mail server, write down what it said.

At least once: a worker that dies between the two sends again when its lease has run out, under the same Message-ID.
"""

import smtplib
from collections.abc import Sequence
from datetime import datetime, timedelta
from email.errors import MessageError
from email.utils import formatdate, parseaddr

import structlog
from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db.models import F, QuerySet
from django.utils import timezone

from contacts_app.contacts.mail import MAIL, UNSUBSCRIBE_MARK, due_notices, links_at_sending, mail_due_notices
from contacts_app.contacts.models.mail import Mail
from contacts_app.contacts.services import unsubscribe_url
from contacts_app.core.work.kind import Work
from contacts_app.core.work.lease import no_live_lease

log = structlog.get_logger(__name__)
# When the server cannot be reached at all, nothing else is tried there for this long.
SERVER_PAUSE = timedelta(minutes=1)
FIRST_PAUSE, LONGEST_PAUSE = timedelta(minutes=1), timedelta(hours=1)
# Ways to send (settings.EMAIL_BACKEND) by which a mail gets to nobody: said at the mail, which is not listed as sent.
TO_NOBODY = {
    "django.core.mail.backends.console.EmailBackend": "Written to the worker's output, not sent: EMAIL_URL is not set.",
    "django.core.mail.backends.dummy.EmailBackend": "Not sent: EMAIL_URL names no mail server.",
    "django.core.mail.backends.filebased.EmailBackend": "Written to a file, not sent: EMAIL_URL names a folder.",
}
# RFC 5321 §4.5.4.1: give up after four to five days.
GIVE_UP = timedelta(days=4)


class MailRefused(Exception):
    """The mail server will not take this mail, today or ever."""


class Mails(Work):
    """Sending due mail, many through one connection; and before that, making mails of the lines that are due."""

    name = queue = MAIL
    model = Mail
    batch = 100

    @classmethod
    def due(cls) -> QuerySet[Mail]:
        rows = Mail.objects.filter(no_live_lease(), next_attempt_at__lte=timezone.now())
        return rows.filter(state=Mail.State.QUEUED)

    @classmethod
    def sweep(cls) -> int:
        return super().sweep() + due_notices().count()

    def prepare(self) -> int:
        return mail_due_notices()

    def do(self, keys: Sequence[int]) -> None:
        _send_claimed(keys, self.owner)
        # After a server that went away.
        self.let_go(keys)


def _send_claimed(keys: Sequence[int], owner: str) -> None:
    """Send these one after the other through one connection, which is opened anew after every failure."""
    server = get_connection()
    try:
        for pk in keys:
            mail = Mail.objects.select_related("contact").filter(pk=pk).first()
            if mail is None:
                continue
            try:
                server.open()
            except OSError as error:
                # SMTPException is an OSError: names that do not resolve, refusals, time-outs, failed logins.
                _wait_for_server(mail, owner, error)
                break
            _send_one(mail, owner, server)
    finally:
        _close(server)


def _send_one(mail: Mail, owner: str, server: BaseEmailBackend) -> None:
    now = timezone.now()
    held = Mail.objects.filter(pk=mail.pk, lease_owner=owner, state=Mail.State.QUEUED)
    if not held.update(attempts=F("attempts") + 1):
        return
    ended = {"lease_owner": "", "lease_until": None, "finished_at": now}
    try:
        _hand_over(mail, server)
    except MailRefused as refusal:
        log.warning("mail refused", mail=str(mail.uuid), reason=str(refusal))
        held.update(state=Mail.State.FAILED, error=str(refusal), **ended)
    except Exception as error:
        # Whatever it was, it must not keep the mails behind this one.
        log.warning("mail not sent", mail=str(mail.uuid), exc_info=not isinstance(error, OSError))
        _close(server)
        _try_later(mail, held, error, now)
    else:
        held.update(state=Mail.State.SENT, error=TO_NOBODY.get(settings.EMAIL_BACKEND, ""), **ended)


def _hand_over(mail: Mail, server: BaseEmailBackend) -> None:
    """Raises MailRefused when there is no use in trying again, something else when there is."""
    try:
        server.send_messages([message_of(mail)])
    except smtplib.SMTPRecipientsRefused as error:
        code, said = next(iter(error.recipients.values()))
        if code >= 500:
            raise MailRefused(_answer(code, said)) from error
        raise
    except smtplib.SMTPDataError as error:
        if error.smtp_code >= 500:
            raise MailRefused(_answer(error.smtp_code, error.smtp_error)) from error
        raise
    except (ValueError, MessageError) as error:
        raise MailRefused(f"This is no address that mail can be sent to: {error}") from error


def message_of(mail: Mail) -> EmailMultiAlternatives:
    """The message as it goes out: the same Message-ID and date however often it is sent."""
    text, html = mail.text, mail.html
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or "localhost"
    headers = {
        "Message-ID": f"<{mail.uuid}@{domain}>",
        "Date": formatdate(mail.created_at.timestamp()),
        "Auto-Submitted": "auto-generated",  # RFC 3834: no holiday replies to a program.
    }
    if mail.about:
        if mail.contact is None:
            raise MailRefused("The contact that this was for is not there any more.")
        url = unsubscribe_url(mail.contact, mail.about)
        text, html = text.replace(UNSUBSCRIBE_MARK, url), html.replace(UNSUBSCRIBE_MARK, url)
        # RFC 8058: mailboxes show a button of their own that posts to this address.
        headers |= {"List-Unsubscribe": f"<{url}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
    for mark, link in links_at_sending.items():
        if mark in text:
            found = link(mail)
            if found is None:
                raise MailRefused("What the link is for is not there any more.")
            text, html = text.replace(mark, found), html.replace(mark, found)
    message = EmailMultiAlternatives(mail.subject, text, to=[mail.to], headers=headers)
    if html:
        message.attach_alternative(html, "text/html")
    return message


def _try_later(mail: Mail, held: QuerySet[Mail], error: Exception, now: datetime) -> None:
    """Or give it up, once it has been tried for days."""
    free = {"error": words_of(error), "lease_owner": "", "lease_until": None}
    if now - mail.created_at > GIVE_UP:
        held.update(state=Mail.State.FAILED, finished_at=now, **free)
        return
    pause = min(FIRST_PAUSE * 2 ** min(mail.attempts, 10), LONGEST_PAUSE)
    held.update(next_attempt_at=now + pause, **free)


def _wait_for_server(mail: Mail, owner: str, error: OSError) -> None:
    """No mail is to blame: all that are due rest, so that a server that is away costs one attempt a minute."""
    log.warning("mail server not reached", reason=words_of(error))
    now = timezone.now()
    _try_later(mail, Mail.objects.filter(pk=mail.pk, lease_owner=owner), error, now)
    queued = Mail.objects.filter(state=Mail.State.QUEUED, next_attempt_at__lte=now)
    queued.update(next_attempt_at=now + SERVER_PAUSE, error=words_of(error))


def _close(server: BaseEmailBackend) -> None:
    try:
        server.close()
    except OSError:
        log.info("the mail server hung up first")


def _answer(code: int, said: bytes | str) -> str:
    words = said.decode(errors="replace") if isinstance(said, bytes) else said
    return f"{code} {words}"


def words_of(error: Exception) -> str:
    """What went wrong, in the words of the mail server if it said any."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return _answer(*next(iter(error.recipients.values())))
    if isinstance(error, smtplib.SMTPResponseException):
        return _answer(error.smtp_code, error.smtp_error)
    return str(error) or type(error).__name__
