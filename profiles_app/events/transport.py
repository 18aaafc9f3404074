"""How events and messages leave for customers' URLs: one HTTP request to a checked address. No Django, no decisions."""

from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass

import httpcore
import httpx

from contacts_app.core.errors import TransportError
from contacts_app.core.net.http import HTTP_FAILURES, CheckedBackend, basic_token, http_failure, trusted_authorities
from contacts_app.core.net.wire import Deadline, Networks, checked_address, evidence

# Of an answer the status counts; this much of the body is kept for people to read (bytes).
EXCERPT_BYTES = 2048
USER_AGENT = "Patchbay"

NOT_ALLOWED = "This address may not be spoken to: it is not public, and not in the portal's setting CALLBACK_NETWORKS."

Header = tuple[str, str]


@dataclass(frozen=True)
class Answer:
    status: int
    excerpt: str


def outward_message(error: TransportError) -> str:
    """What may be said of a failed request to the person who has entered the URL."""
    # The addresses of names inside our network are not for people outside.
    if error.code == "outside-networks":
        return NOT_ALLOWED
    return f"{error.message}."


def send(
    method: str, url: str, *, body: bytes, headers: Iterable[Header] = (), networks: Networks, timeout: float
) -> Answer:
    """Send one request over a connection of its own; see Connection."""
    with closing(Connection(url, networks=networks, timeout=timeout)) as connection:
        return connection.send(method, body=body, headers=[*headers, ("Connection", "close")], timeout=timeout)


class Connection:
    """One URL, one request at a time, over one connection that is kept as long as the other side keeps it.

    The address is checked when it is made; `networks` may be spoken to although they are private. No redirect is
    followed, and no more of an answer is read than its beginning. Raises TransportError, as `send` does.
    """

    def __init__(self, url: str, *, networks: Networks, timeout: float) -> None:
        try:
            target = httpx.URL(url)
        except httpx.InvalidURL as error:
            raise TransportError("This is no URL", permanent=True, code="bad-url") from error
        port = target.port or (443 if target.scheme == "https" else 80)
        host = target.raw_host.decode("ascii")
        self._peer = f"{host}:{port}"
        self._host_field = ("Host", target.netloc.decode("ascii"))
        self._usual = {"User-Agent": USER_AGENT}
        if target.userinfo:
            # As browsers and curl do it.
            self._usual["Authorization"] = f"Basic {basic_token(target.username, target.password)}"
        self._target = httpcore.URL(scheme=target.raw_scheme, host=target.raw_host, port=port, target=target.raw_path)
        self._deadline = Deadline.after(timeout)
        self._backend = CheckedBackend(checked_address(networks, host.strip("[]"), port), self._deadline)
        self._ssl = trusted_authorities() if target.scheme == "https" else None
        self._kept: httpcore.HTTPConnection | None = None
        self._used = False

    def close(self) -> None:
        if self._kept is not None:
            self._kept.close()
            self._kept = None

    def send(self, method: str, *, body: bytes | None, headers: Iterable[Header], timeout: float) -> Answer:
        """Send one request, with a JSON body if there is one. `timeout` is for all of it, in seconds.

        TransportError when there is no answer. Neither it nor the answer holds what was sent, which may be secret,
        unless the other side repeats it.
        """
        usual, length = self._usual, []
        if body is not None:
            usual = usual | {"Content-Type": "application/json"}
            length = [("Content-Length", str(len(body)))]
        fields = [self._host_field, *_replaced(usual.items(), headers), *length]
        wire = [(name.encode("ascii"), value.encode("latin-1")) for name, value in fields]
        self._deadline.renew(timeout)
        reused, self._used = self._used, True
        try:
            return self._exchange(method, wire, body)
        except HTTP_FAILURES as error:
            failure = http_failure(error, self._peer)
            if not reused or failure.code != "closed":
                raise failure from error
        # The other side gave up a connection that it had kept: nothing is wrong with it until it does so to a new one.
        try:
            return self._exchange(method, wire, body)
        except HTTP_FAILURES as error:
            raise http_failure(error, self._peer) from error

    def _exchange(self, method: str, wire: list[tuple[bytes, bytes]], body: bytes | None) -> Answer:
        with self._open().stream(method, self._target, headers=wire, content=body) as response:
            return Answer(response.status, evidence(_beginning(response)))

    def _open(self) -> httpcore.HTTPConnection:
        """The connection of the last request, while the other side keeps it, or a new one.

        A pool of one does the same, for a sixth of the time of a request.
        """
        if self._kept is None or not self._kept.is_available() or self._kept.has_expired():
            self.close()
            self._kept = httpcore.HTTPConnection(self._target.origin, self._ssl, network_backend=self._backend)
        return self._kept


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
