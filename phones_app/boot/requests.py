"""Counts what phones ask the embedded file server for, off the path of requests, in one row per phone and name.

What has come together is written every few seconds, in a few statements for hundreds of rows; while thousands ask at once
it waits, because counting takes as long as answering. Counts are for people who look for what is missing: what is lost
when the database is away is lost.
"""

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

import orjson
import structlog
from django.db import DatabaseError, InterfaceError, close_old_connections, connection, transaction
from django.db.models import Count

from contacts_app.core.work import clock
from phones_app.boot.fetches import Fetch, fetches_of
from phones_app.boot.models import RequestedFile
from phones_app.boot.names import without_mac
from phones_app.inventory.models import Phone

log = structlog.get_logger(__name__)
WRITE_SECONDS, LOOK_SECONDS = 5.0, 1.0
BATCH = 500
# While so many requests come in a second, counts are put off, at most for this time.
CROWD_PER_SECOND, PUT_OFF_SECONDS = 500, 30.0
# Requests that wait to be counted, as they were sent: so much is no longer put off, and of more nothing is counted.
MANY_BYTES, MOST_BYTES = 32 * 1024 * 1024, 64 * 1024 * 1024
# So many names are written together, and no more are noted where so many wait to be written.
MANY_WAIT, MOST_WAIT = 20_000, 50_000
# Names of one phone: a set of firmware has some dozens of files. Names of an address at which no phone is known are
# often made up, by scanners, and so are addresses.
NAMES_OF_PHONE, NAMES_OF_ADDRESS, ROWS_OF_ADDRESSES = 150, 40, 20_000
LONGEST_NAME = 200
# All rows are one parameter: thousands of phones start together, each with a dozen names, and the rows of the ORM, or a
# parameter for each value, take several times as long. What another file server has counted meanwhile is added to.
_COLUMNS = {
    "client": "text", "mac": "text", "address": "text", "name": "text", "protocol": "text", "given": "integer",
    "missing": "integer", "refused": "integer", "is_missing": "boolean", "refusal": "text", "shared_file_id": "bigint",
    "size": "bigint", "first_at": "timestamptz", "last_at": "timestamptz", "told_at": "timestamptz",
}  # fmt: skip
_ROWS = {
    "postgresql": ("CAST(value ->> {place} AS {kind})", "jsonb_array_elements(CAST(%s AS jsonb)) AS each(value)"),
    "sqlite": ("json_extract(value, '$[{place}]')", "json_each(%s)"),
}
_UPSERT = """
    INSERT INTO {table} AS t ({names}) SELECT {values} FROM {rows} WHERE true ON CONFLICT (client, name) DO UPDATE SET
        mac = excluded.mac, address = excluded.address, protocol = excluded.protocol,
        given = t.given + excluded.given, missing = t.missing + excluded.missing, refused = t.refused + excluded.refused,
        is_missing = excluded.is_missing, refusal = excluded.refusal, shared_file_id = excluded.shared_file_id,
        size = CASE WHEN excluded.size > 0 THEN excluded.size ELSE t.size END, last_at = excluded.last_at,
        told_at = excluded.told_at
"""


@dataclass(slots=True)
class LastRequest:
    """What a row that is about to be written says of the last request; a listener may set `told_at`."""

    client: str
    mac: str | None
    name: str
    address: str
    protocol: str
    is_missing: bool
    told_at: datetime | None


Listener = Callable[[Sequence[LastRequest]], None]
_listeners: list[Listener] = []


def when_counted(call: Listener) -> None:
    """Have `call` told, in that transaction, of rows of files that are missing, or that were told to be."""
    _listeners.append(call)


class _Key(NamedTuple):
    client: str
    mac: str | None
    name: str


@dataclass
class _Counted:
    """What came of one name since it was written last; times by the steady clock."""

    address: str
    protocol: str
    first: float
    last: float
    given: int = 0
    missing: int = 0
    refused: int = 0
    is_missing: bool = False
    refusal: str = ""
    shared_file: int | None = None
    size: int = 0

    def add(self, other: "_Counted") -> None:
        later = other if other.last >= self.last else self
        self.first, self.last = min(self.first, other.first), max(self.last, other.last)
        self.given, self.missing, self.size = self.given + other.given, self.missing + other.missing, later.size
        self.refused += other.refused
        self.address, self.protocol, self.is_missing = later.address, later.protocol, later.is_missing
        self.refusal, self.shared_file = later.refusal, later.shared_file


Counts = dict[_Key, _Counted]


