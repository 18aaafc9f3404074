"""The ways to a callback: HTTP requests over one connection, mails through one server. No decisions about tries.

An answer may repeat what was sent, so whatever is kept of it is cleared of the callback's secrets first. A callback's
own rate limit: events beyond `number` in `period` seconds are suppressed, not queued (events spec §7).
"""

import json
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from email.errors import MessageError
from typing import Any
from urllib.parse import unquote, urlsplit

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.utils import timezone

from contacts_app.contacts.mail_sending import words_of
from contacts_app.core.errors import TransportError
from contacts_app.core.net.http import basic_token
from contacts_app.core.net.wire import Networks
from profiles_app.events.callback_config import HTTP_MODES, RATE_LIMITS
from profiles_app.events.envelope import EVENT_HEADER, signed_headers, to_json, to_text, unsubscribe_link
from profiles_app.events.models.outbox import DeliveryAttempt
from profiles_app.events.models.setup import Callback
from profiles_app.events.transport import EXCERPT_BYTES, Connection, outward_message

MASK = "•••"
# Of an answer this much is kept (characters).
EXCERPT = EXCERPT_BYTES // 2
# What stands for no secret: too short to be one, and too common to be taken out of an answer.
SHORTEST_SECRET = 4
SHORTEST_IN_PATH = 12


class Channel(ABC):
    """Used by one thread."""

    def send(self, body: Mapping[str, Any]) -> DeliveryAttempt:
        """How it went, not stored. Raises nothing that the other side could be the cause of."""
        attempt, started = DeliveryAttempt(started_at=timezone.now()), time.monotonic()
        code, error = self._try(body, attempt)
        attempt.duration_ms = round((time.monotonic() - started) * 1000)
        attempt.ok, attempt.error_code, attempt.error = not code, code[:32], error[:512]
        return attempt

    @abstractmethod
    def _try(self, body: Mapping[str, Any], attempt: DeliveryAttempt) -> tuple[str, str]:
        """The code of the failure and its words, both empty after a success."""

    @abstractmethod
    def close(self) -> None: ...


def channel_to(callback: Callback) -> Channel:
    return HttpChannel(callback) if callback.mode in HTTP_MODES else MailChannel(callback)


