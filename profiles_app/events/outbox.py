"""Telling what happened: events are written in the transaction of the change that they report.

Which listeners are told is found out afterwards (`matching`), by a worker, so that a change does not wait for it. Events
about profiles of every kind, made, changed and deleted, are taken from their history, wherever that was done.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, NamedTuple
from urllib.parse import urlencode
from uuid import UUID

from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction
from django.db.models import Model
from django.db.models.signals import post_delete
from django.dispatch import Signal
from django.utils import timezone

from contacts_app.accounts.models import Account, Extension
from contacts_app.contacts.models.contact import EventClass
from contacts_app.contacts.models.contact import register as register_classes
from contacts_app.contacts.notification import News, list_path, notify
from contacts_app.core.history.authorship import current_author, recorded
from contacts_app.core.lists.insert import insert_many
from contacts_app.core.lists.statement import Slot, Statement
from contacts_app.core.work.wake import nudge
from contacts_app.tokens.models import ApiToken
from profiles_app.events import tags
from profiles_app.events.models.outbox import Event
from profiles_app.events.models.setup import Listener

# The queue of the workers that match events and deliver them (`delivery_run`).
DELIVERIES = "deliveries"
BATCH = 1000
# As long as the key of an incident may be.
LONGEST_KEY = 128
# So much of events is read at a time, as it is stored (bytes).
MOST_AT_ONCE = 4 * 1024 * 1024
_JSON = DjangoJSONEncoder(ensure_ascii=False)


@dataclass(frozen=True)
class EventDraft:
    """What an event is made of. `data` becomes JSON: UUIDs and times may stand in it, secrets may not."""

    account: Account | None
    tags: Sequence[str]
    data_type: str
    data: Mapping[str, Any]
    data_object_uuid: UUID | None = None
    extension: Extension | None = None
    schedules: Sequence[int] = field(default=())
    # Where it is not the one that is being carried out: work is done for many requests together.
    request_id: str = ""


def within_memory(sizes: Iterable[tuple[int, int]]) -> list[int]:
    """Of keys with the sizes of their events' data the first ones that are read together: one at least.

    An event may be as large as a request, and a worker reads hundreds at a time.
    """
    keys: list[int] = []
    left = MOST_AT_ONCE
    for key, size in sizes:
        left -= size
        if keys and left < 0:
            break
        keys.append(key)
    return keys


def emit(
    *,
    account: Account | None,
    tags: Sequence[str],
    data_type: str,
    data: Mapping[str, Any],
    data_object_uuid: UUID | None = None,
    extension: Extension | None = None,
) -> Event:
    """Write one event. `tags` are among those of `tags`; without an account it is history alone."""
    return emit_many([EventDraft(account, tags, data_type, data, data_object_uuid, extension)])[0]


def emit_happened(*, signal: Signal, sender: Any, **draft: Any) -> None:
    """What the app below tells by its signal."""
    emit(**draft)


def emit_many(drafts: Sequence[EventDraft]) -> list[Event]:
    """Write many events, in their order, with two statements for each thousand of them."""
    if not drafts:
        return []
    accounts = {draft.account.pk for draft in drafts if draft.account}
    heard = _heard(accounts)
    now = timezone.now()
    events = [new_event(draft) for draft in drafts]
    for event in events:
        # Where nobody listens an event is history from the beginning.
        event.matched_at = None if event.account_id in heard else now
    with transaction.atomic():
        insert_many(events, batch_size=BATCH)
        if news := [each for one in drafts for each in news_of(one.account, one.tags, one.data)]:
            notify(*news)
        first = min((event.pk for event in events if event.matched_at is None), default=None)
        if first is not None:
            transaction.on_commit(lambda: _nudge_for(first))
    return events


def _heard(accounts: Collection[int]) -> set[int]:
    """Those of the accounts that have listeners. Of one, as mostly, by a statement that is kept."""
    if len(accounts) == 1:
        return {account for account in accounts if _listener().row(account)}
    return set(Listener.objects.filter(account__in=accounts).order_by().values_list("account", flat=True).distinct())


@cache
def _listener() -> Statement:
    return Statement(Listener.objects.order_by().filter(account=Slot()()).values_list("pk")[:1])


def new_event(draft: EventDraft) -> Event:
    """The row of an event, not stored."""
    return Event(
        account_id=draft.account.pk if draft.account else None,
        extension_id=draft.extension.pk if draft.extension else None,
        tags=list(dict.fromkeys(draft.tags)),
        data_type=draft.data_type,
        data_object_uuid=draft.data_object_uuid,
        stored_data=_JSON.encode(draft.data),
        schedules=list(draft.schedules),
        request_id=draft.request_id or current_author().request_id,
    )


def _nudge_for(first: int) -> None:
    # The worker that matches continues until nothing is left: with older events still unmatched it was nudged already.
    if not Event.objects.filter(matched_at=None, pk__lt=first).exists():
        nudge(DELIVERIES)


CHANGES = {"+": "created-profile", "~": "changed-profile", "-": "deleted-profile"}


def tell_of_profiles(kinds: Mapping[type[Model], str]) -> None:
    """Register the events of these models' profiles, which bear the tag of their model."""
    tags.register("profile", *kinds.values(), *CHANGES.values())
    for model, tag in kinds.items():
        _tell_of(model, tag)


