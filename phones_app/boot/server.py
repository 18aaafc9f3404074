"""The embedded file server: uploads by FTP, phones read by HTTP or TFTP, all in one folder; each fetch is reported."""

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Self

from pyftpdlib.servers import FTPServer

from contacts_app.core.net.limits import RequestLimits
from contacts_app.core.net.loops import LoopThread, allow_files
from phones_app.boot.fetches import Fetch, FetchReporter
from phones_app.boot.files import PlainFiles
from phones_app.boot.ftp import clear_unfinished, ftp_server
from phones_app.boot.http import FileWeb
from phones_app.boot.lookup import FileLookup
from phones_app.boot.protection import Protection, Refusals
from phones_app.boot.refresh import PortalInMemory
from phones_app.boot.tftp import FileTftp

logger = logging.getLogger(__name__)

# What FTP, TFTP and all the rest take at their limits, with the files that they read; HTTP takes two for a connection.
_OTHER_FILES = 5120
# How long a stop waits for the FTP loop to notice.
_TURN_SECONDS = 0.1


class EmbeddedFileServer:
    """Start in the background with `start` or `with`.

    A port of 0 means any free one; after the start `ftp_port`, `http_port` and `tftp_port` say which. Without
    a `tftp_port` there is no TFTP. FTP and TFTP listen at `host`, too, unless at addresses of their own. `on_fetches` is
    called after complete transfers, from threads of this server. `portal` has what phones are given beside the files
    below `root`. A server starts once.
    """

    def __init__(
        self,
        root: Path,
        host: str = "127.0.0.1",
        ftp_port: int = 2121,
        http_port: int = 6970,
        *,
        username: str,
        password: str,
        on_fetches: Callable[[list[Fetch]], None] = lambda _fetches: None,
        portal: PortalInMemory | None = None,
        tftp_port: int | None = None,
        ftp_host: str = "",
        tftp_host: str = "",
        protection: Protection | None = None,
    ) -> None:
        if not username or not password or username == "anonymous":
            raise ValueError("The file server needs an account with a name and a password")
        self.root = root
        self.host = host
        self.ftp_host = ftp_host or host
        self.tftp_host = tftp_host or host
        self.ftp_port = ftp_port
        self.http_port = http_port
        self.tftp_port = tftp_port
        self._account = (username, password)
        self._reporter = FetchReporter(on_fetches)
        given = FileLookup(PlainFiles(root), portal)
        self._protection = limits = protection or Protection()
        self._refusals = Refusals()
        # Of HTTP and TFTP together: a phone asks by either.
        asking = RequestLimits(
            under_way=limits.under_way_of_address,
            per_second=limits.rate_of_address,
            burst=limits.burst_of_address,
            on_refused=self._refusals.note,
        )
        room = allow_files(limits.connections * 2 + _OTHER_FILES) - _OTHER_FILES
        connections = max(64, min(limits.connections, room // 2))
        of_address = max(1, min(limits.connections_of_address, connections))
        self._web = FileWeb(given, self._reporter, asking, max_connections=connections, max_of_address=of_address)
        self._tftp = FileTftp(given, self._reporter, asking)
        self._loop = LoopThread("file-server-phones")
        self._ftp: FTPServer | None = None
        self._ftp_thread: threading.Thread | None = None
        self._stopping = threading.Event()
        self._changing = threading.Lock()

    def start(self) -> None:
        """Bind the ports and serve in the background; OSError, and nothing left open, if one is taken."""
        with self._changing:
            if self._stopping.is_set():
                return
            try:
                self._bind()
            except OSError:
                self._close()
                raise
            self._ftp_thread = threading.Thread(target=self._turn, name="file-server-ftp", daemon=True)
            self._ftp_thread.start()

    def stop(self) -> None:
        """Stop serving and wait until the last fetch has been reported; from any thread, also more than once."""
        self._stopping.set()
        with self._changing:
            if self._ftp_thread is not None:
                self._ftp_thread.join()
            self._close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _bind(self) -> None:
        self._ftp = ftp_server(
            self.root, (self.ftp_host, self.ftp_port), self._account, self._protection, self._refusals.note
        )
        clear_unfinished(self.root)
        self.ftp_port = self._ftp.address[1]
        self.http_port = self._loop.call(self._web.open(self.host, self.http_port))
        if self.tftp_port is not None:
            self.tftp_port = self._loop.call(self._tftp.open(self.tftp_host, self.tftp_port))

    def _turn(self) -> None:
        assert self._ftp is not None  # noqa: S101 (start() has just made it)
        while not self._stopping.is_set():
            try:
                # Its own serve_forever would log a start at every turn.
                self._ftp.ioloop.loop(timeout=_TURN_SECONDS, blocking=False)
            except Exception:
                logger.exception("The FTP server met an error and continues")

    def _close(self) -> None:
        if self._ftp is not None:
            self._ftp.close_all()
            self._ftp = None
            self._loop.call(self._web.close())
            self._loop.call(self._tftp.close())
            self._loop.stop()
        self._reporter.close()
