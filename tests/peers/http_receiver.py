"""A receiver of events: a real HTTP server on loopback that remembers what it was sent and answers as told."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.peers.serving import serving


@dataclass(frozen=True)
class Received:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """`misbehave` is given the handler instead of an answer being sent."""

    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)
    misbehave: Callable[[Any], None] | None = None
    requests: list[Received] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/events"

    @contextlib.contextmanager
    def running(self) -> Iterator["Receiver"]:
        with serving(self._handler(), "127.0.0.1") as self.port:
            yield self

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                if len(body) < int(self.headers.get("Content-Length") or 0):
                    return  # the sender has died in the middle
                headers = {name.lower(): value for name, value in self.headers.items()}
                receiver.requests.append(Received(self.command, self.path, headers, body))
                if receiver.misbehave:
                    receiver.misbehave(self)
                    return
                self.send_response(receiver.status)
                for name, value in receiver.headers.items():
                    self.send_header(name, value)
                bodyless = receiver.status in (204, 304)
                self.send_header("Content-Length", "0" if bodyless else str(len(receiver.body)))
                self.end_headers()
                if not bodyless:
                    self.wfile.write(receiver.body)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer

            def log_message(self, *_: Any) -> None:
                pass

        return Handler
