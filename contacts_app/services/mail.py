"""Mail to people: written in the caller's transaction, sent when that has been committed."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.template.loader import render_to_string
from django.utils import timezone

from contacts_app.core.work.wake import nudge_after_commit
from contacts_app.models import Account, Mail, NotificationContact

# The queue of the workers that send mail (`mail_sending`).
MAIL = "mail"
SUBJECT_LENGTH = Mail._meta.get_field("subject").max_length
# Where the link to unsubscribe stands in a body until it is sent. The name can never be anybody's (RFC 6761).
UNSUBSCRIBE_MARK = "https://unsubscribe.invalid/"
PRUNE_BATCH = 1000


def queue_mail(
    *,
    to: Iterable[str],
    template: str,
    context: Mapping[str, Any],
    account: Account | None = None,
    group: str | None = None,
    contact: NotificationContact | None = None,
    about: str = "",
) -> list[Mail]:
    """Write a mail to each of these addresses; they go out after the commit. Those that were written.

    `template` names a pair in `templates`: `mail/callback_failing` is `mail/callback_failing.txt`, whose first line
    is the subject, and `….html`. Times are shown in the account's time zone, and both know the
    portal's address as `portal`. The context must hold no secrets.
    An address that has a mail of the same `group` already gets no other, so that writing twice is writing once.
    With `contact` and `about` the mail can be unsubscribed from.
    """
    known = {"portal": settings.PUBLIC_URL, "unsubscribe_url": UNSUBSCRIBE_MARK if about else "", **context}
    with timezone.override(_zone_of(account)):
        subject, _, text = render_to_string(f"{template}.txt", known).strip().partition("\n")
        subject = " ".join(subject.split())
        html = render_to_string(f"{template}.html", known | {"subject": subject})
    now = timezone.now()
    addresses = list(dict.fromkeys(to))
    if group:
        # The constraint decides between writers at the same time.
        taken = set(Mail.objects.filter(group=group, to__in=addresses).values_list("to", flat=True))
        addresses = [address for address in addresses if address not in taken]
    mails = Mail.objects.bulk_create(
        [
            Mail(
                account=account,
                contact=contact,
                to=address,
                subject=subject[:SUBJECT_LENGTH],
                text=text.strip() + "\n",
                html=html,
                about=about,
                group=group or "",
                next_attempt_at=now,
            )
            for address in addresses
        ],
        ignore_conflicts=bool(group),
    )
    if mails:
        nudge_after_commit(MAIL)
    return mails


def _zone_of(account: Account | None) -> ZoneInfo:
    try:
        return ZoneInfo(account.time_zone if account else "UTC")
    except (KeyError, ValueError, OSError):
        # Nobody checks what is entered; a name that is none costs the hours, not the mail.
        return ZoneInfo("UTC")


@transaction.atomic
def resend_mail(mail: Mail) -> Mail:
    """Send the same words again as a mail of their own; the first one stays on record."""
    again = Mail.objects.create(
        account=mail.account,
        contact=mail.contact,
        to=mail.to,
        subject=mail.subject,
        text=mail.text,
        html=mail.html,
        about=mail.about,
        next_attempt_at=timezone.now(),
    )
    nudge_after_commit(MAIL)
    return again


def old_mails(older_than: datetime) -> QuerySet[Mail]:
    """Mails that were written before that and are done with."""
    return Mail.objects.exclude(state=Mail.State.QUEUED).filter(created_at__lt=older_than)


def prune_mails(older_than: datetime, tell: Callable[[int], None] = lambda count: None) -> int:
    """Delete old mails in batches; how many. `tell` hears of every batch how many there have been."""
    keys = old_mails(older_than).order_by("created_at").values_list("pk", flat=True)
    deleted = 0
    while batch := list(keys[:PRUNE_BATCH]):
        deleted += Mail.objects.filter(pk__in=batch).delete()[0]
        tell(deleted)
    return deleted
