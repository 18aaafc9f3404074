"""Writes down which phones fetched their files, and tells those who wait for it (Cisco phones spec §2.7).

Thousands of phones start at the same time: fetches come in batches, and those that nobody waits for are written together.
"""

import re
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime, timedelta

import structlog
from django.db import DatabaseError, InterfaceError, close_old_connections, transaction

from contacts_app.core.work import clock
from contacts_app.core.work.lease import update_unlocked
from phones_app.boot.fetches import Fetch
from phones_app.boot.models import FileFetch
from phones_app.inventory.models import Phone
from profiles_app.phone.sep.catalogue import mac_of_file_name

log = structlog.get_logger(__name__)

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
            if _says_something(fetch):
                asked_else.add(fetch.address)
        elif fetch.address in asked_else:
            break
        else:
            own.append(fetch)
    return own, others


def _stored(own: list[Fetch], others: list[Fetch]) -> Iterator[list[Fetch]]:
    """What was stored, after each transaction."""
    yield [fetch for fetch in own if fetch.missing]
    named = [(mac, fetch) for fetch in own if not fetch.missing and (mac := mac_of_file_name(fetch.file_name))]
    times = Counter(mac for mac, _ in named)
    awaited = {mac for mac, number in times.items() if number > 1} | _awaited(times)
    together = [(mac, fetch) for mac, fetch in named if mac not in awaited]
    if together:
        with transaction.atomic():
            rows = FileFetch.objects.bulk_create([_row(mac, fetch) for mac, fetch in together])
            _seen([row.mac for row in rows], max(row.fetched_at for row in rows))
        yield [fetch for _, fetch in together]
    for mac, fetch in named:
        if mac in awaited:
            with transaction.atomic():
                row = _row(mac, fetch)
                row.save()
                # The listeners first, because deployments are locked before phones everywhere.
                _tell(row)
                _seen([mac], row.fetched_at)
            yield [fetch]
    followed = _followed(others)
    awaited |= _awaited({row.mac for row in followed} - set(times))
    by_name: defaultdict[str, list[int]] = defaultdict(list)
    for row in followed:
        if row.mac not in awaited:
            by_name[row.followed_by].append(row.pk)
    for name, keys in by_name.items():
        FileFetch.objects.filter(pk__in=keys).update(followed_by=name)
    for row in followed:
        if row.mac in awaited:
            with transaction.atomic():
                row.save(update_fields=["followed_by"])
                _tell(row)
    yield others


def _row(mac: str, fetch: Fetch) -> FileFetch:
    return FileFetch(
        mac=mac,
        file_name=fetch.file_name,
        sha256=fetch.sha256,
        size=fetch.size,
        address=fetch.address,
        protocol=fetch.protocol,
        fetched_at=_at(fetch),
    )


def _at(fetch: Fetch) -> datetime:
    return clock.now() - fetch.age


def _seen(macs: list[str], at: datetime) -> None:
    # Not worth a wait for a locked row: thousands of fetches may follow this one.
    update_unlocked(Phone.objects.filter(mac__in=macs), last_seen_at=at)


def _awaited(macs: Collection[str]) -> set[str]:
    return {mac for _, awaits in _listeners for mac in awaits(macs)} if macs else set()


def _tell(row: FileFetch) -> None:
    for listener, _ in _listeners:
        listener(row)


def _says_something(fetch: Fetch) -> bool:
    return bool(_COMPANION.fullmatch(fetch.file_name) and not _PROVES_NOTHING.fullmatch(fetch.file_name))


def _followed(fetches: list[Fetch]) -> list[FileFetch]:
    """The fetches of phones' own files to which these are the first sequel, with that noted; a missing file is one too.

    Who asks is known by the address alone. Where several phones have one, as behind a router, it could be any of them.
    """
    sequels = [(fetch, _at(fetch)) for fetch in fetches if _says_something(fetch)]
    if not sequels:
        return []
    since = min(at for _, at in sequels) - FOLLOWING
    recent = FileFetch.objects.filter(address__in={fetch.address for fetch, _ in sequels}, fetched_at__gt=since)
    rows: defaultdict[str, list[FileFetch]] = defaultdict(list)
    for row in recent.order_by("-fetched_at"):
        rows[row.address].append(row)
    followed = []
    for fetch, at in sequels:
        latest = [row for row in rows[fetch.address] if at - FOLLOWING < row.fetched_at <= at][:SEQUELS]
        if latest and not latest[0].followed_by and len({row.mac for row in latest}) == 1:
            latest[0].followed_by = fetch.file_name[:255]
            followed.append(latest[0])
    return followed
