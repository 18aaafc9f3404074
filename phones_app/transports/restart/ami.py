"""A client of Asterisk's manager interface (AMI): log in, send an action, read what belongs to its answer.

Synchronous and bounded in time, line length and number of messages. What to ask a PBX for is in `asterisk`.
"""

import hashlib
import itertools
import re
import socket
from dataclasses import dataclass, field
from typing import Self

from contacts_app.core.errors import Exchange, TransportError
from contacts_app.core.net.wire import Deadline, Networks, checked_address, connection_error, evidence

_MAX_LINE = 16_384
_MAX_MESSAGES = 20_000  # a contact is one message, and a large PBX has thousands
_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_\-]*")

Fields = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class AmiTarget:
    """Where the manager interface is and who logs in. The secret itself never goes over the wire."""

    host: str
    port: int = 5038
    username: str = ""
    secret: str = field(default="", repr=False)
    networks: Networks | None = None
    timeout: float = 5.0  # seconds for the connection with log-in, and again for each action


@dataclass(frozen=True)
class AmiMessage:
    """One block of `Key: value` lines. Asterisk's versions spell keys differently, so case does not count."""

    fields: Fields

    def get(self, *names: str) -> str:
        """Return the first value that is not empty under any of these names."""
        return next(iter(self.all(*names)), "")

    def all(self, *names: str) -> list[str]:
        wanted = [name.lower() for name in names]
        return [value for key, value in self.fields if value and key.lower() in wanted]


@dataclass(frozen=True)
class AmiReply:
    """The response to an action, the events of its list if it is one, and the exact texts."""

    response: AmiMessage
    events: tuple[AmiMessage, ...]
    exchange: Exchange

    @property
    def message(self) -> str:
        return self.response.get("Message")

    @property
    def succeeded(self) -> bool:
        """`Follows` is how Asterisk before 14 begins the output of a command."""
        return self.response.get("Response") in ("Success", "Follows")


class AmiSession:
    """A logged-in connection, used as a context manager."""

    def __init__(self, target: AmiTarget) -> None:
        self._target = target
        self._peer = f"{target.host}:{target.port} (AMI)"
        self._ids = itertools.count(1)
        self._buffer = b""

    def __enter__(self) -> Self:
        address = checked_address(self._target.networks, self._target.host, self._target.port)
        self._deadline = Deadline.after(self._target.timeout)
        try:
            self._socket = socket.create_connection((address, self._target.port), self._target.timeout)
        except OSError as error:
            raise connection_error(error, self._peer) from error
        try:
            self._log_in()
        except BaseException:
            self._socket.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def action(self, name: str, pairs: Fields = (), **fields: str) -> AmiReply:
        """Send an action and return its reply, refused or not; `pairs` serves keys that occur several times.

        A list (`EventList: start`) is read to its end. Messages of other actions and stray events are
        skipped.
        """
        self._deadline = Deadline.after(self._target.timeout)
        return self._transact((("Action", name), *fields.items(), *pairs))

    def _log_in(self) -> None:
        """Log in by challenge, so that the secret does not cross the network in clear."""
        try:
            greeting = self._read_line().decode("utf-8", "replace").strip()
        except OSError as error:
            raise connection_error(error, self._peer) from error
        if "Call Manager" not in greeting:
            raise TransportError(
                f"{self._peer} is not Asterisk's manager interface",
                code="not-ami",
                exchange=Exchange("", evidence(greeting)),
            )
        challenge = self._transact((("Action", "Challenge"), ("AuthType", "MD5")))
        digest = challenge.response.get("Challenge") + self._target.secret
        key = hashlib.md5(digest.encode(), usedforsecurity=False).hexdigest()  # the protocol's choice
        log_in = {"Action": "Login", "AuthType": "MD5", "Username": self._target.username, "Key": key, "Events": "off"}
        reply = self._transact(tuple(log_in.items()))
        if not reply.succeeded:
            raise TransportError(
                f"{self._peer} refuses the log-in of {self._target.username!r}: {reply.message}",
                permanent=True,
                code="authentication",
                exchange=reply.exchange,
            )

    def _transact(self, fields: Fields) -> AmiReply:
        action_id = str(next(self._ids))
        request = self._write((fields[0], ("ActionID", action_id), *fields[1:]))
        received: list[AmiMessage] = []
        try:
            self._socket.settimeout(self._deadline.remaining())
            self._socket.sendall(request.encode())
            self._collect(action_id, received)
        except OSError as error:
            raise connection_error(error, self._peer, _exchange(request, received)) from error
        return AmiReply(received[0], tuple(received[1:]), _exchange(request, received))

    def _collect(self, action_id: str, received: list[AmiMessage]) -> None:
        """Read the messages of this action until the response, or the list that it announces, is complete."""
        for _ in range(_MAX_MESSAGES):
            message = self._read_message()
            if message.get("ActionID") != action_id:
                continue
            if bool(message.get("Event")) == bool(received):  # a response first, then only events
                received.append(message)
            stage = message.get("EventList").lower()
            if received and stage != "start" and (len(received) == 1 or stage.startswith("complete")):
                return
        raise OSError(f"no end of the answer after {_MAX_MESSAGES} messages")

    def _write(self, fields: Fields) -> str:
        for key, value in fields:
            if not _KEY.fullmatch(key) or any(character in value for character in "\r\n\0"):
                raise TransportError(
                    f"{key!r}: {value!r} cannot be sent to Asterisk", permanent=True, code="invalid-value"
                )
        return "".join(f"{key}: {value}\r\n" for key, value in fields) + "\r\n"

    def _read_message(self) -> AmiMessage:
        fields: list[tuple[str, str]] = []
        for _ in range(_MAX_MESSAGES):
            line = self._read_line()
            if line == b"\r\n":
                return AmiMessage(tuple(fields))
            text = line.decode("utf-8", "replace").rstrip("\r\n")
            key, separator, value = text.partition(":")
            # Before Asterisk 14 the output of a command stood there without keys.
            known = separator and _KEY.fullmatch(key)
            fields.append((key, value.strip()) if known else ("Output", text))
        raise OSError("no end of a message")

    def _read_line(self) -> bytes:
        while b"\n" not in self._buffer:
            if len(self._buffer) > _MAX_LINE:
                raise OSError("a line without end")
            self._socket.settimeout(self._deadline.remaining())
            chunk = self._socket.recv(65_536)
            if not chunk:
                raise ConnectionResetError
            self._buffer += chunk
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line + b"\n"


def _exchange(request: str, messages: list[AmiMessage]) -> Exchange:
    """The key is good for one log-in only, but who has it can try secrets against it."""
    masked = re.sub(r"(?m)^Key: .*?\r?$", "Key: ***\r", request)
    blocks = ("".join(f"{key}: {value}\r\n" for key, value in message.fields) for message in messages)
    return Exchange(evidence(masked), evidence("\r\n".join(blocks)))
