"""A provider's HTTP interface, as its row describes it: a JSON template out, the id and the error read from the answer.

The message's UUID always goes along as `Idempotency-Key`, whatever the template says (sending spec §3).
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError

from contacts_app.core.errors import TransportError
from profiles_app.events.delivery_channel import EXCERPT, masked, secrets_in
from profiles_app.events.transport import Connection, outward_message
from profiles_app.messaging.sending.gateways.channel import GatewayChannel, Handed, gateway_networks
from profiles_app.messaging.sending.models import Message, MessageAttempt, MessageGateway

PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")
# What a template without a word of its own sends.
USUAL_BODY = {
    "uuid": "{uuid}",
    "from": "{from}",
    "to": "{to}",
    "text": "{text}",
    "media_urls": "{media_urls}",
    "receipt_url": "{receipt_url}",
}
NAMES = (*USUAL_BODY, "from_digits", "to_digits", "parts")
# A fixed text of the template that is hardly a word.
SHORTEST_IN_BODY = 12
IDEMPOTENCY = "Idempotency-Key"
# The gateway says that it has not taken the message, and may do so later (RFC 9110 §15.5.9, RFC 8470, RFC 6585).
LATER = (408, 425, 429)
# Failures before anything was sent.
BEFORE = ("refused", "unresolved", "unreachable", "outside-networks", "bad-url")


class HttpGateway(GatewayChannel):
    def __init__(self, gateway: MessageGateway) -> None:
        super().__init__(gateway)
        self._headers = list(checked_headers(gateway.headers).items())
        self._template = checked_template(gateway.body)
        fixed = [text for text in _texts(self._template) if len(text) >= SHORTEST_IN_BODY]
        self._secrets = secrets_in(gateway.url, [*(value for _, value in self._headers), *fixed])
        self._connection: Connection | None = None

    def _hand_over(self, message: Message, attempt: MessageAttempt) -> Handed:
        body = json.dumps(filled(self._template, values_of(message)), ensure_ascii=False).encode()
        headers = [*self._headers, (IDEMPOTENCY, str(message.uuid))]
        seconds = settings.GATEWAY_SECONDS
        try:
            answer = self._connected().send(self.gateway.method, body=body, headers=headers, timeout=seconds)
        except TransportError as error:
            self.close()
            words = masked(outward_message(error), self._secrets)
            return Handed(code=error.code, error=words, is_in_doubt=error.code not in BEFORE)
        attempt.status, attempt.excerpt = answer.status, masked(answer.excerpt, self._secrets)[:EXCERPT]
        said = _json(answer.excerpt)
        if 200 <= answer.status < 300:
            return Handed(reference=found_at(said, self.gateway.id_path)[:128])
        words = masked(found_at(said, self.gateway.error_path), self._secrets) or f"Answered {answer.status}."
        is_permanent = answer.status < 500 and answer.status not in LATER
        return Handed(code="status", error=words, is_permanent=is_permanent)

    def _connected(self) -> Connection:
        if self._connection is None:
            networks = gateway_networks()
            self._connection = Connection(self.gateway.url, networks=networks, timeout=settings.GATEWAY_SECONDS)
        return self._connection

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def values_of(message: Message) -> dict[str, object]:
    """What stands for each name of a template."""
    return {
        "uuid": str(message.uuid),
        "from": f"+{message.sender}",
        "to": f"+{message.recipient}",
        "from_digits": message.sender,
        "to_digits": message.recipient,
        "text": message.text,
        "parts": message.parts,
        "media_urls": message.media_urls,
        "receipt_url": f"{settings.PUBLIC_URL}/rest/sms/{message.uuid}/receipt",
    }


def filled(template: Any, values: Mapping[str, object]) -> Any:
    """The template with its names replaced: a text that is a name alone becomes the value, of whatever type it is."""
    if isinstance(template, dict):
        return {key: filled(value, values) for key, value in template.items()}
    if isinstance(template, list):
        return [filled(value, values) for value in template]
    if not isinstance(template, str):
        return template
    if whole := PLACEHOLDER.fullmatch(template):
        return values.get(whole[1], template)
    return PLACEHOLDER.sub(lambda name: str(values.get(name[1], name[0])), template)


def _texts(template: Any) -> Iterator[str]:
    """The texts of a template that are the same in every message, and may be keys."""
    if isinstance(template, dict | list):
        for value in template.values() if isinstance(template, dict) else template:
            yield from _texts(value)
    elif isinstance(template, str) and not PLACEHOLDER.search(template):
        yield template


def found_at(answer: Any, path: str) -> str:
    """What stands at a path of names and places with dots between; nothing where there is none."""
    for step in path.split(".") if path else ():
        if isinstance(answer, dict):
            answer = answer.get(step)
        elif isinstance(answer, list) and step.isdecimal() and int(step) < len(answer):
            answer = answer[int(step)]
        else:
            return ""
    return str(answer) if isinstance(answer, str | int) and path else ""


def checked_headers(text: str) -> dict[str, str]:
    """The headers of a gateway. Raises ValidationError."""
    value = _json(text or "{}")
    if not isinstance(value, dict) or not all(isinstance(item, str) for item in value.values()):
        raise ValidationError("Must be a JSON object of names and texts.")
    for name, item in value.items():
        if not re.fullmatch(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+", name) or not re.fullmatch(r"[\x20-\x7e]*", item):
            raise ValidationError(f"{name[:40]!r} is no header that can be sent.")
    return value


def checked_template(text: str) -> Any:
    """The template of a gateway. Raises ValidationError."""
    if not text:
        return USUAL_BODY
    value = _json(text)
    if not isinstance(value, dict | list):
        raise ValidationError("Must be a JSON object or array.")
    if unknown := set(PLACEHOLDER.findall(json.dumps(value))) - set(NAMES):
        raise ValidationError(f"There is no {{{sorted(unknown)[0]}}}; there are {', '.join(NAMES)}.")
    return value


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
