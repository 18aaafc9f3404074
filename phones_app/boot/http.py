"""The read-only HTTP side of the file server, which 78xx/88xx phones ask on port 6970 (Cisco phones spec §3.2)."""

import os
from http import HTTPStatus
from io import FileIO
from urllib.parse import unquote

from contacts_app.core.net.async_http import HttpExchange, HttpListener
from phones_app.boot.fetches import Fetch, FetchReporter
from phones_app.boot.lookup import FileLookup

MAX_CONNECTIONS = 512
# A whole site may be behind one address; the rest is for others.
MAX_OF_ADDRESS = 384
CHUNK_BYTES = 64 * 1024


class FileWeb:
    """GET and HEAD of the files in one folder and those below it; everything else is not found."""

    def __init__(self, files: FileLookup, reporter: FetchReporter) -> None:
        self._files = files
        self._reporter = reporter
        self._listener = HttpListener(self._answer, max_connections=MAX_CONNECTIONS, max_of_address=MAX_OF_ADDRESS)

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
        agent = request.headers.get("x-CiscoIPPhoneModelName") or request.headers.get("User-Agent") or ""
        fetch = Fetch(unquote(request.path).removeprefix("/"), request.peer, "http", agent[:100])
        file = await self._files.open(fetch)
        if file is None:
            fetch.missing = request.method == "GET"
            self._reporter.report(fetch)
            await exchange.reply(HTTPStatus.NOT_FOUND)
            return
        with file:
            await self._send(exchange, file, fetch)

    async def _send(self, exchange: HttpExchange, file: FileIO, fetch: Fetch) -> None:
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
        is_xml = fetch.file_name.lower().endswith(".xml")
        content_type = "text/xml" if is_xml else "application/octet-stream"
        headers = {"Content-Type": content_type, "Content-Length": str(size)}
        try:
            await exchange.send_head(HTTPStatus.OK, headers)
            if exchange.request.method == "HEAD":
                return
            while chunk := file.read(min(CHUNK_BYTES, size - fetch.size)):
                await exchange.send(chunk)
                fetch.sent(chunk)
            fetch.complete = await exchange.finish() and fetch.size == size
        finally:
            if exchange.request.method == "GET":
                self._reporter.report(fetch)
