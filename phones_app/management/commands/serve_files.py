"""`manage.py serve_files`: the embedded file server. FTP takes files in, HTTP and TFTP hand them to phones."""

import contextlib
import gc
import socket
from collections.abc import Callable, Iterator
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError

from contacts_app.core.commands import ReportingCommand, until_stopped
from phones_app.boot.fetches import Fetch
from phones_app.boot.protection import Protection
from phones_app.boot.refresh import PortalInMemory
from phones_app.boot.server import EmbeddedFileServer
from phones_app.boot.services import config_url, embedded_file_server, forget_address, record_address, url
from phones_app.boot.writing import WritingProcess
from phones_app.management.supervisor import why_taken

# How often it is looked whether all of us live.
LOOK_SECONDS = 1.0


class Command(ReportingCommand):
    help = "Run the embedded file server until SIGTERM or Ctrl-C. A taken port is replaced by a free one."
    writes = False
    says_where = False

    def handle(self, **options: object) -> None:
        row = embedded_file_server()
        settings.PHONE_FILES_DIR.mkdir(parents=True, exist_ok=True)
        with until_stopped() as stopping, _writing() as writing:
            portal = PortalInMemory()
            portal.load()
            # What is there now stays; to look through it for garbage again and again takes time from phones.
            gc.freeze()
            server = self._start(row.username, row.password, writing.send, portal)
            portal.start()
            http = (server.host, server.http_port)
            try:
                row = record_address(ftp=(server.ftp_host, server.ftp_port), http=http)
                self._announce(f"ftp://{row.host}:{row.port}", url(server.tftp_host, server.tftp_port or 0, "tftp"))
                while not stopping.wait(LOOK_SECONDS):
                    if not writing.is_alive:
                        raise CommandError("The process that writes down what phones fetch has died.")
            finally:
                server.stop()
                portal.stop()
                forget_address(http=http)

    def _start(
        self, username: str, password: str, on_fetches: Callable[[list[Fetch]], None], portal: PortalInMemory
    ) -> EmbeddedFileServer:
        hosts = {
            "host": settings.FILE_SERVER_HTTP_HOST,
            "ftp_host": settings.FILE_SERVER_FTP_HOST,
            "tftp_host": settings.FILE_SERVER_TFTP_HOST,
        }
        wanted: dict[str, Any] = {
            "ftp_port": _free_or_any(hosts["ftp_host"], settings.FILE_SERVER_FTP_PORT),
            "http_port": _free_or_any(hosts["host"], settings.FILE_SERVER_HTTP_PORT),
            "tftp_port": _free_or_any(hosts["tftp_host"], settings.FILE_SERVER_TFTP_PORT, socket.SOCK_DGRAM),
        }
        # The second try is for a port that somebody took between our look and our start.
        for ports in (wanted, dict.fromkeys(wanted, 0)):
            server = EmbeddedFileServer(
                settings.PHONE_FILES_DIR,
                username=username,
                password=password,
                on_fetches=on_fetches,
                protection=Protection.of_settings(),
                portal=portal,
                **hosts,
                **ports,
            )
            with contextlib.suppress(OSError):
                server.start()
                return server
        there = ", ".join(dict.fromkeys(hosts.values()))
        raise CommandError(
            f"Cannot listen on {there}: set FILE_SERVER_HOST and FILE_SERVER_FTP_HOST to addresses of this machine."
        )

    def _announce(self, uploads: str, tftp: str) -> None:
        phones = config_url()
        if self.as_json:
            self.report_row(ftp=uploads, http=phones, tftp=tftp, folder=str(settings.PHONE_FILES_DIR))
            self.stdout.flush()
        else:
            self.announce("files", f"uploads {uploads}, phones {phones} and {tftp}")


@contextlib.contextmanager
def _writing() -> Iterator[WritingProcess]:
    writing = WritingProcess()
    writing.start()
    try:
        yield writing
    finally:
        writing.stop()


def _free_or_any(host: str, port: int, kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """The port, or 0 for any free one when it is taken or not for us to take."""
    return 0 if why_taken(host, port, kind) else port