def _tell_of(model: type[Model], tag: str) -> None:

    def told(*, instance: Any, change: str, changes: Mapping[str, Any], **_: Any) -> None:
        # A new profile gets its first revision in a second step.
        if change == "~" and set(changes) == {"revision"} and changes["revision"][0] is None:
            return
        if change != "-":
            _emit(instance, tag, change, sorted(changes))

    def deleted(*, instance: Any, origin: Any, **_: Any) -> None:
        # What goes with its account is no news: the account's events go too.
        if getattr(origin, "model", type(origin)) is not Account:
            _emit(instance, tag, "-", [])

    recorded.connect(told, sender=model, weak=False)
    post_delete.connect(deleted, sender=model, weak=False)


def _emit(profile: Any, tag: str, change: str, changed: list[str]) -> None:
    uuid = getattr(profile, "uuid", None)
    owner = profile if hasattr(profile, "account_id") else profile.user
    emit(
        account=owner.account,
        extension=getattr(profile, "extension", None),
        tags=["profile", tag, CHANGES[change]],
        data_type=tag,
        data={"id": profile.pk, "uuid": uuid, "name": profile.name, "changed": changed},
        data_object_uuid=uuid,
    )


class NewsRule(NamedTuple):
    """`title` and `detail` are filled with the event's data. `subject` names the field that says what it is about; the
    word `called` is that with the name before it, where there is one. `key` names more fields, where several things of
    one subject begin and end by themselves.
    """

    event_class: EventClass
    title: str
    detail: str = ""
    subject: str = "mac"
    over: bool = False
    # A field of the data; where it is filled, the event is told with another one.
    unless: str = ""
    key: Sequence[str] = ()
    # More fields for `title`, `detail` and `subject`, from those of the data.
    words: Callable[[Mapping[str, Any]], Mapping[str, str]] | None = None


rules: dict[str, NewsRule] = {}


def register_news(told: Mapping[str, NewsRule]) -> None:
    """Say what contacts are notified of when events bear these tags; called by the app that emits them."""
    rules.update(told)
    register_classes(*(rule.event_class for rule in told.values()))


def news_of(account: Account | None, tags: Sequence[str], data: Mapping[str, Any]) -> list[News]:
    """What an account's contacts are to be notified of an event, which is mostly nothing."""
    found = [rules[tag] for tag in tags if tag in rules]
    return [_news(account, rule, data) for rule in found if account and not data.get(rule.unless)]


def _news(account: Account, rule: NewsRule, data: Mapping[str, Any]) -> News:
    words = defaultdict(str, {name: "" if value is None else str(value) for name, value in data.items()})
    words.update(rule.words(data) if rule.words else {})
    subject = words[rule.subject]
    words["called"] = f"{words['name']} ({subject})" if words["name"] else subject
    return News(
        account=account,
        event_class=rule.event_class,
        title=rule.title.format_map(words),
        detail=rule.detail.format_map(words),
        path=f"{list_path(rule.event_class.page)}?{urlencode({'q': subject})}",
        key=" ".join([subject, *(words[name] for name in rule.key)])[:LONGEST_KEY],
        over=rule.over,
    )


TOKEN_CREATED = EventClass("token_created", "API tokens that were created", "API tokens", ApiToken, "created")
TOKEN_REVOKED = EventClass("token_revoked", "API tokens that were revoked", "API tokens", ApiToken, "revoked")
TOLD_OF_TOKENS = {
    "created-token": NewsRule(TOKEN_CREATED, "API token {name} ({key_id}…) was created", subject="key_id"),
    "revoked-token": NewsRule(TOKEN_REVOKED, "API token {name} ({key_id}…) was revoked", subject="key_id"),
}
