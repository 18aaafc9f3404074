"""For how long messages are kept, and what the doctor says of an outbox that stands still (sending spec §7)."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet

from contacts_app.core.counted import counted
from contacts_app.core.doctor.checks import Defect, HealthCheck
from contacts_app.core.retention import Counts, Retention, Tell
from contacts_app.core.work import clock
from profiles_app.events.models.setup import Callback
from profiles_app.events.webhooks import RETIRED, idle_webhooks, retire_webhooks, retired_webhooks
from profiles_app.messaging.models import InboundMessage, MessagingProfile
from profiles_app.messaging.sending.message_events import webhook_keys
from profiles_app.messaging.sending.models import Message, MessageAttempt, MessageGateway

BATCH = 1000
# A message that was tried and is still queued after so long.
STUCK_FOR = timedelta(minutes=15)
ADVICE = {
    "messages-stuck": "Open Messages in the admin, filtered by Queued: the attempts say what the gateway answers.",
    "no-gateway": "They are still handed to it; messages that came later go to others. Cancel those that are not to be "
    "sent there: Messages in the admin, filtered by Queued.",
}


def old_messages(before: datetime) -> QuerySet[Message]:
    """Messages from before that whose state is final, or that no receipt came for."""
    return Message.objects.filter(created_at__lt=before).exclude(state=Message.State.QUEUED)


def old_inbound(before: datetime) -> QuerySet[InboundMessage]:
    pending = InboundMessage.State.PENDING
    return InboundMessage.objects.filter(created_at__lt=before).exclude(state=pending)


def count_old(before: datetime) -> Counts:
    return {
        "messages": old_messages(before).count(),
        "inbound messages": old_inbound(before).count(),
        "webhooks": retired_webhooks().count(),
    }


def prune(before: datetime, tell: Tell = lambda count: None) -> Counts:
    """Delete old messages with their attempts, in batches. `tell` gets the messages so far."""
    messages = inbound = 0
    keys = old_messages(before).order_by("created_at", "pk").values_list("pk", flat=True)
    while batch := list(keys[:BATCH]):
        with transaction.atomic():
            MessageAttempt.objects.filter(message__in=batch).delete()
            messages += Message.objects.filter(pk__in=batch).delete()[0]
        tell(messages)
    received = old_inbound(before).order_by("created_at", "pk").values_list("pk", flat=True)
    while batch := list(received[:BATCH]):
        inbound += InboundMessage.objects.filter(pk__in=batch).delete()[0]
    return {"messages": messages, "inbound messages": inbound, "webhooks": _prune_webhooks()}


def _prune_webhooks() -> int:
    """Delete the webhooks that an earlier run has retired, and retire those that only old messages have named.

    Returns how many were deleted.
    """
    deleted = 0
    while batch := list(retired_webhooks().values_list("pk", flat=True)[:BATCH]):
        with transaction.atomic():
            deleted += len(batch)
            Callback.objects.filter(pk__in=batch).delete()
    last = 0
    idle = idle_webhooks().order_by("pk").values_list("pk", "account", "webhook_key")
    while rows := list(idle.filter(pk__gt=last).exclude(webhook_key__startswith=RETIRED)[:BATCH]):
        last = rows[-1][0]
        profiles = MessagingProfile.objects.filter(account__in={account for _, account, _ in rows})
        named = {key for profile in profiles.iterator() for key in webhook_keys(profile)}
        retire_webhooks(pk for pk, _, key in rows if key not in named)
    return deleted


KEPT = Retention("messages", "KEEP_MESSAGES_DAYS", count_old, prune)


def standing_still() -> Iterator[Defect]:
    queued = Message.objects.filter(state=Message.State.QUEUED)
    if stuck := queued.filter(created_at__lt=clock.now() - STUCK_FOR).count():
        are = "message is" if stuck == 1 else "messages are"
        yield Defect("messages-stuck", f"{stuck} {are} still queued after {STUCK_FOR.seconds // 60} minutes.")
    if MessageGateway.objects.exists() and (left := queued.filter(gateway__enabled=False).count()):
        are = "is" if left == 1 else "are"
        yield Defect("no-gateway", f"{counted(left, 'message')} {are} queued for a gateway that is disabled.")


CHECK = HealthCheck("messages", standing_still, ADVICE)
