"""The events of a message, `queued`, `sent`, `finalized` and `received`: for listeners, and for the profile's webhooks.

A webhook gets a flat body, as it gets inbound messages; the URL that was named with the message stands before those of
its profile (messaging spec §4.3, sending spec §6).
"""

from collections.abc import Sequence
from typing import Any

from django.db import transaction

from contacts_app.core.api.view import Instant
from profiles_app.events.models.setup import Callback, new_signing_secret
from profiles_app.events.outbox import EventDraft, emit_many
from profiles_app.events.webhooks import key_of, post_events, webhook
from profiles_app.messaging.models import InboundMessage, MessagingProfile
from profiles_app.messaging.sending.models import Message

QUEUED, SENT, FINALIZED, RECEIVED = "queued", "sent", "finalized", "received"
# The tags of the provider's document that say the same.
TAGS = {
    QUEUED: ("message", "outbound", "*ms-message"),
    SENT: ("message", "outbound", "*ms-message", "message-status", "sent-message"),
    FINALIZED: ("message", "outbound", "*ms-message", "message-status"),
    RECEIVED: ("message", "inbound", "*ms-message", "sms-message", "received-message"),
}
_instant = Instant().to_representation


def message_body(message: Message, event: str) -> dict[str, Any]:
    """What a webhook is told of a message."""
    profile = message.messaging_profile
    return {
        "event": f"message.{event}",
        "uuid": str(message.uuid),
        "direction": "outbound",
        "state": message.state,
        "from": message.sender,
        "to": message.recipient,
        "type": message.type,
        "message": message.text,
        "media_urls": message.media_urls,
        "parts": message.parts,
        "chosen_because": message.chosen_because,
        "error_code": message.error_code,
        "error": message.error,
        "messaging_profile": str(profile.uuid) if profile else None,
        "created_on": _instant(message.created_at),
        "sent_on": _instant(message.sent_at),
        "finalized_on": _instant(message.finalized_at),
    }


@transaction.atomic
def tell(messages: Sequence[Message], event: str) -> None:
    """Write this event of each of the messages, within the caller's transaction. They come with account and profile."""
    if not messages:
        return
    events = emit_many([_draft(message, event) for message in messages])
    webhooks: dict[tuple[int | None, str], Callback | None] = {}
    pairs = []
    for message, written in zip(messages, events, strict=True):
        place = (message.messaging_profile_id, message.webhook_url)
        if place not in webhooks:
            webhooks[place] = webhook_of(message)
        if callback := webhooks[place]:
            pairs.append((written, callback))
    post_events(pairs)


def tell_received(message: InboundMessage) -> None:
    """For listeners: the webhooks of the profile are called by `inbound`."""
    lease = message.lease
    data = {"event": "message.received", "uuid": message.uuid, "direction": "inbound", "state": "success"}
    data |= {"from": message.sender, "to": str(lease.tn), "type": "sms", "message": message.text}
    emit_many([EventDraft(lease.account, TAGS[RECEIVED], "message", data, message.uuid)])


def webhook_of(message: Message) -> Callback | None:
    """Where events of the message are posted to, if anywhere."""
    profile = message.messaging_profile
    if profile is None:
        return None
    url, second = (message.webhook_url, "") if message.webhook_url else urls_of(profile)
    if not url:
        return None
    return webhook(
        account=message.account,
        owner=str(profile.uuid),
        name=f"Webhook of {profile.name}",
        url=url,
        url2=second,
        secret=secret_of(profile),
    )


def urls_of(profile: MessagingProfile) -> tuple[str, str]:
    """The profile's own webhook and its fallback; empty where there is none."""
    first, second = profile.callback_url or "", profile.callback_url2 or ""
    return (first, second) if first else (second, "")


def webhook_keys(profile: MessagingProfile) -> set[str]:
    """The keys of the profile's own webhooks as it is now, and not of those that messages name."""
    url, second = urls_of(profile)
    owner = str(profile.uuid)
    return {key_of(owner=owner, url=url, url2=second), key_of(owner=owner, url=second)}


def secret_of(profile: MessagingProfile) -> str:
    """What the profile's webhooks are signed with; made when it is first needed."""
    if not profile.signing_secret:
        with transaction.atomic():
            held = MessagingProfile.objects.select_for_update().get(pk=profile.pk)
            if not held.signing_secret:
                held.signing_secret = new_signing_secret()
                held.save(update_fields=["signing_secret"])
            profile.signing_secret = held.signing_secret
    return str(profile.signing_secret)


@transaction.atomic
def renew_secret(profile: MessagingProfile) -> str:
    """Give the profile another secret, and return it: it is not shown again."""
    former = secret_of(profile)
    profile.signing_secret = new_signing_secret()
    profile.save(update_fields=["signing_secret", "updated_at"])
    for callback in Callback.objects.filter(account=profile.account_id).exclude(webhook_key=""):
        if callback.signing_secret == former:
            callback.signing_secret = profile.signing_secret
            callback.save(update_fields=["signing_secret"])
    return str(profile.signing_secret)


def _draft(message: Message, event: str) -> EventDraft:
    tags = [*TAGS[event], f"{message.type}-message"]
    if message.state == Message.State.DELIVERED:
        tags.append("delivered-message")
    data = message_body(message, event)
    return EventDraft(message.account, tags, "message", data, message.uuid, request_id=message.request_id)
