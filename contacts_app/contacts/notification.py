"""Notifies an account's contacts of what happened: who subscribed, and that an incident and its end are reported once.

Nothing is mailed here. A line is written for each contact, and `mail_due_notices` makes one mail of those that are due.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Model, QuerySet
from django.urls import reverse
from django.utils import timezone

from contacts_app.accounts.models import Account
from contacts_app.contacts.models.contact import EventClass, NotificationContact, is_told_by_default
from contacts_app.contacts.models.mail import Incident, Notice
from contacts_app.core.lists.statement import Slot, Statement

BATCH = 500
TITLE_LENGTH = 255
DETAIL_LENGTH = 4000


@dataclass(frozen=True)
class News:
    """Something to tell, without secrets.

    `key` names what does not work (a MAC address, a UUID), for classes that can recover; `over` says that it works
    again. `path` leads to the page of the portal that shows more.
    """

    account: Account
    event_class: EventClass
    title: str
    detail: str = ""
    path: str = ""
    key: str = ""
    over: bool = False


def list_path(model: type[Model]) -> str:
    """Where the admin lists a model."""
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


@transaction.atomic
def notify(*news: News) -> int:
    """Tell all of it, with a few statements for each account, class and thousand; how many lines were written."""
    alike: dict[tuple[int, EventClass, bool], list[News]] = defaultdict(list)
    for item in news:
        if item.account.is_active:
            alike[item.account.pk, item.event_class, item.over].append(item)
    # In one order, as by their keys below, so that no two processes wait for each other.
    order = sorted(alike, key=lambda one: (one[0], one[1].name, one[2]))
    return sum(
        _tell(account, event_class, over, alike[account, event_class, over]) for account, event_class, over in order
    )


def contacts_told_of(account: int, event_class: str) -> set[int]:
    """The keys of the account's contacts that want to be told."""
    contacts = NotificationContact.objects.filter(account=account)
    decided = dict(contacts.filter(preferences__type=event_class).values_list("pk", "preferences__value"))
    default = is_told_by_default(event_class)
    return {pk for pk in contacts.order_by().values_list("pk", flat=True) if decided.get(pk, default)}


def _tell(account: int, event_class: EventClass, over: bool, items: list[News]) -> int:
    if not event_class.over:
        wanting = contacts_told_of(account, event_class.name)
        return _write((contact, item) for item in items for contact in wanting)
    by_key = {item.key: item for item in items}
    if over and len(by_key) == 1 and not _incident().row(account, event_class.name, *by_key):
        return 0  # as mostly: what works has worked before
    known = Incident.objects.filter(account=account, event_class=event_class.name, key__in=by_key)
    return _end(account, event_class, by_key, known) if over else _begin(account, event_class, by_key, known)


@cache
def _incident() -> Statement:
    """That of an account, of a class and with a key."""
    rows = Incident.objects.order_by().filter(account=Slot()()).filter(event_class=Slot()()).filter(key=Slot()())
    return Statement(rows.values_list("pk")[:1])


def _begin(account: int, event_class: EventClass, by_key: dict[str, News], known: Iterable[Incident]) -> int:
    for incident in known:
        del by_key[incident.key]
    if not by_key:
        return 0
    # One that another process begins at this moment is waited for, and is then this transaction's as well: the update
    # changes nothing but locks the row.
    begun = Incident.objects.bulk_create(
        [
            Incident(
                account_id=account,
                event_class=event_class.name,
                key=key,
                title=item.title[:TITLE_LENGTH],
                path=item.path,
            )
            for key, item in sorted(by_key.items())
        ],
        batch_size=BATCH,
        update_conflicts=True,
        unique_fields=["account", "event_class", "key"],
        update_fields=["event_class"],
    )
    news = {incident.pk: by_key[incident.key] for incident in begun}
    wanting = contacts_told_of(account, event_class.name)
    return _write((contact, news[pk]) for pk, contact in _not_told([(pk, each) for pk in news for each in wanting]))


def _not_told(pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The new ones of these pairs of a locked incident and a contact; they are recorded as told."""
    told: Any = Incident.told.through
    of_these = told.objects.filter(incident__in={incident for incident, _ in pairs})
    known = set(of_these.values_list("incident", "notificationcontact"))
    new = [pair for pair in pairs if pair not in known]
    told.objects.bulk_create(
        [told(incident_id=incident, notificationcontact_id=contact) for incident, contact in new], batch_size=BATCH
    )
    return new


def _end(account: int, event_class: EventClass, by_key: dict[str, News], known: "QuerySet[Incident]") -> int:
    # One that another process ends at this moment is waited for, and is none any more.
    ended = {incident.pk: by_key[incident.key] for incident in known.select_for_update().order_by("key")}
    if not ended:
        return 0
    # Who was told and has unsubscribed since is not told.
    wanting = contacts_told_of(account, event_class.name)
    told: Any = Incident.told.through
    pairs = list(told.objects.filter(incident__in=ended).values_list("incident", "notificationcontact"))
    Incident.objects.filter(pk__in=ended).delete()
    return _write((contact, ended[incident]) for incident, contact in pairs if contact in wanting)


@transaction.atomic
def tell_of_what_lasts(contacts: Iterable[int], event_class: EventClass) -> int:
    """Tell contacts that want to be told from now on of what does not work since before; how many lines were written."""
    accounts = dict(NotificationContact.objects.filter(pk__in=contacts).values_list("pk", "account_id"))
    lasting = Incident.objects.filter(event_class=event_class.name, account__in=set(accounts.values()))
    rows = lasting.select_for_update(of=("self",)).select_related("account").order_by("account_id", "key")
    by_pk = {incident.pk: incident for incident in rows}
    new = _not_told(
        [
            (incident.pk, contact)
            for contact, account in accounts.items()
            for incident in by_pk.values()
            if incident.account_id == account
        ]
    )
    return _write((contact, _news_of(by_pk[incident], event_class)) for incident, contact in new)


def _news_of(incident: Incident, event_class: EventClass) -> News:
    title = incident.title or f"{event_class.topic}: {incident.key}"
    detail = f"It has lasted since {incident.since:%Y-%m-%d %H:%M} UTC."
    return News(incident.account, event_class, title, detail, incident.path)


def _write(lines: Iterable[tuple[int, News]]) -> int:
    due = timezone.now() + timedelta(seconds=settings.NOTIFICATION_WINDOW_SECONDS)
    rows = [
        Notice(
            contact_id=contact,
            event_class=item.event_class.name,
            over=item.over,
            title=item.title[:TITLE_LENGTH],
            detail=item.detail[:DETAIL_LENGTH],
            path=item.path,
            due_at=due,
        )
        for contact, item in lines
    ]
    Notice.objects.bulk_create(rows, batch_size=BATCH)
    return len(rows)