class RequestCounter:
    """`keep` or `note` from any thread; `start` the thread that writes, `stop` it after the last of them is written."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._kept: deque[bytes] = deque()
        self._bytes = self._asked = 0
        self._waiting: Counts = {}
        self._thread = threading.Thread(target=self._write_on, name="file-server-requests", daemon=True)

    def keep(self, message: bytes, requests: int) -> None:
        """Count the fetches of this message, which are so many, when there is time for it."""
        with self._lock:
            self._asked += requests
            if self._bytes < MOST_BYTES:
                self._kept.append(message)
                self._bytes += len(message)

    def note(self, fetch: Fetch) -> None:
        name = fetch.file_name
        if not name or len(name) > LONGEST_NAME or not name.isprintable():
            return
        counted = _Counted(
            *(fetch.address, fetch.protocol, fetch.began, fetch.began, int(not fetch.missing)),
            *(int(fetch.missing and not fetch.refused), int(bool(fetch.refused)), fetch.missing),
            *(fetch.refused, fetch.shared_file, fetch.size),
        )
        key = _Key(fetch.mac or fetch.address, fetch.mac, without_mac(name))
        with self._lock:
            if key in self._waiting:
                self._waiting[key].add(counted)
            elif len(self._waiting) < MOST_WAIT:
                self._waiting[key] = counted

    def write(self) -> None:
        """Write what waits."""
        while (message := self._next()) is not None:
            for fetch in fetches_of(message):
                self.note(fetch)
            if len(self._waiting) >= MANY_WAIT:
                self._write_noted()
        self._write_noted()

    def _next(self) -> bytes | None:
        with self._lock:
            message = self._kept.popleft() if self._kept else None
            self._bytes -= len(message or b"")
        return message

    def _write_noted(self) -> None:
        with self._lock:
            waiting, self._waiting = self._waiting, {}
        # All of a phone together, as far as a batch goes.
        items = sorted(waiting.items(), key=lambda item: item[0].client)
        for batch in (items[start : start + BATCH] for start in range(0, len(items), BATCH)):
            try:
                _write(batch)
            except (DatabaseError, InterfaceError) as error:
                log.warning("what phones asked for could not be counted", names=len(batch), reason=str(error))

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def _write_on(self) -> None:
        written = time.monotonic()
        while not self._stopping.wait(LOOK_SECONDS):
            asked = self._came()
            after = PUT_OFF_SECONDS if asked >= CROWD_PER_SECOND and self._bytes < MANY_BYTES else WRITE_SECONDS
            if time.monotonic() - written >= after:
                self._write_safely()
                written = time.monotonic()
                self._came()
        self._write_safely()
        connection.close()

    def _came(self) -> int:
        """How many requests came since this was asked last."""
        with self._lock:
            asked, self._asked = self._asked, 0
        return asked

    def _write_safely(self) -> None:
        close_old_connections()
        try:
            self.write()
        except Exception:
            log.exception("what phones asked for could not be counted")


@transaction.atomic
def _write(batch: Iterable[tuple[_Key, _Counted]]) -> int:
    now, steady = clock.now(), time.monotonic()
    counts = _of_known_phones(dict(batch))
    rows = []
    with_room = _with_room(counts)
    told = _told(with_room)
    for key, counted in with_room.items():
        first, last = (now - timedelta(seconds=steady - at) for at in (counted.first, counted.last))
        rows.append([
            *(key.client, key.mac, counted.address, key.name, counted.protocol, counted.given, counted.missing),
            *(counted.refused, counted.is_missing, counted.refusal, counted.shared_file, counted.size),
            *map(connection.ops.adapt_datetimefield_value, (first, last, told[key])),
        ])  # fmt: skip
    if rows:
        value, source = _ROWS[connection.vendor]
        values = ", ".join(value.format(place=place, kind=kind) for place, kind in enumerate(_COLUMNS.values()))
        sql = _UPSERT.format(table=RequestedFile._meta.db_table, names=", ".join(_COLUMNS), values=values, rows=source)
        with connection.cursor() as cursor:
            cursor.execute(sql, [orjson.dumps(rows).decode()])
    return len(rows)


def _told(counts: Counts) -> dict[_Key, datetime | None]:
    """When each file was told to be missing, as the listeners leave it, who see those rows that concern them."""
    rows = RequestedFile.objects.filter(client__in={key.client for key in counts}, told_at__isnull=False).order_by()
    before = {(client, name): at for client, name, at in rows.values_list("client", "name", "told_at")}
    told = {key: before.get((key.client, key.name)) for key in counts}
    heard = {
        key: LastRequest(*key, counted.address, counted.protocol, counted.is_missing, told[key])
        for key, counted in counts.items()
        if counted.is_missing or told[key]
    }
    for listener in _listeners:
        listener(list(heard.values()))
    return told | {key: row.told_at for key, row in heard.items()}


def _with_room(counts: Counts) -> Counts:
    """The same without new names of those who have very many names already."""
    clients = {key.client: NAMES_OF_PHONE if key.mac else NAMES_OF_ADDRESS for key in counts}
    new = Counter(key.client for key in counts)
    rows = RequestedFile.objects.filter(client__in=clients).order_by()
    names = dict(rows.values_list("client").annotate(Count("pk")))
    is_full = any(key.mac is None for key in counts) and _addresses_are_full()
    tight = {client for client, most in clients.items() if names.get(client, 0) + new[client] > most}
    if is_full:
        tight |= {key.client for key in counts if key.mac is None}
    if not tight:
        return counts
    present = set(rows.filter(client__in=tight).values_list("client", "name"))
    found: Counts = {}
    for key, counted in counts.items():
        if key.client in tight and (key.client, key.name) not in present:
            if names.get(key.client, 0) >= clients[key.client] or (key.mac is None and is_full):
                continue
            names[key.client] = names.get(key.client, 0) + 1
        found[key] = counted
    return found


def _of_known_phones(counts: Counts) -> Counts:
    """The same, where what no phone of the inventory asked for is the address's: MAC addresses can be made up."""
    known = set(Phone.objects.filter(mac__in={key.mac for key in counts if key.mac}).values_list("mac", flat=True))
    found: Counts = {}
    for key, counted in counts.items():
        whose = key if key.mac in known else _Key(counted.address, None, key.name)
        if whose in found:
            found[whose].add(counted)
        else:
            found[whose] = counted
    return dict(sorted(found.items(), key=lambda item: (item[0].client, item[0].name)))


def _addresses_are_full() -> bool:
    return RequestedFile.objects.filter(mac=None)[:ROWS_OF_ADDRESSES].count() >= ROWS_OF_ADDRESSES
