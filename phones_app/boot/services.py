"""The embedded file server as a row: its account, its address, and the fetches it saw.

The row is what uploads go by; it is written when the server listens, because a port may have been taken.
"""

import re
import secrets
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import structlog
from django.conf import settings
from django.db import DatabaseError, InterfaceError, close_old_connections, transaction

from contacts_app.core.work import clock
from contacts_app.core.work.lease import update_unlocked
from phones_app.boot.fetches import Fetch
from phones_app.boot.models import FileFetch
from phones_app.inventory.models import Phone
from phones_app.servers.models import FileServer
from profiles_app.phone.sep.file_names import mac_of_file_name

log = structlog.get_logger(__name__)

NAME, USERNAME = "Embedded file server", "patchbay"
WILDCARDS = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104 - compared, not bound
# Pauses before a fetch that was not written down is tried again; in sum less than a supervisor waits.
RETRY_PAUSES = (0.2, 0.5, 1.0, 2.0, 3.0)
# Another file that a phone asks for within this time after its own means that it accepted its own.
FOLLOWING = timedelta(minutes=2)
# So many of the last fetches from an address are looked at to see whether they are of one phone.
SEQUELS = 5
# Names of files as phones ask for them, in a folder of their language or in none.
_COMPANION = re.compile(r"[\w ./+-]{1,200}\.\w{2,8}")
# What phones ask for whether they accept their file or not: trust lists and what is for all of them, which come before it
# at every try, their file under another name, and the file for phones that have none (Cisco phones spec §3.3, §3.4).
_PROVES_NOTHING = re.compile(
    r"(CTL|ITL)(SEP[0-9A-F]{12}|File)\.tlv(\..+)?|(SEP|SIP|ATA)[0-9A-F]{12}.*|XMLDefault.*\.cnf\.xml.*"
    r"|OS79XX\.TXT|SIPDefault\.cnf",
    re.IGNORECASE,
)


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


FetchListener = Callable[[FileFetch], None]
_listeners: list[FetchListener] = []


def register(listener: FetchListener) -> None:
    """Have `listener` called with each fetch of a phone's own file, in the transaction in which it is stored.

    It is called again with the same fetch when the phone continues to another file (`followed_by`).
    """
    _listeners.append(listener)


def fetch_recorder(stopping: threading.Event) -> Callable[[Fetch], None]:
    """A function that stores a fetch, and tries again while the database is away."""

    def record(fetch: Fetch) -> None:
        for pause in (*RETRY_PAUSES, None):
            try:
                close_old_connections()
                record_fetch(fetch)
                return
            except (DatabaseError, InterfaceError) as error:
                if pause is None or stopping.is_set():
                    log.error("a fetch could not be written down", file=fetch.file_name, reason=str(error))
                    return
                stopping.wait(pause)

    return record


@transaction.atomic
def record_fetch(fetch: Fetch) -> None:
    """Store that a phone fetched its file, or which other file it asked for after that."""
    at = clock.now() - fetch.age
    mac = mac_of_file_name(fetch.file_name)
    if mac is None:
        if row := _followed(fetch, at):
            _tell(row)
        return
    if fetch.missing:
        return
    row = FileFetch.objects.create(
        mac=mac,
        file_name=fetch.file_name,
        sha256=fetch.sha256,
        size=fetch.size,
        address=fetch.address,
        protocol=fetch.protocol,
        fetched_at=at,
    )
    # The listeners first, because deployments are locked before phones everywhere.
    _tell(row)
    # Not worth a wait for a locked row: thousands of fetches may follow this one.
    update_unlocked(Phone.objects.filter(mac=mac), last_seen_at=at)


def _tell(row: FileFetch) -> None:
    for listener in _listeners:
        listener(row)


def _followed(fetch: Fetch, at: datetime) -> FileFetch | None:
    """The fetch of a phone's own file that this is the first sequel to, noted in its row; a missing file is one too.

    Who asks is known by the address alone. Where several phones have one, as behind a router, it could be any of them.
    """
    if not _COMPANION.fullmatch(fetch.file_name) or _PROVES_NOTHING.fullmatch(fetch.file_name):
        return None
    recent = FileFetch.objects.filter(address=fetch.address, fetched_at__gt=at - FOLLOWING, fetched_at__lte=at)
    latest = list(recent.order_by("-fetched_at")[:SEQUELS])
    if not latest or latest[0].followed_by or len({row.mac for row in latest}) > 1:
        return None
    latest[0].followed_by = fetch.file_name[:255]
    latest[0].save(update_fields=["followed_by"])
    return latest[0]


def url(host: str, port: int, scheme: str = "http") -> str:
    """Where clients reach what listens there."""
    host = reachable(host)
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


def _url_file() -> Path:
    # The port on the phones' side is of no concern to uploads, so it stands beside the files, not in the row.
    return settings.DATA_DIR / "phone-files.url"
