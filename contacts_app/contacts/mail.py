"""Mail to people: written in the caller's transaction, sent when that has been committed.

A contact gets one mail of all lines of one class: they are counted, and the first ones are shown.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.template.loader import render_to_string
from django.utils import timezone

from contacts_app.accounts.models import Account
from contacts_app.contacts.models.contact import NotificationContact, event_classes
from contacts_app.contacts.models.mail import Mail, Notice
from contacts_app.contacts.notification import contacts_told_of, list_path
from contacts_app.core.retention import Retention
from contacts_app.core.work.wake import nudge_after_commit
from contacts_app.people.zones import zone_of_account

# The queue of the workers that send mail (`mail_sending`).
MAIL = "mail"
SUBJECT_LENGTH = Mail._meta.get_field("subject").max_length
# Where the link to unsubscribe stands in a body until it is sent. The name can never be anybody's (RFC 6761).
UNSUBSCRIBE_MARK = "https://unsubscribe.invalid/"
PRUNE_BATCH = 1000
# Marks of other links that are secrets, each with what makes the link when the mail is sent; None: it is not sent.
links_at_sending: dict[str, Callable[[Mail], str | None]] = {}


def register_link(mark: str, link: Callable[[Mail], str | None]) -> None:
    """Have `mark` in bodies replaced by a link at the moment of sending, so that it is stored nowhere."""
    links_at_sending[mark] = link


def queue_mail(
    *,
    to: Iterable[str],
    template: str,
    context: Mapping[str, object],
    account: Account | None = None,
    group: str | None = None,
    contact: NotificationContact | None = None,
    about: str = "",
) -> list[Mail]:
    """Write a mail to each of these addresses; they go out after the commit. Those that were written.

    `template` names a pair in `templates`, such as `contacts_app/contacts/mail/notices`: `….txt`, whose first line is the
    subject, and `….html`. Times are shown in the account's time zone, and both know the portal's address as `portal`. The
    context must hold no secrets: `register_link` has links that are.
    An address that has a mail of the same `group` already gets no other, so that writing twice is writing once.
    With `contact` and `about` the mail can be unsubscribed from.
    """
    known = {"portal": settings.PUBLIC_URL, "unsubscribe_url": UNSUBSCRIBE_MARK if about else "", **context}
    with timezone.override(zone_of_account(account)):
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


@transaction.atomic
def resend_mail(mail: Mail) -> Mail:
    """Send the same words again as a mail of their own; the first one stays on record."""
    same = {name: getattr(mail, name) for name in ("account", "contact", "to", "subject", "text", "html", "about")}
    again = Mail.objects.create(**same, next_attempt_at=timezone.now())
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


MAILS = Retention(
    "mails",
    "KEEP_MAILS_DAYS",
    lambda before: {"mails": old_mails(before).count()},
    lambda before, tell: {"mails": prune_mails(before, tell)},
)

MOST_LINES = 20
# The largest number of mails written by one call; the next call writes the rest.
BATCH = 500
HOUR = timedelta(hours=1)


def due_notices() -> QuerySet[Notice]:
    return Notice.objects.filter(due_at__lte=timezone.now())


def mail_due_notices() -> int:
    """Write the mails that are due; how many. Lines that are not due yet go along with those that are."""
    groups = due_notices().order_by().values_list("contact", "event_class").distinct()
    return sum(_mail(contact, event_class) for contact, event_class in list(groups[:BATCH]))


@transaction.atomic
def _mail(contact_key: int, event_class: str) -> bool:
    # The lock lets one of several workers write the mail.
    contact = NotificationContact.objects.select_for_update().filter(pk=contact_key).first()
    pending = Notice.objects.filter(contact=contact_key, event_class=event_class)
    lines = list(pending.order_by("pk").values_list("pk", "over"))
    if contact is None or not lines:
        return False
    wanted = contact.pk in contacts_told_of(contact.account_id, event_class)
    if wanted and (later := _next_mail_at(contact, event_class)):
        pending.update(due_at=later)
        return False
    shown = list(pending.order_by("pk")[:MOST_LINES])
    for start in range(0, len(lines), BATCH):
        # By their keys: a line that is written meanwhile is for the next mail.
        Notice.objects.filter(pk__in=[pk for pk, _ in lines[start : start + BATCH]]).delete()
    if wanted:
        _queue(contact, event_class, shown, Counter(over for _, over in lines))
    return wanted


def _next_mail_at(contact: NotificationContact, event_class: str) -> datetime | None:
    """When the contact may get the next mail of the class; None: now."""
    lately = Mail.objects.filter(contact=contact, about=event_class, created_at__gt=timezone.now() - HOUR).order_by(
        "-created_at"
    )
    limit = max(1, settings.NOTIFICATION_MAILS_PER_HOUR)
    nth = lately.values_list("created_at", flat=True)[limit - 1 : limit].first()
    return nth and nth + HOUR


def _queue(contact: NotificationContact, event_class: str, shown: list[Notice], count: Counter[bool]) -> None:
    words = event_classes[event_class]
    parts = [f"{count[over]} {word}" for over, word in ((False, words.happened), (True, words.over)) if count[over]]
    heading = shown[0].title if count.total() == 1 else f"{words.topic}: {', '.join(parts)}"
    queue_mail(
        to=[contact.email],
        template="contacts_app/contacts/mail/notices",
        context={
            "heading": heading,
            "notices": shown,
            "more": count.total() - len(shown),
            "path": list_path(words.page),
        },
        account=contact.account,
        contact=contact,
        about=event_class,
    )
