"""Numbers for Prometheus: what is counted, in all processes of a machine, and what is asked for when somebody looks.

A subject declares a `Counted` or a `Timed` beside the code that counts. Each process counts in a file of its own in the
data folder, which the library maps into memory; whichever process is asked adds them up. The names of the files are
numbers that only one living process has, and its successor continues its file: so there are never more files than
processes, and no number falls when one ends.
"""

import fcntl
import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import cache
from itertools import count
from pathlib import Path
from typing import IO, Any, ClassVar

import structlog
from django.conf import settings

from contacts_app.core.disk import room
from contacts_app.core.work import clock
from contacts_app.core.work.kind import queues
from contacts_app.core.work.models import WorkStatus
from contacts_app.core.work.wake import SWEEP

log = structlog.get_logger(__name__)
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
# Of what a process counts there is a file for each; this much holds a thousand numbers.
KINDS = ("counter", "histogram")
FILE_BYTES = 256 * 1024
_lock = threading.Lock()
# The process, its number, and the file whose lock says that it has it.
_held: tuple[int, int, IO[str] | None] = (0, 0, None)


def _folder() -> Path:
    return Path(settings.DATA_DIR, "metrics")


def _number() -> int:
    """A number that no other living process has, for as long as this one lives; a forked one gets one of its own."""
    global _held
    pid = os.getpid()
    if _held[0] == pid:
        return _held[1]
    for number in count():
        lock = (_folder() / f"{number}.lock").open("w")
        with suppress(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        lock.close()
    for kind in KINDS:
        _prepare(_folder() / f"{kind}_{number}.db")
    _held = (pid, number, lock)
    return number


def _prepare(file: Path) -> None:
    """A whole file with all the room that it will want: a process dies that writes to a part which the disk has not.

    A machine that lost its power may have left half of one, at which every count would fail.
    """
    from prometheus_client import mmap_dict

    library: Any = mmap_dict
    try:
        list(library.MmapedDict.read_all_values_from_file(file))
    except Exception:
        file.unlink(missing_ok=True)
        with file.open("wb") as new:
            os.posix_fallocate(new.fileno(), 0, FILE_BYTES)


@cache
def _library() -> Any:
    """The library, with the files as its way to count. Commands that count nothing do not load it."""
    # Where the library would make files under names of its own choice.
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(_folder())
    import prometheus_client

    values: Any = prometheus_client.values
    try:
        _folder().mkdir(parents=True, exist_ok=True)
        values.ValueClass = values.MultiProcessValue(_number)
    except OSError as error:
        # Work is not to fail because it cannot be counted.
        log.warning("this process counts for itself alone", reason=str(error))
        values.ValueClass = values.MutexValue
    return prometheus_client


class Counted:
    """How often something has happened, by labels. Its name ends in `_total`."""

    declared: ClassVar[list["Counted"]] = []
    kind = "Counter"

    def __init__(self, name: str, text: str, *labels: str, **options: Any) -> None:
        self.name, self.text, self.labels, self.options = name, text, labels, options
        self._metric: Any = None
        self.declared.append(self)

    def metric(self) -> Any:
        if self._metric is None:
            # Two of one name, made by two threads, would each write its own number over the other's.
            with _lock:
                make = getattr(_library(), self.kind)
                self._metric = self._metric or make(self.name, self.text, self.labels, registry=None, **self.options)
        return self._metric

    def add(self, *labels: str, by: float = 1) -> None:
        if by:
            self.metric().labels(*labels).inc(by)


class Timed(Counted):
    """How long something took, in seconds, by labels."""

    kind = "Histogram"

    def __init__(self, name: str, text: str, *labels: str, buckets: Sequence[float]) -> None:
        super().__init__(name, text, *labels, buckets=buckets)

    def took(self, seconds: float, *labels: str) -> None:
        self.metric().labels(*labels).observe(seconds)


class _State:
    """What holds at the moment, asked of the database and the disk: each is one query that an index answers."""

    def collect(self) -> Iterator[Any]:
        from prometheus_client.core import GaugeMetricFamily

        due = GaugeMetricFamily("patchbay_queue_due", "Rows that are due and that no worker holds.", labels=["kind"])
        age = GaugeMetricFamily(
            "patchbay_queue_age_seconds", "How long the first of them has been due.", labels=["kind"]
        )
        now = clock.now()
        for kind in (kind for kinds in queues().values() for kind in kinds):
            first = kind.due().order_by(kind.due_field).values_list(kind.due_field, flat=True).first()
            due.add_metric([kind.name], kind.due().count() if first else 0)
            age.add_metric([kind.name], max(0.0, (now - first).total_seconds()) if first else 0.0)
        yield from (due, age)
        swept = WorkStatus.objects.filter(name=SWEEP).values_list("ran_at", flat=True).first()
        if swept:
            text = "How long ago the sweep ran last."
            yield GaugeMetricFamily("patchbay_sweep_age_seconds", text, value=(now - swept).total_seconds())
        there = room()
        yield GaugeMetricFamily("patchbay_disk_free_bytes", "Free on the disk of the data folder.", value=there.free)
        yield GaugeMetricFamily("patchbay_disk_size_bytes", "Its size.", value=there.size)


def exposition() -> bytes:
    """All numbers, in the text format of Prometheus."""
    with _lock:
        library = _library()
    from prometheus_client import multiprocess

    files: Any = multiprocess
    registry = library.CollectorRegistry()
    with suppress(ValueError):  # there is no such folder
        files.MultiProcessCollector(registry, path=str(_folder()))
    registry.register(_State())
    text: bytes = library.generate_latest(registry)
    return text
