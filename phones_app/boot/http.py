"""The read-only HTTP side of the file server, which 78xx/88xx phones ask on port 6970 (Cisco phones spec §3.2)."""

from functools import partial
from http import HTTPStatus
from urllib.parse import unquote

from contacts_app.core.net.async_http import HttpListener
from contacts_app.core.net.http_connection import HttpExchange
from contacts_app.core.net.limits import RequestLimits
from phones_app.boot.contents import NotInFileError, Parts, SentContent
from phones_app.boot.fetches import Fetch, FetchReporter
from phones_app.boot.lookup import FileLookup
from phones_app.boot.names import is_of_one_phone

# What is sent in one piece together with its head, and in pieces where it is read.
SMALL_BYTES = 64 * 1024
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

    async def _answer(self, exchange: HttpExchange) -> None:
        request = exchange.request
        if request.method not in ("GET", "HEAD"):
            await exchange.reply(HTTPStatus.METHOD_NOT_ALLOWED, headers={"Allow": "GET, HEAD"})
            return
        # A proxy or a server in front says which model it is in a header of phones, the firmware in its own name.
        agent = request.headers.get("x-CiscoIPPhoneModelName") or request.headers.get("User-Agent")
        fetch = Fetch(unquote(request.path).removeprefix("/"), request.peer, "http", agent[:100])
        file = await self._files.open(fetch)
        if file is None:
            fetch.missing = request.method == "GET"
            self._reporter.report(fetch)
            await exchange.reply(HTTPStatus.NOT_FOUND)
            return
        with file:
            await self._send(exchange, SentContent.of(file), fetch)

    async def _send(self, exchange: HttpExchange, content: SentContent, fetch: Fetch) -> None:
        request = exchange.request
        try:
            asked = request.headers.get("Range") if request.method == "GET" else ""
            part = content.part(asked, request.headers.get("If-Range")) if asked else None
        except NotInFileError:
            none = {"Content-Range": f"bytes */{content.size}"}
            await exchange.reply(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, headers=none)
            return
        is_xml = fetch.file_name.lower().endswith(".xml")
        sent = part or range(content.size)
        headers = {
            "Content-Type": "text/xml" if is_xml else "application/octet-stream",
            "Content-Length": str(len(sent)),
            "ETag": f'"{content.version}"',
            "Accept-Ranges": "bytes",
        }
        if part:
            headers["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{content.size}"
        status = HTTPStatus.PARTIAL_CONTENT if part else HTTPStatus.OK
        if request.method == "HEAD":
            await exchange.send_head(status, headers)
            return
        try:
            await self._send_content(exchange, status, headers, content, sent, fetch)
        except OSError:
            self._reporter.report(fetch)
            raise
        exchange.when_taken(partial(self._taken, fetch, content, part))

    async def _send_content(
        self,
        exchange: HttpExchange,
        status: HTTPStatus,
        headers: dict[str, str],
        content: SentContent,
        sent: range,
        fetch: Fetch,
    ) -> None:
        is_own = is_of_one_phone(fetch.file_name)
        if content.size <= SMALL_BYTES:
            data = content.read(0, content.size)
            if len(data) != content.size:
                raise OSError("the file became shorter")
            if is_own:
                fetch.sent(data)
            await exchange.reply(status, data[sent.start : sent.stop], headers=headers)
        elif not is_own:
            await exchange.send_head(status, headers)
            await exchange.send_file(content.file, sent.start, len(sent))
        else:
            # Evidence is of all of a phone's own file, whatever part it asks for.
            await exchange.send_head(status, headers)
            for start in range(0, content.size, SMALL_BYTES):
                data = content.read(start, SMALL_BYTES)
                fetch.sent(data)
                wanted = data[max(0, sent.start - start) : max(0, sent.stop - start)]
                if wanted:
                    await exchange.send(wanted)
            if fetch.size != content.size:
                raise OSError("the file became shorter")
        fetch.size = content.size

    def _taken(self, fetch: Fetch, content: SentContent, part: range | None, is_taken: bool) -> None:
        fetch.complete = is_taken
        if is_taken and part:
            key = (fetch.address, fetch.agent, fetch.file_name, content.version)
            if not self._parts.add(key, part, content.size):
                return
        self._reporter.report(fetch)
