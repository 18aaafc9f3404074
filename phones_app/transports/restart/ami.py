"""A client of Asterisk's manager interface (AMI): log in, send an action, read what belongs to its answer.

Synchronous and bounded in time, line length and number of messages. Sessions are kept in `ami_sessions`; what to ask a
PBX for is in `pjsip`, `chan_sip` and `asterisk`.
"""

import hashlib
import itertools
import re
import socket
import time
from dataclasses import dataclass, field
from typing import Any, Self

from contacts_app.core.errors import Exchange, TransportError
from contacts_app.core.net.wire import Deadline, Networks, checked_address, connection_error, evidence
from contacts_app.core.tables import table

_MAX_LINE = 16_384
_MAX_MESSAGES = 20_000  # a contact is one message, and a large PBX has thousands
_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_\-]*")
# Asterisk takes about 2 s to load its modules. Until then it does not know their actions (Asterisk spec §F.4).
_BOOT_SECONDS = 3.0
_BOOT_PAUSE = 0.25
# Part of what Asterisk says when it refuses, our code, and whether asking again is of no use.
REFUSALS: list[list[Any]] = table(__file__, "answers.toml")["asterisk"]["refusals"]

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
    def output(self) -> str:
        """What a command printed, which is where the reason stands when it failed (Asterisk spec §F.6)."""
        return " ".join(self.response.all("Output"))

    @property
    def succeeded(self) -> bool:
        """`Follows` is how Asterisk before 14 begins the output of a command."""
        return self.response.get("Response") in ("Success", "Follows")

    def accepted(self) -> Exchange:
        """The exact texts of an action that succeeded; TransportError with the reason of one that did not."""
        if not self.succeeded:
            raise self.refusal()
        return self.exchange

    def refusal(self, default: str = "pbx-refused") -> TransportError:
        said = self.output or self.message
        code, permanent = next(
            ((code, permanent) for part, code, permanent in REFUSALS if part in said.lower()), (default, False)
        )
        return TransportError(f"Asterisk refuses: {said}", permanent, code=code, exchange=self.exchange)


class AmiSession:
    """A logged-in connection, used as a context manager by who needs one of its own."""

    def __init__(self, target: AmiTarget) -> None:
        self.target = target
        # Of no more use: the answer to an action did not come, or not as a whole.
        self.broken = False
        self._peer = f"{target.host}:{target.port} (AMI)"
        self._ids = itertools.count(1)
        self._buffer = b""
        self._clock_ahead: float | None = None

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def open(self) -> None:
        """Connect and log in."""
        address = checked_address(self.target.networks, self.target.host, self.target.port)
        self._deadline = Deadline.after(self.target.timeout)
        try:
            self._socket = socket.create_connection((address, self.target.port), self.target.timeout)
        except OSError as error:
            raise connection_error(error, self._peer) from error
        try:
            self._log_in()
        except BaseException:
            self._socket.close()
            raise
        self._opened = time.monotonic()

    def close(self) -> None:
        self._socket.close()

    @property
    def alive(self) -> bool:
        """Whether Asterisk has not hung up, as it does when it is restarted; nothing is sent."""
        try:
            self._socket.setblocking(False)
            return not self.broken and bool(self._socket.recv(1, socket.MSG_PEEK))
        except BlockingIOError:
            return True
        except OSError:
            return False

    def action(self, name: str, pairs: Fields = (), **fields: str) -> AmiReply:
        """Send an action and return its reply, refused or not; `pairs` serves keys that occur several times.

        A list (`EventList: start`) is read to its end. Messages of other actions and stray events are
        skipped. An Asterisk that has just started is asked again until its modules are loaded.
        """
        while True:
            self._deadline = Deadline.after(self.target.timeout)
            reply = self._transact((("Action", name), *fields.items(), *pairs))
            # A session ends with its Asterisk, so that in an older one a module is not loaded.
            starting = time.monotonic() - self._opened < _BOOT_SECONDS
            if not starting or reply.succeeded or reply.refusal().code != "unknown-action":
                return reply
            time.sleep(_BOOT_PAUSE)

    def now(self) -> float:
        """Seconds since the epoch by Asterisk's clock, by which registrations expire; ours if it does not tell."""
        if self._clock_ahead is None:
            said = self.action("Ping").response.get("Timestamp")
            self._clock_ahead = float(said) - time.time() if re.fullmatch(r"\d+(\.\d+)?", said) else 0.0
        return time.time() + self._clock_ahead

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
        digest = challenge.response.get("Challenge") + self.target.secret
        key = hashlib.md5(digest.encode(), usedforsecurity=False).hexdigest()  # the protocol's choice
        log_in = {"Action": "Login", "AuthType": "MD5", "Username": self.target.username, "Key": key, "Events": "off"}
        reply = self._transact(tuple(log_in.items()))
        if not reply.succeeded:
            why = reply.refusal("authentication")
            raise TransportError(
                f"{self._peer} refuses the log-in of {self.target.username!r}: {reply.message}",
                permanent=why.code == "authentication",
                code=why.code,
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
            self.broken = True
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
