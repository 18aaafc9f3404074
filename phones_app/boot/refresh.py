"""Keeps what the file server has in memory in step with the database, so that no request has to ask it.

Each change of a shared file, a firmware or a phone has a historical row, written in the transaction of the change. One
small query a second tells of new ones, whichever process wrote them. They may be committed in another order than that of
their numbers, so those of the last minute are looked at again.
"""

import threading
import time
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import structlog
from django.db import DatabaseError, InterfaceError, close_old_connections, connection
from django.db.models import Max, Model, QuerySet, Value

from contacts_app.core.history.models import tracked_models
from contacts_app.core.work import clock
from phones_app.boot.known_phones import KnownPhones
from phones_app.boot.models import FileFetch
from phones_app.boot.shared_rows import RowPlace, SharedRows
from phones_app.firmware.models import Firmware
from phones_app.inventory.models import Phone
from phones_app.shared_files.models import SharedFile

log = structlog.get_logger(__name__)
POLL_SECONDS = 1.0
# How long after a higher number one may be committed.
LATE_SECONDS = 60.0
# Numbers that may have been given out and not committed when all is read.
LATE_NUMBERS = 1000
# After this time all is read again, for changes without a historical row, such as those of a restored backup.
RELOAD_SECONDS = 3600.0
BATCH = 500
MODELS: tuple[type[Model], ...] = (SharedFile, Firmware, Phone)
# An older fetch does not say any more where the phone is.
SEEN_WITHIN = timedelta(days=30)


class PortalInMemory:
    """`load` once, then `start` the thread that follows changes, and `stop` it."""

    def __init__(self) -> None:
        self.phones = KnownPhones()
        self.shared = SharedRows()
        self._changes = [_Changes(number, model) for number, model in enumerate(MODELS)]
        self._loaded_at = 0.0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._follow_on, name="file-server-rows", daemon=True)

    def load(self) -> None:
        """All of it. What is changed meanwhile is read once more by the first `follow`."""
        for changes in self._changes:
            changes.begin()
        self.phones.load()
        self.shared.load()
        if not self._loaded_at:
            self._seed()
        self._loaded_at = time.monotonic()

    def follow(self) -> None:
        """Take up what was changed since it was called last."""
        if time.monotonic() - self._loaded_at > RELOAD_SECONDS:
            self.load()
            return
        first, *others = (changes.ids() for changes in self._changes)
        found: dict[int, list[int]] = {}
        for number, key in first.union(*others, all=True):
            found.setdefault(number, []).append(key)
        for changes in self._changes:
            new = changes.new(found.get(changes.number, ()))
            for start in range(0, len(new), BATCH):
                self._take(changes, new[start : start + BATCH])
            changes.seen(new)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def _take(self, changes: "_Changes", new: list[int]) -> None:
        rows = changes.rows(new)
        if changes.model is SharedFile:
            places = [
                RowPlace(row.id, (row.account_id, row.phone_id), path)
                for row in rows
                for path in (row.path, *_before(row, "path"))
            ]
            if any(_before(row, "account") or _before(row, "phone") for row in rows):
                self.shared.load()
            else:
                self.shared.changed({row.id for row in rows}, places)
        elif changes.model is Firmware:
            self.shared.load_firmware()
        else:
            self.phones.changed(
                {row.id for row in rows}, {mac for row in rows for mac in (row.mac, *_before(row, "mac"))}
            )

    def _seed(self) -> None:
        """Where phones fetched their files before this start, the latest last."""
        since, now, steady = clock.now() - SEEN_WITHIN, clock.now(), time.monotonic()
        fetches = FileFetch.objects.filter(fetched_at__gt=since).order_by().values_list("address", "mac")
        for address, mac, at in fetches.annotate(last=Max("fetched_at")).order_by("last").iterator():
            if self.phones.get(mac) is not None:
                self.phones.named(mac, address, steady - (now - at).total_seconds())

    def _follow_on(self) -> None:
        while not self._stopping.wait(POLL_SECONDS):
            close_old_connections()
            try:
                self.follow()
            except (DatabaseError, InterfaceError) as error:
                log.warning("changes of shared files could not be read", reason=str(error))
            except Exception:
                log.exception("changes of shared files could not be read")
        connection.close()


class _Changes:
    """The historical rows of one model, each of which is new once."""

    def __init__(self, number: int, model: type[Model]) -> None:
        self.number, self.model = number, model
        self._above = 0
        self._seen: dict[int, float] = {}

    def _rows(self) -> "QuerySet[Any]":
        return tracked_models[self.model].rows_of_model()

    def begin(self) -> None:
        """What is there now is known, and is about to be read."""
        newest = self._rows().order_by().aggregate(newest=Max("history_id"))["newest"] or 0
        self._above = max(newest - LATE_NUMBERS, 0)
        self._seen.clear()
        self.seen(self._rows().filter(history_id__gt=self._above).order_by().values_list("history_id", flat=True))

    def ids(self) -> "QuerySet[Any, tuple[int, int]]":
        rows = self._rows().filter(history_id__gt=self._above).order_by()
        found: QuerySet[Any, tuple[int, int]] = rows.annotate(number=Value(self.number)).values_list(
            "number", "history_id"
        )
        return found

    def new(self, found: Iterable[int]) -> list[int]:
        return [key for key in found if key not in self._seen]

    def seen(self, keys: Iterable[int]) -> None:
        """Remember these. What is older than any that can still come need not be looked at again."""
        now = time.monotonic()
        self._seen.update(dict.fromkeys(keys, now))
        old = [key for key, at in self._seen.items() if at < now - LATE_SECONDS]
        if old:
            self._above = max(old)
            self._seen = {key: at for key, at in self._seen.items() if key > self._above}

    def rows(self, keys: list[int]) -> list[Any]:
        return list(self._rows().filter(history_id__in=keys).order_by())


def _before(row: Any, field: str) -> list[Any]:
    """What the field was before this change, if it changed."""
    return [row.history_changes[field][0]] if row.history_type == "~" and field in row.history_changes else []
