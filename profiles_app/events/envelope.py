"""What is sent to a callback: the envelope of an event, its signature, and the link that ends mails (events spec §7)."""

import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping

from django.conf import settings
from django.urls import reverse
from django.utils.crypto import constant_time_compare, salted_hmac

from profiles_app.events.models.outbox import Event
from profiles_app.events.models.setup import Callback, Listener

EVENT_HEADER = "X-Patchbay-Event"
TIMESTAMP_HEADER = "X-Patchbay-Timestamp"
SIGNATURE_HEADER = "X-Patchbay-Signature"
UNSUBSCRIBE_DIGITS = 32


def envelope(event: Event, callback: Callback, listener_id: int | None, listener: Listener | None) -> dict[str, object]:
    """The event as it is delivered for a listener, which may have been deleted since.

    `context` is the account or extension of the listener, as the guide has it. A webhook gets the data alone.
    """
    if callback.webhook_key:
        return {**event.data, "event_uuid": str(event.uuid)}
    place = listener or callback
    number = place.extension_number
    voip_id = callback.account.voip_id
    return {
        "uuid": str(event.uuid),
        "version": listener.version if listener else Listener.Version.V2_0_0.value,
        "listener_id": listener_id,
        "context": {
            "type": "account" if number is None else "extension",
            "id": voip_id if number is None else number,
            "voip_id": voip_id,
        },
        "timestamp": event.timestamp,
        "timestamp_ns": event.timestamp_ns,
        "tags": event.tags,
        "data_type": event.data_type,
        "data_object_uuid": str(event.data_object_uuid) if event.data_object_uuid else None,
        "data": event.data,
    }


def to_json(body: Mapping[str, object], *, indent: int | None = None) -> str:
    return json.dumps(body, ensure_ascii=False, indent=indent)


def to_text(body: Mapping[str, object]) -> str:
    """One `Path / To / Key: value` line for each leaf, as the guide prints mails."""
    return "\n".join(f"{path}: {value}" for path, value in _leaves(body, ""))


def signature(secret: str, timestamp: int, body: bytes) -> str:
    """HMAC-SHA256 over the timestamp, a dot and the body; receivers refuse what is too old or does not agree."""
    signed = str(timestamp).encode() + b"." + body
    return "sha256=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def signed_headers(secret: str, event: str, timestamp: int, body: bytes) -> list[tuple[str, str]]:
    """What stands beside every body that is posted."""
    return [
        (EVENT_HEADER, event),
        (TIMESTAMP_HEADER, str(timestamp)),
        (SIGNATURE_HEADER, signature(secret, timestamp, body)),
    ]


def unsubscribe_link(listener_id: int, address: str) -> str:
    path = reverse("callback_unsubscribe", args=[listener_id, _unsubscribe_code(listener_id, address)])
    return f"{settings.PUBLIC_URL}{path}"


def unsubscribe_code_fits(code: str, listener_id: int, address: str) -> bool:
    return constant_time_compare(code, _unsubscribe_code(listener_id, address))


def _unsubscribe_code(listener_id: int, address: str) -> str:
    # With the address in it a link is good for the mailbox that it was sent to.
    digest = salted_hmac("profiles_app.callback-unsubscribe", f"{listener_id}:{address}", algorithm="sha256")
    return digest.hexdigest()[:UNSUBSCRIBE_DIGITS]


def _leaves(value: object, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            name = _one_line(str(key)).replace("_", " ").capitalize()
            yield from _leaves(item, f"{path} / {name}" if path else name)
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _leaves(item, f"{path} [{number}]")
    else:
        yield (path, _one_line(value if isinstance(value, str) else json.dumps(value)) if value is not None else "")


def _one_line(text: str) -> str:
    """The sender of a message chooses its text, and must not write lines of the mail with it."""
    return " ".join(text.splitlines())
