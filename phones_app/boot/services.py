"""The embedded file server as a row: its account and its address.

The row is what uploads go by; it is written when the server listens, because a port may have been taken.
"""

import secrets
from pathlib import Path

import structlog
from django.conf import settings
from django.db import transaction

from phones_app.servers.models import FileServer

log = structlog.get_logger(__name__)

NAME, USERNAME = "Embedded file server", "patchbay"
WILDCARDS = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104 - compared, not bound


@transaction.atomic
def embedded_file_server() -> FileServer:
    """The row, made if it is missing; its password stays what it was."""
    server = FileServer.objects.filter(is_embedded=True).first()
    if server is None:
        server = FileServer(
            name=NAME,
            is_embedded=True,
            host=reachable(settings.FILE_SERVER_FTP_HOST),
            port=settings.FILE_SERVER_FTP_PORT,
            is_default=not FileServer.objects.filter(account=None, is_default=True).exists(),
        )
    if not server.username or not server.password:
        server.username, server.password = USERNAME, secrets.token_urlsafe(24)
    server.save()
    return server


@transaction.atomic
def record_address(*, ftp: tuple[str, int], http: tuple[str, int]) -> FileServer:
    """The server listens here now: uploads and phones go there. Default if no other shared one is."""
    server = embedded_file_server()
    server.host, server.port, server.directory = reachable(ftp[0]), ftp[1], ""
    others = FileServer.objects.filter(account=None, is_default=True).exclude(pk=server.pk)
    server.is_default = not others.exists()
    server.save(update_fields=["host", "port", "directory", "is_default", "updated_at"])
    _url_file().write_text(url(*http))
    return server


def forget_address(*, http: tuple[str, int]) -> None:
    """The server there has stopped. The row keeps the address, the likeliest one for the next start."""
    if config_url() == url(*http):
        _url_file().unlink(missing_ok=True)


def config_url() -> str:
    """Where phones of this machine fetch their files: where the server listens, else where it would."""
    try:
        return _url_file().read_text()
    except FileNotFoundError:
        return url(settings.FILE_SERVER_HTTP_HOST, settings.FILE_SERVER_HTTP_PORT)


def reachable(host: str) -> str:
    """An address to connect to for one to listen on."""
    return WILDCARDS.get(host, host)


def url(host: str, port: int, scheme: str = "http") -> str:
    """Where clients reach what listens there."""
    host = reachable(host)
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


def _url_file() -> Path:
    # The port on the phones' side is of no concern to uploads, so it stands beside the files, not in the row.
    return settings.DATA_DIR / "phone-files.url"
