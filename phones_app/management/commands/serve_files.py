"""`manage.py serve_files`: the embedded file server. FTP takes files in, HTTP hands them to phones."""

import contextlib
import socket
import threading
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError

from contacts_app.management.reporting import ReportingCommand
from phones_app.management.stopping import until_stopped
from phones_app.services.embedded_server import (
    config_url,
    embedded_file_server,
    fetch_recorder,
    forget_address,
    record_address,
)
from phones_app.simulator.file_server import EmbeddedFileServer


class Command(ReportingCommand):
    help = "Run the embedded file server until SIGTERM or Ctrl-C. A taken port is replaced by a free one."
    writes = False

    def handle(self, **options: Any) -> None:
        row = embedded_file_server()
        settings.PHONE_FILES_DIR.mkdir(parents=True, exist_ok=True)
        with until_stopped() as stopping:
            server = self._start(row.username, row.password, stopping)
            try:
                row = record_address(host=server.host, ftp_port=server.ftp_port, http_port=server.http_port)
                self._announce(f"ftp://{row.host}:{row.port}", config_url())
                stopping.wait()
            finally:
                server.stop()
                forget_address(host=server.host, http_port=server.http_port)

    def _start(self, username: str, password: str, stopping: threading.Event) -> EmbeddedFileServer:
        host = settings.FILE_SERVER_HOST
        wanted = (settings.FILE_SERVER_FTP_PORT, settings.FILE_SERVER_HTTP_PORT)
        # The second try is for a port that somebody took between our look and our start.
        for ports in (tuple(_free_or_any(host, port) for port in wanted), (0, 0)):
            server = EmbeddedFileServer(
                settings.PHONE_FILES_DIR,
                host,
                *ports,
                username=username,
                password=password,
                on_fetch=fetch_recorder(stopping),
            )
            with contextlib.suppress(OSError):
                server.start()
                return server
        raise CommandError(f"Cannot listen on {host}: set FILE_SERVER_HOST to an address of this machine.")

    def _announce(self, uploads: str, phones: str) -> None:
        if self.as_json:
            self.report([{"ftp": uploads, "http": phones, "folder": str(settings.PHONE_FILES_DIR)}])
            self.stdout.flush()
        else:
            self.say(f"files     uploads {uploads}, phones {phones}")


def _free_or_any(host: str, port: int) -> int:
    """The port, or 0 for any free one when it is taken."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return 0
    return port
