"""Webhooks of other subjects: callbacks that no listener names, which get the events that are written for them.

A webhook is known by its URLs, so the first event for them makes its callback. It is delivered to, signed, tried again,
rested and switched off as every callback is; what it gets is the event's data alone, without the envelope of listeners.
"""

from collections.abc import Iterable
from urllib.parse import urlsplit

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone
from django.utils.crypto import salted_hmac

from contacts_app.accounts.models import Account
from contacts_app.core.history.records import change_recorded
from contacts_app.core.work.wake import nudge_after_commit
from profiles_app.events.callback_config import target_of
from profiles_app.events.matching import DeliveryTarget, Routes, new_delivery, write_deliveries
from profiles_app.events.models.outbox import Delivery, Event
from profiles_app.events.models.setup import Callback, Listener
from profiles_app.events.outbox import DELIVERIES

LONGEST_NAME = 128
# With its number instead of a webhook's key: no event finds it any more.
RETIRED = "retired "


def key_of(*, owner: str, url: str, url2: str = "") -> str:
    return salted_hmac("profiles_app.webhook", f"{owner}\n{url}\n{url2}", algorithm="sha256").hexdigest()


def webhook(*, account: Account, owner: str, name: str, url: str, url2: str = "", secret: str) -> Callback:
    """The callback for these URLs of an `owner`, the second one being its fallback; made when it is first needed."""
    key = key_of(owner=owner, url=url, url2=url2)
    if known := Callback.objects.filter(account=account, webhook_key=key).first():
        return known
    fallback = webhook(account=account, owner=owner, name=name, url=url2, secret=secret) if url2 else None
    mode = Callback.Mode.HTTPS if urlsplit(url).scheme == "https" else Callback.Mode.HTTP
    config = {"url": url, "method": "POST"}
    made = Callback(name=name[:LONGEST_NAME], mode=mode, target=target_of(mode, config), fallback_callback=fallback)
    made.config, made.signing_secret = config, secret
    fields = {field: getattr(made, field) for field in ("name", "mode", "target", "fallback_callback", "stored_config")}
    found, _ = Callback.objects.get_or_create(
        account=account, webhook_key=key, defaults={**fields, "signing_secret": secret}
    )
    return found


@transaction.atomic
def post_events(events: Iterable[tuple[Event, Callback]]) -> None:
    """Deliver each event to its webhook, in the order of the events, beside whatever listeners get."""
    pairs = list(events)
    if not pairs:
        return
    now = timezone.now()
    routes = Routes({callback.account_id for _, callback in pairs})
    targets = {callback.pk: routes.destination(callback.pk) for _, callback in pairs}
    deliveries = [
        # One that is switched off, without a fallback, says so in each delivery.
        new_delivery(event, targets[callback.pk] or DeliveryTarget(callback.pk, 0), None, now)
        for event, callback in pairs
    ]
    write_deliveries(deliveries, now)
    nudge_after_commit(DELIVERIES)


def idle_webhooks() -> QuerySet[Callback]:
    """Webhooks without a delivery on record, because their events are too old, and that nothing else needs.

    What a person has disabled is to stay so.
    """
    uses = (
        Delivery.objects.filter(callback=OuterRef("pk")),
        Callback.objects.filter(fallback_callback=OuterRef("pk")),
        Listener.objects.filter(callback=OuterRef("pk")),
    )
    rows = Callback.objects.exclude(webhook_key="").exclude(enabled=False, disabled_at=None)
    for one in uses:
        rows = rows.exclude(Exists(one))
    return rows


def retired_webhooks() -> QuerySet[Callback]:
    """Webhooks that may be deleted: an earlier run retired them, and workers that had found them before have ended."""
    return idle_webhooks().filter(webhook_key__startswith=RETIRED)


def retire_webhooks(keys: Iterable[int]) -> None:
    """Events for their URLs no longer find these webhooks; the next one makes a new webhook."""
    changes = {key: {"webhook_key": f"{RETIRED}{key}"} for key in keys}
    change_recorded(Callback.objects.all(), changes, ["webhook_key"])
