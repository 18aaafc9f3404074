"""How events and messages leave for customers' URLs: one HTTP request to a checked address. No Django, no decisions."""

import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import httpcore
import httpx

from contacts_app.transports.errors import TransportError
from contacts_app.transports.http import HTTP_FAILURES, CheckedBackend, http_failure
from contacts_app.transports.networks import Networks
from contacts_app.transports.wire import Deadline, checked_address, evidence

# Of an answer the status counts; this much of the body is kept for people to read (bytes).
EXCERPT_BYTES = 2048
USER_AGENT = "Patchbay"

Header = tuple[str, str]


@dataclass(frozen=True)
class Answer:
    status: int
    excerpt: str


def send(
    method: str,
    url: str,
    *,
    body: bytes,
    headers: Iterable[Header] = (),
    networks: Networks,
    timeout: float,
) -> Answer:
    """Send one request with a JSON body, follow no redirect, and read no more of the answer than its beginning.

    `timeout` is for all of it, in seconds; `networks` may be spoken to although they are private. TransportError when
    there is no answer. Neither it nor the answer holds what was sent, which may be secret.
    """
    try:
        target = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise TransportError(f"{url!r} is no URL", permanent=True, code="bad-url") from error
    port = target.port or (443 if target.scheme == "https" else 80)
    host = target.raw_host.decode("ascii")
    deadline = Deadline.after(timeout)
    address = checked_address(networks, host.strip("[]"), port)
    usual = {"User-Agent": USER_AGENT, "Content-Type": "application/json"}
    fields = [
        ("Host", target.netloc.decode("ascii")),
        *_replaced(usual.items(), headers),
        ("Content-Length", str(len(body))),
        ("Connection", "close"),
    ]
    pool = httpcore.ConnectionPool(
        ssl_context=_trusted_authorities() if target.scheme == "https" else None,
        max_connections=1,
        network_backend=CheckedBackend(address, deadline),
    )
    asked = httpcore.URL(scheme=target.raw_scheme, host=target.raw_host, port=port, target=target.raw_path)
    wire = [(name.encode("ascii"), value.encode("latin-1")) for name, value in fields]
    try:
        with pool, pool.stream(method, asked, headers=wire, content=body) as response:
            return Answer(response.status, evidence(_beginning(response)))
    except HTTP_FAILURES as error:
        raise http_failure(error, f"{host}:{port}") from error


def _replaced(usual: Iterable[Header], headers: Iterable[Header]) -> list[Header]:
    """The callback's own headers, and the usual ones that are not among them."""
    own = list(headers)
    names = {name.lower() for name, _ in own}
    return [header for header in usual if header[0].lower() not in names] + own


def _beginning(response: httpcore.Response) -> bytes:
    received = b""
    for chunk in response.iter_stream():
        received += chunk
        if len(received) >= EXCERPT_BYTES:
            break
    return received[:EXCERPT_BYTES]


@lru_cache(maxsize=1)
def _trusted_authorities() -> ssl.SSLContext:
    return httpx.create_ssl_context()
