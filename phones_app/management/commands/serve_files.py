"""`manage.py serve_files`: the embedded file server. FTP takes files in, HTTP and TFTP hand them to phones."""

import contextlib
import socket
import threading
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError

from contacts_app.core.commands import ReportingCommand, until_stopped
from phones_app.boot.server import EmbeddedFileServer
from phones_app.boot.services import config_url, embedded_file_server, fetch_recorder, forget_address, record_address
from phones_app.management.supervisor import why_taken


class Command(ReportingCommand):
    help = "Run the embedded file server until SIGTERM or Ctrl-C. A taken port is replaced by a free one."
    writes = False
    says_where = False

    def handle(self, **options: Any) -> None:
        row = embedded_file_server()
        settings.PHONE_FILES_DIR.mkdir(parents=True, exist_ok=True)
        with until_stopped() as stopping:
            server = self._start(row.username, row.password, stopping)
            try:
                row = record_address(host=server.host, ftp_port=server.ftp_port, http_port=server.http_port)
                self._announce(f"ftp://{row.host}:{row.port}", server.tftp_port)
                stopping.wait()
            finally:
                server.stop()
                forget_address(host=server.host, http_port=server.http_port)

    def _start(self, username: str, password: str, stopping: threading.Event) -> EmbeddedFileServer:
        host = settings.FILE_SERVER_HOST
        wanted: dict[str, Any] = {
            "ftp_port": _free_or_any(host, settings.FILE_SERVER_FTP_PORT),
            "http_port": _free_or_any(host, settings.FILE_SERVER_HTTP_PORT),
            "tftp_port": _free_or_any(host, settings.FILE_SERVER_TFTP_PORT, socket.SOCK_DGRAM),
        }
        # The second try is for a port that somebody took between our look and our start.
        for ports in (wanted, dict.fromkeys(wanted, 0)):
            server = EmbeddedFileServer(
                settings.PHONE_FILES_DIR,
                host,
                username=username,
                password=password,
                on_fetch=fetch_recorder(stopping),
                **ports,
            )
            with contextlib.suppress(OSError):
                server.start()
                return server
        raise CommandError(f"Cannot listen on {host}: set FILE_SERVER_HOST to an address of this machine.")

    def _announce(self, uploads: str, tftp_port: int | None) -> None:
        phones = config_url()
        tftp = f"tftp{phones.removeprefix('http').rpartition(':')[0]}:{tftp_port}"
        if self.as_json:
            self.report_row(ftp=uploads, http=phones, tftp=tftp, folder=str(settings.PHONE_FILES_DIR))
            self.stdout.flush()
        else:
            self.announce("files", f"uploads {uploads}, phones {phones} and {tftp}")


def _free_or_any(host: str, port: int, kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """The port, or 0 for any free one when it is taken or not for us to take."""
    return 0 if why_taken(host, port, kind) else port
