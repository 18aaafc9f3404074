"""Messages that come in: stored first, then posted to the webhook of the number's profile (messaging spec §4.3)."""

import json
from datetime import timedelta
from typing import Any

import structlog
from celery import current_app
from django.conf import settings
from django.db import transaction
from django.utils import timezone
from kombu.exceptions import KombuError

from contacts_app.transports.errors import TransportError
from contacts_app.transports.networks import Networks
from profiles_app.models import InboundMessage, NumberLease
from profiles_app.services.errors import outward_message
from profiles_app.transports import send

log = structlog.get_logger(__name__)
State = InboundMessage.State
# Both webhooks may take all their time before somebody else may have a try.
CLAIM = timedelta(seconds=60)
# So many due messages a sweep tells of, so that a backlog does not flood the broker.
SWEEP_BATCH = 500


@transaction.atomic
def receive_message(*, lease: NumberLease, sender: str, text: str) -> InboundMessage:
    """Store the message; it is delivered as soon as its row can be seen."""
    message = InboundMessage.objects.create(
        lease=lease, sender=sender, text=text, next_attempt_at=timezone.now()
    )
    transaction.on_commit(lambda: _nudge(message.pk))
    return message


def webhook_body(message: InboundMessage) -> dict[str, Any]:
    """The flat body that clients of the provider know."""
    created = message.created_at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {
        "uuid": str(message.uuid),
        "state": "success",
        "from": message.sender,
        "to": str(message.lease.tn),
        "message": message.text,
        "messaging_profile": str(message.lease.messaging_profile.uuid),
        "created_on": created,
    }


def deliver_message(pk: int) -> None:
    """Deliver the message if it is due; of several that try at a time one does."""
    now = timezone.now()
    due = InboundMessage.objects.filter(pk=pk, state=State.PENDING, next_attempt_at__lte=now)
    if not due.update(next_attempt_at=now + CLAIM):
        return
    message = InboundMessage.objects.select_related("lease__messaging_profile").get(pk=pk)
    profile = message.lease.messaging_profile
    urls = [url for url in (profile.callback_url, profile.callback_url2) if url]
    lines: list[str] = []
    state = State.KEPT if not urls else State.FAILED
    for url in urls:
        taken, line = _post(url, webhook_body(message))
        lines.append(line)
        if taken is not None:
            state = State.DELIVERED if taken else State.FAILED
            break
    InboundMessage.objects.filter(pk=pk, state=State.PENDING).update(
        state=state, outcome="\n".join(lines), finished_at=timezone.now()
    )


def redeliver_message(message: InboundMessage) -> None:
    """Deliver a message again that no webhook has taken."""
    now = timezone.now()
    again = InboundMessage.objects.filter(pk=message.pk, state__in=(State.FAILED, State.KEPT))
    if again.update(state=State.PENDING, outcome="", finished_at=None, next_attempt_at=now):
        transaction.on_commit(lambda: _nudge(message.pk))


def sweep_messages() -> int:
    """Find messages that are due although no worker was told; how many there are."""
    due = InboundMessage.objects.filter(state=State.PENDING, next_attempt_at__lte=timezone.now())
    keys = list(due.order_by("next_attempt_at").values_list("pk", flat=True)[:SWEEP_BATCH])
    for pk in keys:
        _nudge(pk)
    return len(keys)


def _post(url: str, body: dict[str, Any]) -> tuple[bool | None, str]:
    """Whether the webhook took the message, None when it could not be reached; and that in words."""
    networks = Networks.parse(settings.CALLBACK_NETWORKS)
    try:
        seconds = settings.MESSAGING_WEBHOOK_SECONDS
        status = send("POST", url, body=json.dumps(body).encode(), networks=networks, timeout=seconds).status
    except TransportError as error:
        return None, outward_message(error)
    if status >= 500:
        return None, f"Answered {status}."
    return status < 300, f"Answered {status}."


def _nudge(pk: int) -> None:
    try:
        # A signature, because send_task would ignore eager mode.
        current_app.signature("profiles_app.tasks.deliver_message", args=(pk,)).apply_async()
    except (KombuError, OSError) as error:
        log.warning("nudge lost, the sweep will find the row", reason=str(error))
