"""Messages that come in: stored first, then posted to the webhook of the number's profile (messaging spec §4.3)."""

import json
import time
from collections.abc import Iterable, Sequence
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from contacts_app.core.errors import TransportError
from contacts_app.core.net.wire import Networks
from contacts_app.core.work.kind import Work
from contacts_app.core.work.wake import nudge_after_commit
from profiles_app.events.envelope import signed_headers
from profiles_app.events.transport import outward_message, send
from profiles_app.messaging.models import InboundMessage, NumberLease
from profiles_app.messaging.sending.message_events import secret_of, tell_received
from profiles_app.messaging.sending.models import MessageGateway
from profiles_app.messaging.sending.opt_out import heed

State = InboundMessage.State
MESSAGES = "inbound-messages"
LONGEST_SENDER, LONGEST_NUMBER = 64, 15


@transaction.atomic
def receive_message(*, lease: NumberLease, sender: str, text: str) -> InboundMessage:
    """Store the message; it is delivered as soon as its row can be seen."""
    message = InboundMessage.objects.create(lease=lease, sender=sender, text=text, next_attempt_at=timezone.now())
    heed(lease.messaging_profile, sender, text)
    tell_received(message)
    nudge_after_commit(MESSAGES)
    return message


def webhook_body(message: InboundMessage) -> dict[str, object]:
    """The flat body that clients of the provider know."""
    created = message.created_at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {
        "event": "message.received",
        "uuid": str(message.uuid),
        "state": "success",
        "from": message.sender,
        "to": str(message.lease.tn),
        "message": message.text,
        "messaging_profile": str(message.lease.messaging_profile.uuid),
        "created_on": created,
    }


class InboundMessages(Work):
    """Posting messages to the webhooks of their numbers."""

    name = queue = MESSAGES
    model = InboundMessage
    account = "lease__account"
    # The webhooks of one profile take one message after the other, in the order in which they came.
    server = F("lease__messaging_profile")
    per_server = 1
    # Both webhooks may take all their time.
    claim_time = timedelta(seconds=60)

    @classmethod
    def due(cls) -> QuerySet[InboundMessage]:
        return InboundMessage.objects.filter(state=State.PENDING, next_attempt_at__lte=timezone.now())

    @classmethod
    def threads(cls) -> int:
        return 4

    def do(self, keys: Sequence[int]) -> None:
        rows = InboundMessage.objects.filter(pk__in=keys).order_by("pk")
        for message in rows.select_related("lease__messaging_profile"):
            _deliver(message)


def _deliver(message: InboundMessage) -> None:
    profile = message.lease.messaging_profile
    urls = [url for url in (profile.callback_url, profile.callback_url2) if url]
    lines: list[str] = []
    state = State.KEPT if not urls else State.FAILED
    body = json.dumps(webhook_body(message)).encode()
    secret = secret_of(profile) if urls else ""
    for url in urls:
        headers = signed_headers(secret, str(message.uuid), int(time.time()), body)
        taken, line = _post(url, body, headers)
        lines.append(line)
        if taken is not None:
            state = State.DELIVERED if taken else State.FAILED
            break
    InboundMessage.objects.filter(pk=message.pk, state=State.PENDING).update(
        state=state, outcome="\n".join(lines), finished_at=timezone.now()
    )


def redeliver_message(message: InboundMessage) -> None:
    """Deliver a message again that no webhook has taken."""
    now = timezone.now()
    again = InboundMessage.objects.filter(pk=message.pk, state__in=(State.FAILED, State.KEPT))
    if again.update(state=State.PENDING, outcome="", finished_at=None, next_attempt_at=now):
        nudge_after_commit(MESSAGES)


def take_delivered(gateway: MessageGateway, sender: str, recipient: str, text: str) -> None:
    """A message that a gateway delivers for one of the numbers; one for any other number is nobody's."""
    digits = recipient.removeprefix("+")
    if not (digits.isascii() and digits.isdecimal() and len(digits) <= LONGEST_NUMBER):
        return
    leases = NumberLease.objects.select_related("messaging_profile", "account").filter(tn=int(digits))
    if gateway.account_id:
        leases = leases.filter(account=gateway.account_id)
    if lease := leases.first():
        receive_message(lease=lease, sender=sender[:LONGEST_SENDER], text=text)


def _post(url: str, body: bytes, headers: Iterable[tuple[str, str]]) -> tuple[bool | None, str]:
    """Whether the webhook took the message, None when it could not be reached; and that in words."""
    networks = Networks.parse(settings.CALLBACK_NETWORKS)
    try:
        seconds = settings.MESSAGING_WEBHOOK_SECONDS
        status = send("POST", url, body=body, headers=headers, networks=networks, timeout=seconds).status
    except TransportError as error:
        return None, outward_message(error)
    if status >= 500:
        return None, f"Answered {status}."
    return status < 300, f"Answered {status}."