class HttpChannel(Channel):
    def __init__(self, callback: Callback) -> None:
        config = callback.config
        self._url, self._method = config["url"], config["method"]
        self._headers = [(header["name"], header["value"]) for header in config.get("headers", [])]
        self._timeout = float(config.get("timeout") or settings.CALLBACK_SECONDS)
        self._signing_secret = callback.signing_secret
        self._secrets = secrets_in(self._url, [value for _, value in self._headers])
        self._connection: Connection | None = None

    def _try(self, body: Mapping[str, Any], attempt: DeliveryAttempt) -> tuple[str, str]:
        content = b"" if self._method == "GET" else to_json(body).encode()
        timestamp = int(attempt.started_at.timestamp())
        # What webhooks get names the event beside the object that it is about.
        event = str(body.get("event_uuid") or body["uuid"])
        headers = [*self._headers, *signed_headers(self._signing_secret, event, timestamp, content)]
        try:
            answer = self._connected().send(self._method, body=content or None, headers=headers, timeout=self._timeout)
        except TransportError as error:
            self.close()
            return error.code, masked(outward_message(error), self._secrets)
        attempt.status, attempt.excerpt = answer.status, masked(answer.excerpt, self._secrets)[:EXCERPT]
        return ("", "") if 200 <= answer.status < 300 else ("status", f"Answered {answer.status}.")

    def _connected(self) -> Connection:
        if self._connection is None:
            networks = Networks.parse(settings.CALLBACK_NETWORKS)
            self._connection = Connection(self._url, networks=networks, timeout=self._timeout)
        return self._connection

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class MailChannel(Channel):
    """A mail for each event, as JSON or as lines of text (events spec §7)."""

    def __init__(self, callback: Callback) -> None:
        config = callback.config
        self._address, self._mode = config["email"], config["mode"]
        self._server = get_connection()

    def close(self) -> None:
        self._server.close()

    def _try(self, body: Mapping[str, Any], attempt: DeliveryAttempt) -> tuple[str, str]:
        try:
            self._server.send_messages([self._mail(body)])
        # SMTPException is an OSError; the others are an address or a text that no mail can hold.
        except (OSError, ValueError, MessageError) as error:
            self._server.close()
            return "mail", f"The mail server did not take it: {words_of(error)}"
        return "", ""

    def _mail(self, body: Mapping[str, Any]) -> EmailMessage:
        headers = {
            EVENT_HEADER: str(body["uuid"]),
            "Auto-Submitted": "auto-generated",  # RFC 3834: no holiday replies to a program.
        }
        if listener := body["listener_id"]:
            link = unsubscribe_link(listener, self._address)
            body = {**body, "unsubscribe_link": link}
            # RFC 8058: mailboxes offer this as a button.
            headers |= {"List-Unsubscribe": f"<{link}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
        return EmailMessage(
            subject=f"Event: {' '.join(body['tags'])}"[:255],
            body=to_text(body) if self._mode == "text" else to_json(body, indent=2),
            to=[self._address],
            headers=headers,
        )


def masked(text: str, secrets: Iterable[str]) -> str:
    """The text without the secrets, as they are or as JSON spells them; nor with the beginning of one at its end."""
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, MASK)
        for length in range(min(len(secret) - 1, len(text)), SHORTEST_SECRET - 1, -1):
            if text.endswith(secret[:length]):
                text = text[:-length] + MASK
                break
    return text


def secrets_in(url: str, values: Iterable[str]) -> set[str]:
    """What of a URL and of the values of headers may be secret, in every spelling that an answer may repeat it in."""
    parts = urlsplit(url)
    target = f"{parts.path}?{parts.query}" if parts.query else parts.path
    bare = [url, target, parts.query]
    # Such as "no channel has the token …": a value without its name, or the part of a path that is hardly a word.
    bare += [value for pair in parts.query.split("&") for value in (pair, pair.partition("=")[2])]
    bare += [part for part in parts.path.split("/") if len(part) >= SHORTEST_IN_PATH]
    if parts.username or parts.password:
        user, password = parts.username or "", parts.password or ""
        bare += [password, basic_token(unquote(user), unquote(password))]
        bare += [user] if len(user) >= SHORTEST_IN_PATH else []
    bare += [unquote(text) for text in bare]
    for value in values:
        # "Bearer …": the token is the secret, with or without the word before it.
        bare += [value, *value.split()]
    spelled = {spelling for text in bare for spelling in (text, json.dumps(text)[1:-1])}
    return {text for text in spelled if len(text) >= SHORTEST_SECRET}


class RateLimit:
    """Admits events to one callback. Only first attempts count: what was admitted may be tried again."""

    def __init__(self, callback: Callback, now: datetime) -> None:
        config: dict[str, Any] = callback.config
        rule = next((config[name] for name in RATE_LIMITS if config.get(name)), None)
        self._number: int | None = None
        if rule is not None:
            self._number, self._period = rule["number"], timedelta(seconds=rule["period"])
            first = DeliveryAttempt.objects.filter(callback=callback, number=1, started_at__gt=now - self._period)
            newest = first.order_by("-started_at").values_list("started_at", flat=True)[: self._number]
            self._admitted = deque(sorted(newest))

    def admits(self, now: datetime) -> bool:
        """Whether one more event may be sent now; if so, it counts."""
        if self._number is None:
            return True
        while self._admitted and self._admitted[0] <= now - self._period:
            self._admitted.popleft()
        if len(self._admitted) >= self._number:
            return False
        self._admitted.append(now)
        return True
