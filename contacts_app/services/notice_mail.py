"""One mail of all lines that a contact is to be told of one class: they are counted, and the first ones are shown."""

from collections import Counter
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone

from contacts_app.models import EventClass, Mail, Notice, NotificationContact
from contacts_app.models.event_class import CLASSES
from contacts_app.services.mail import queue_mail
from contacts_app.services.notification import contacts_told_of

MOST_LINES = 20
# So many mails are written by one call; the next one goes on.
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
        _queue(contact, EventClass(event_class), shown, Counter(over for _, over in lines))
    return wanted


def _next_mail_at(contact: NotificationContact, event_class: str) -> datetime | None:
    """When the contact may get the next mail of the class; None: now."""
    lately = Mail.objects.filter(
        contact=contact, about=event_class, created_at__gt=timezone.now() - HOUR
    ).order_by("-created_at")
    limit = max(1, settings.NOTIFICATION_MAILS_PER_HOUR)
    nth = lately.values_list("created_at", flat=True)[limit - 1 : limit].first()
    return nth and nth + HOUR


def _queue(
    contact: NotificationContact, event_class: EventClass, shown: list[Notice], count: Counter[bool]
) -> None:
    words = CLASSES[event_class]
    parts = [
        f"{count[over]} {word}" for over, word in ((False, words.happened), (True, words.over)) if count[over]
    ]
    heading = shown[0].title if count.total() == 1 else f"{words.topic}: {', '.join(parts)}"
    queue_mail(
        to=[contact.email],
        template="mail/notices",
        context={
            "heading": heading,
            "notices": shown,
            "more": count.total() - len(shown),
            "path": reverse(f"admin:{words.page}_changelist"),
        },
        account=contact.account,
        contact=contact,
        about=event_class,
    )
