"""Writes down which phones fetched their files, and tells those who wait for it (Cisco phones spec §2.7).

Thousands of phones start at the same time: fetches come in batches, and those that nobody waits for are written together.
"""

import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime, timedelta

import structlog
from django.db import DatabaseError, InterfaceError, close_old_connections, transaction

from contacts_app.core.work import clock
from contacts_app.core.work.lease import update_unlocked
from phones_app.boot.fetches import Fetch
from phones_app.boot.models import FileFetch
from phones_app.boot.sequels import FOLLOWING, says_something
from phones_app.inventory.models import Phone
from profiles_app.phone.sep.catalogue import mac_of_file_name

log = structlog.get_logger(__name__)

# Pauses before a fetch that was not written down is tried again; in sum less than a supervisor waits.
RETRY_PAUSES = (0.2, 0.5, 1.0, 2.0, 3.0)
# So many of the last fetches from an address are looked at to see whether they are of one phone.
SEQUELS = 5
FetchListener = Callable[[FileFetch], None]
# Of which of these phones (MAC addresses) a listener wants to be told.
Awaits = Callable[[Collection[str]], Collection[str]]
_listeners: list[tuple[FetchListener, Awaits]] = []


def register(listener: FetchListener, awaits: Awaits = lambda macs: macs) -> None:
    """Have `listener` called with each fetch of a phone's own file, in the transaction in which it is stored.

    It is called again with the same fetch when the phone continues to another file (`followed_by`). `awaits`: only with
    those of these phones.
    """
    _listeners.append((listener, awaits))


def fetch_recorder(stopping: threading.Event) -> Callable[[Sequence[Fetch]], None]:
    """A function that stores fetches, and tries again while the database is away."""

    def record(fetches: Sequence[Fetch]) -> None:
        waiting = list(fetches)
        for pause in (*RETRY_PAUSES, None):
            try:
                close_old_connections()
                record_fetches(waiting)
                return
            except (DatabaseError, InterfaceError) as error:
                if pause is None or stopping.is_set():
                    log.error("fetches could not be written down", number=len(waiting), reason=str(error))
                    return
                stopping.wait(pause)

    return record


def record_fetch(fetch: Fetch) -> None:
    record_fetches([fetch])


def record_fetches(waiting: list[Fetch]) -> None:
    """Store that phones fetched their files, or which other file they asked for after that.

    Those of one address are in their order. What is stored is taken out of the list.
    """
    while waiting:
        for stored in _stored(*_first(waiting)):
            done = set(map(id, stored))
            waiting[:] = [fetch for fetch in waiting if id(fetch) not in done]


def _first(waiting: list[Fetch]) -> tuple[list[Fetch], list[Fetch]]:
    """Fetches of own files, and those of others after them: until a phone fetches its own once more after another."""
    own, others, asked_else = [], [], set()
    for fetch in waiting:
        if mac_of_file_name(fetch.file_name) is None:
            others.append(fetch)
            if says_something(fetch):
                asked_else.add(fetch.address)
        elif fetch.address in asked_else:
            break
        else:
            own.append(fetch)
    return own, others


def _stored(own: list[Fetch], others: list[Fetch]) -> Iterator[list[Fetch]]:
    """What was stored, after each transaction."""
    yield [fetch for fetch in own if fetch.missing]
    began = _steady_began()
    named = [(mac, fetch) for fetch in own if not fetch.missing and (mac := mac_of_file_name(fetch.file_name))]
    rows = [_row(mac, fetch, began) for mac, fetch in named]
    times = Counter(row.mac for row in rows)
    sequels = _sequels(others, rows, began)
    awaited = {mac for mac, number in times.items() if number > 1}
    awaited |= _awaited(times.keys() | {row.mac for row, _ in sequels})
    together = [row for row in rows if row.mac not in awaited]
    if together:
        for row, name in sequels:
            if row.pk is None and row.mac not in awaited:
                row.followed_by = name
        with transaction.atomic():
            FileFetch.objects.bulk_create(together)
            _seen([row.mac for row in together], max(row.fetched_at for row in together))
        yield [fetch for mac, fetch in named if mac not in awaited]
    for row, (_, fetch) in zip(rows, named, strict=True):
        if row.mac in awaited:
            with transaction.atomic():
                row.save()
                # The listeners first, because deployments are locked before phones everywhere.
                _tell(row)
                _seen([row.mac], row.fetched_at)
            yield [fetch]
    by_name: defaultdict[str, list[int]] = defaultdict(list)
    for row, name in sequels:
        if row.mac not in awaited and not row.followed_by:
            by_name[name].append(row.pk)
    for name, keys in by_name.items():
        FileFetch.objects.filter(pk__in=keys).update(followed_by=name)
    for row, name in sequels:
        if row.mac in awaited:
            row.followed_by = name
            with transaction.atomic():
                row.save(update_fields=["followed_by"])
                _tell(row)
    yield others


def _row(mac: str, fetch: Fetch, began: datetime) -> FileFetch:
    return FileFetch(
        mac=mac,
        file_name=fetch.file_name,
        sha256=fetch.sha256,
        size=fetch.size,
        address=fetch.address,
        protocol=fetch.protocol,
        fetched_at=began + timedelta(seconds=fetch.began),
    )


def _steady_began() -> datetime:
    """When the steady clock began, by ours: what came a moment later is later also where it is written by itself.

    Both clocks are read in one moment, in which a busy processor may be given to others: the shortest of some counts.
    """
    moments = []
    for _ in range(3):
        before, now = time.monotonic(), clock.now()
        moments.append((time.monotonic() - before, now - timedelta(seconds=before)))
    return min(moments)[1]


def _seen(macs: list[str], at: datetime) -> None:
    # Not worth a wait for a locked row: thousands of fetches may follow this one.
    update_unlocked(Phone.objects.filter(mac__in=macs), last_seen_at=at)


def _awaited(macs: Collection[str]) -> set[str]:
    return {mac for _, awaits in _listeners for mac in awaits(macs)} if macs else set()


def _tell(row: FileFetch) -> None:
    for listener, _ in _listeners:
        listener(row)


def _sequels(fetches: list[Fetch], new: list[FileFetch], began: datetime) -> list[tuple[FileFetch, str]]:
    """The fetches of own files, new ones and stored ones, to which these are the first sequel, and what it asks for.

    A missing file is one too. Who asks is known by the address alone. Where several phones have one, as behind a router,
    it could be any of them.
    """
    asked = [(fetch, began + timedelta(seconds=fetch.began)) for fetch in fetches if says_something(fetch)]
    if not asked:
        return []
    since = min(at for _, at in asked) - FOLLOWING
    recent = FileFetch.objects.filter(address__in={fetch.address for fetch, _ in asked}, fetched_at__gt=since)
    rows: defaultdict[str, list[FileFetch]] = defaultdict(list)
    for row in sorted([*recent, *new], key=lambda row: row.fetched_at, reverse=True):
        rows[row.address].append(row)
    sequels: dict[int, tuple[FileFetch, str]] = {}
    for fetch, at in asked:
        latest = [row for row in rows[fetch.address] if at - FOLLOWING < row.fetched_at <= at][:SEQUELS]
        if latest and not latest[0].followed_by and len({row.mac for row in latest}) == 1:
            sequels.setdefault(id(latest[0]), (latest[0], fetch.file_name[:255]))
    return list(sequels.values())
