"""The limits of the embedded file server, and what is said of those who met them (boot server spec §7)."""

import time
from dataclasses import dataclass
from typing import Self

import structlog
from django.conf import settings

from contacts_app.core.metrics import Counted

log = structlog.get_logger(__name__)

# Seconds between two lines of the log about refusals of one kind.
LINE_SECONDS = 60.0
REFUSED = Counted(
    "patchbay_file_server_refused_total",
    "Connections and requests of phones and uploads that the embedded file server refused, by the limit they met.",
    "limit",
)


@dataclass(frozen=True)
class Protection:
    """Numbers of connections and requests; 0 requests stand for any number of them."""

    connections: int = 4096
    connections_of_address: int = 2048
    under_way_of_address: int = 1024
    rate_of_address: float = 500.0
    burst_of_address: float = 30_000.0
    ftp_of_address: int = 48
    ftp_log_ins_of_address: int = 32

    @classmethod
    def of_settings(cls) -> Self:
        return cls(
            connections=settings.FILE_SERVER_CONNECTIONS,
            connections_of_address=settings.FILE_SERVER_CONNECTIONS_PER_ADDRESS,
            under_way_of_address=settings.FILE_SERVER_UNDER_WAY_PER_ADDRESS,
            rate_of_address=settings.FILE_SERVER_RATE_PER_ADDRESS,
            burst_of_address=settings.FILE_SERVER_BURST_PER_ADDRESS,
            ftp_of_address=settings.FILE_SERVER_FTP_CONNECTIONS_PER_ADDRESS,
            ftp_log_ins_of_address=settings.FILE_SERVER_FTP_LOG_INS_PER_ADDRESS,
        )


class Refusals:
    """Counts them, and writes a line now and then: one for each would be what an attacker wants."""

    def __init__(self) -> None:
        self._written: dict[str, float] = {}
        self._since: dict[str, int] = {}

    def note(self, address: str, limit: str) -> None:
        REFUSED.add(limit)
        self._since[limit] = self._since.get(limit, 0) + 1
        now = time.monotonic()
        if now - self._written.get(limit, -LINE_SECONDS) >= LINE_SECONDS:
            self._written[limit] = now
            log.warning("the file server refused clients", limit=limit, times=self._since.pop(limit, 1), last=address)
