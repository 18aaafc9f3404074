"""The read-only HTTP side of the file server, which 78xx/88xx phones ask on port 6970 (Cisco phones spec §3.2)."""

from collections.abc import Awaitable
from functools import partial
from http import HTTPStatus
from urllib.parse import unquote

from contacts_app.core.net.async_http import HttpListener
from contacts_app.core.net.http_connection import HttpExchange, Taken
from contacts_app.core.net.limits import RequestLimits
from phones_app.boot.contents import SMALL_BYTES, NotInFileError, Parts, SentContent
from phones_app.boot.fetches import Fetch, FetchReporter
from phones_app.boot.lookup import FileLookup
from phones_app.boot.names import is_of_one_phone

HEAD_SECONDS, KEEP_ALIVE_SECONDS = 10.0, 30.0


class FileWeb:
    """GET and HEAD of the files in one folder and those below it; everything else is not found."""

    def __init__(
        self,
        files: FileLookup,
        reporter: FetchReporter,
        limits: RequestLimits,
        *,
        max_connections: int,
        max_of_address: int,
    ) -> None:
        self._files = files
        self._reporter = reporter
        self._parts = Parts()
        self._listener = HttpListener(
            self._answer,
            max_connections=max_connections,
            max_of_address=max_of_address,
            request_seconds=HEAD_SECONDS,
            keep_alive_seconds=KEEP_ALIVE_SECONDS,
            limits=limits,
        )

    async def open(self, host: str, port: int) -> int:
        # A rollout restarts hundreds of phones at once, and they all come within the same second.
        return await self._listener.open(host, port, backlog=1024)

    async def close(self) -> None:
        self._listener.close()

    def _answer(self, exchange: HttpExchange) -> Awaitable[None] | None:
        request = exchange.request
        if request.method not in ("GET", "HEAD"):
            exchange.write(HTTPStatus.METHOD_NOT_ALLOWED, "Allow: GET, HEAD\r\nContent-Length: 0\r\n")
            return None
        # A proxy or a server in front says which model it is in a header of phones, the firmware in its own name.
        agent = request.headers.get("x-CiscoIPPhoneModelName") or request.headers.get("User-Agent")
        fetch = Fetch(unquote(request.path).removeprefix("/"), request.peer, "http", agent[:100])
        found = self._files.open(fetch)
        if found is None or isinstance(found, SentContent):
            return self._answer_with(exchange, fetch, found)
        return self._answer_later(exchange, fetch, found)

    async def _answer_later(self, exchange: HttpExchange, fetch: Fetch, found: Awaitable[SentContent | None]) -> None:
        if (waiting := self._answer_with(exchange, fetch, await found)) is not None:
            await waiting

    def _answer_with(self, exchange: HttpExchange, fetch: Fetch, content: SentContent | None) -> Awaitable[None] | None:
        request = exchange.request
        if content is None:
            fetch.missing = request.method == "GET"
            self._reporter.report(fetch)
            exchange.write(HTTPStatus.NOT_FOUND)
            return None
        try:
            asked = request.headers.get("Range") if request.method == "GET" else ""
            part = content.part(asked, request.headers.get("If-Range")) if asked else None
        except NotInFileError:
            none = f"Content-Range: bytes */{content.size}\r\nContent-Length: 0\r\n"
            exchange.write(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, none)
            content.close()
            return None
        sent = part or range(content.size)
        kind = "text/xml" if fetch.file_name.lower().endswith(".xml") else "application/octet-stream"
        fields = (
            f'Content-Type: {kind}\r\nContent-Length: {len(sent)}\r\nETag: "{content.version}"\r\n'
            f"Accept-Ranges: bytes\r\n"
        )
        if part:
            fields += f"Content-Range: bytes {part.start}-{part.stop - 1}/{content.size}\r\n"
        status = HTTPStatus.PARTIAL_CONTENT if part else HTTPStatus.OK
        if request.method == "HEAD":
            exchange.write(status, fields)
            content.close()
            return None
        taken = partial(self._taken, fetch, content.version, content.size, part)
        if content.data is None:
            return self._send_large(exchange, (status, fields), content, sent, fetch, taken)
        if is_of_one_phone(fetch.file_name):
            fetch.sent(content.data)
        fetch.size = content.size
        try:
            exchange.write(status, fields, content.data[sent.start : sent.stop] if part else content.data)
        except OSError:
            self._reporter.report(fetch)
            raise
        exchange.when_taken(taken)
        return None

    async def _send_large(
        self,
        exchange: HttpExchange,
        head: tuple[HTTPStatus, str],
        content: SentContent,
        sent: range,
        fetch: Fetch,
        taken: Taken,
    ) -> None:
        with content:
            try:
                exchange.write(*head)
                if is_of_one_phone(fetch.file_name):
                    await self._send_pieces(exchange, content, sent, fetch)
                elif content.file is not None:
                    await exchange.send_file(content.file, sent.start, len(sent))
            except OSError:
                self._reporter.report(fetch)
                raise
        fetch.size = content.size
        exchange.when_taken(taken)

    async def _send_pieces(self, exchange: HttpExchange, content: SentContent, sent: range, fetch: Fetch) -> None:
        # Evidence is of all of a phone's own file, whatever part it asks for.
        for start in range(0, content.size, SMALL_BYTES):
            data = content.read(start, SMALL_BYTES)
            fetch.sent(data)
            wanted = data[max(0, sent.start - start) : max(0, sent.stop - start)]
            if wanted:
                await exchange.send(wanted)
        if fetch.size != content.size:
            raise OSError("the file became shorter")

    def _taken(self, fetch: Fetch, version: str, size: int, part: range | None, is_taken: bool) -> None:
        fetch.complete = is_taken
        if is_taken and part:
            key = (fetch.address, fetch.agent, fetch.file_name, version)
            if not self._parts.add(key, part, size):
                return
        self._reporter.report(fetch)
