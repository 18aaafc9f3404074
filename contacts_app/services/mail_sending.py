"""Sending queued mail: claim due rows, hand them to the mail server, write down what it said.

At least once: a worker that dies between the two sends again when its lease has run out, under the same Message-ID.
"""

import smtplib
import time
import uuid
from datetime import datetime, timedelta
from email.errors import MessageError
from email.utils import formatdate, parseaddr

import structlog
from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db import connection as database
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from contacts_app.models import Mail
from contacts_app.services.mail import SEND, UNSUBSCRIBE_MARK
from contacts_app.services.notice_mail import due_notices
from contacts_app.services.nudge import nudge
from contacts_app.services.unsubscribe import unsubscribe_url

log = structlog.get_logger(__name__)
BATCH = 100
LEASE = timedelta(minutes=5)
# A worker begins no mail when its lease could end before the server has answered to every command of it.
LAST_START = LEASE.total_seconds() - 120
# When the server cannot be reached at all, nothing else is tried there for this long.
SERVER_PAUSE = timedelta(minutes=1)
FIRST_PAUSE, LONGEST_PAUSE = timedelta(minutes=1), timedelta(hours=1)
# RFC 5321 §4.5.4.1: give up after four to five days.
GIVE_UP = timedelta(days=4)


class Refused(Exception):
    """The mail server will not take this mail, today or ever."""


def sweep_mail() -> int:
    """Find mails, and lines for them, that are due although no worker was told; how many there are."""
    due = _due().count() + due_notices().count()
    if due:
        nudge(SEND)
    return due


def send_due_mail() -> int:
    """Send what is due; how many mails were handed over or given up."""
    done = 0
    while keys := _claim(owner := uuid.uuid4().hex):
        done += _send_claimed(keys, owner)
        if Mail.objects.filter(lease_owner=owner).exists():
            # The server went away, or was too slow for one lease: let go, and the sweep comes back.
            _let_go(owner)
            break
    return done


def _due() -> QuerySet[Mail]:
    now = timezone.now()
    return Mail.objects.filter(state=Mail.State.QUEUED, next_attempt_at__lte=now).filter(
        Q(lease_owner="") | Q(lease_until__lt=now)
    )


@transaction.atomic
def _claim(owner: str) -> list[int]:
    # SQLite knows no row locks and needs none: its transactions follow one another.
    due = _due().order_by("next_attempt_at", "pk")
    if database.features.has_select_for_update_skip_locked:
        due = due.select_for_update(skip_locked=True)
    keys = list(due.values_list("pk", flat=True)[:BATCH])
    if keys:
        Mail.objects.filter(pk__in=keys).update(lease_owner=owner, lease_until=timezone.now() + LEASE)
    return keys


def _send_claimed(keys: list[int], owner: str) -> int:
    """Send these one after the other through one connection, which is opened anew after every failure."""
    started, done = time.monotonic(), 0
    server = get_connection()
    try:
        for pk in keys:
            if time.monotonic() - started > LAST_START:
                break
            mail = Mail.objects.select_related("contact").filter(pk=pk).first()
            if mail is None:
                continue
            try:
                server.open()
            except OSError as error:
                # SMTPException is an OSError: names that do not resolve, refusals, time-outs, failed logins.
                _wait_for_server(mail, owner, error)
                break
            done += _send_one(mail, owner, server)
    finally:
        _close(server)
    return done


def _send_one(mail: Mail, owner: str, server: BaseEmailBackend) -> bool:
    """Whether the mail is done with."""
    now = timezone.now()
    held = Mail.objects.filter(pk=mail.pk, lease_owner=owner, state=Mail.State.QUEUED)
    if not held.update(attempts=F("attempts") + 1):
        return False
    ended = {"lease_owner": "", "lease_until": None, "finished_at": now}
    try:
        _hand_over(mail, server)
    except Refused as refusal:
        log.warning("mail refused", mail=str(mail.uuid), reason=str(refusal))
        held.update(state=Mail.State.FAILED, error=str(refusal), **ended)
        return True
    except Exception as error:
        # Whatever it was, it must not keep the mails behind this one.
        log.warning("mail not sent", mail=str(mail.uuid), exc_info=not isinstance(error, OSError))
        _close(server)
        return _try_later(mail, held, error, now)
    held.update(state=Mail.State.SENT, error="", **ended)
    return True


def _hand_over(mail: Mail, server: BaseEmailBackend) -> None:
    """Raises Refused when there is no use in trying again, something else when there is."""
    try:
        server.send_messages([message_of(mail)])
    except smtplib.SMTPRecipientsRefused as error:
        code, said = next(iter(error.recipients.values()))
        if code >= 500:
            raise Refused(_answer(code, said)) from error
        raise
    except smtplib.SMTPDataError as error:
        if error.smtp_code >= 500:
            raise Refused(_answer(error.smtp_code, error.smtp_error)) from error
        raise
    except (ValueError, MessageError) as error:
        raise Refused(f"This is no address that mail can be sent to: {error}") from error


def message_of(mail: Mail) -> EmailMultiAlternatives:
    """The message as it goes out: the same Message-ID and date however often it is sent."""
    text, html = mail.text, mail.html
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or "localhost"
    headers = {
        "Message-ID": f"<{mail.uuid}@{domain}>",
        "Date": formatdate(mail.created_at.timestamp()),
        "Auto-Submitted": "auto-generated",  # RFC 3834: no holiday replies to a program.
    }
    if mail.contact and mail.about:
        url = unsubscribe_url(mail.contact, mail.about)
        text, html = text.replace(UNSUBSCRIBE_MARK, url), html.replace(UNSUBSCRIBE_MARK, url)
        # RFC 8058: mailboxes show a button of their own that posts to this address.
        headers |= {"List-Unsubscribe": f"<{url}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
    message = EmailMultiAlternatives(mail.subject, text, to=[mail.to], headers=headers)
    if html:
        message.attach_alternative(html, "text/html")
    return message


def _try_later(mail: Mail, held: QuerySet[Mail], error: Exception, now: datetime) -> bool:
    """Whether it was given up instead."""
    free = {"error": words_of(error), "lease_owner": "", "lease_until": None}
    if now - mail.created_at > GIVE_UP:
        held.update(state=Mail.State.FAILED, finished_at=now, **free)
        return True
    pause = min(FIRST_PAUSE * 2 ** min(mail.attempts, 10), LONGEST_PAUSE)
    held.update(next_attempt_at=now + pause, **free)
    return False


def _wait_for_server(mail: Mail, owner: str, error: OSError) -> None:
    """No mail is to blame: all that are due rest, so that a server that is away costs one attempt a minute."""
    log.warning("mail server not reached", reason=words_of(error))
    now = timezone.now()
    _try_later(mail, Mail.objects.filter(pk=mail.pk, lease_owner=owner), error, now)
    queued = Mail.objects.filter(state=Mail.State.QUEUED, next_attempt_at__lte=now)
    queued.update(next_attempt_at=now + SERVER_PAUSE, error=words_of(error))


def _let_go(owner: str) -> None:
    Mail.objects.filter(lease_owner=owner).update(lease_owner="", lease_until=None)


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
