"""A forwarding HTTP proxy, as it stands in front of a portal: asks from an address of its own, and says for whom."""

import contextlib
import http.client
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.peers.serving import serving

HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length"}


@dataclass
class Relay:
    """`says`: what happens to X-Forwarded-For. `append`: to the list there is, as nginx and Caddy do; `line`: as a header
    of its own behind that of the client, as HAProxy does; `nothing`: it is passed on as it came.
    """

    target: int
    address: str = "127.0.0.2"
    says: str = "append"
    port: int = 0

    @contextlib.contextmanager
    def running(self) -> Iterator["Relay"]:
        with serving(self._handler(), self.address) as self.port:
            yield self

    def forwarded(self, headers: list[tuple[str, str]], client: str) -> list[tuple[str, str]]:
        kept = [(name, value) for name, value in headers if name.lower() not in HOP_BY_HOP]
        if self.says == "nothing":
            return kept
        if self.says == "line":
            return [*kept, ("X-Forwarded-For", client)]
        before = [value for name, value in kept if name.lower() == "x-forwarded-for"]
        others = [(name, value) for name, value in kept if name.lower() != "x-forwarded-for"]
        return [*others, ("X-Forwarded-For", ", ".join([*before, client]))]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        relay = self

        class Handler(BaseHTTPRequestHandler):
            def forward(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                behind = http.client.HTTPConnection("127.0.0.1", relay.target, 20, source_address=(relay.address, 0))
                behind.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
                for name, value in relay.forwarded(self.headers.items(), self.client_address[0]):
                    behind.putheader(name, value)
                behind.putheader("Content-Length", str(len(body)))
                behind.endheaders(body)
                answer = behind.getresponse()
                content = answer.read()
                self.send_response(answer.status)
                for name, value in answer.getheaders():
                    if name.lower() not in HOP_BY_HOP:
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)
                behind.close()

            do_GET = do_POST = forward

            def log_message(self, *_: Any) -> None:
                pass

        return Handler
