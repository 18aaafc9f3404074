"""The broker: a message through it and back, and the file of the embedded one, which is replaced when it is damaged.

A message is only a nudge and nothing is lost with the file. But without one no worker would be woken again: its reader
ends at a damaged file, and its writers would go on failing.
"""

import fcntl
import os
import sqlite3
from contextlib import closing
from pathlib import Path
from queue import Empty
from uuid import uuid4

import structlog
from celery import current_app
from django.conf import settings

log = structlog.get_logger(__name__)
EMBEDDED = "sqla+sqlite:///"
PROBES = "patchbay-probes"
TABLES = {"kombu_queue", "kombu_message"}


def embedded_file() -> Path | None:
    """The file of the embedded broker; None: there is a broker."""
    url = str(settings.CELERY_BROKER_URL)
    return Path(url.removeprefix(EMBEDDED)) if url.startswith(EMBEDDED) else None


def mend() -> bool:
    """Put a new file in the place of one that is damaged or missing; whether there is a new one.

    Any number of processes may come to this at once: one replaces, the others find that it is good. Each opens the file
    anew for every message (`CELERY_BROKER_TRANSPORT_OPTIONS`), so none is left with the old one.
    """
    file = embedded_file()
    try:
        return file is not None and _replace_if_damaged(file)
    except Exception:
        # Of the disk, or of the library. Who sends a message can do nothing about it, and has written its rows.
        log.exception("the embedded broker's file cannot be replaced")
        return False


def _replace_if_damaged(file: Path) -> bool:
    # The library is slow to load, and most processes never come here.
    from sqlalchemy.pool import NullPool

    with file.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        why = _fault(file)
        if not why:
            return False
        draft = file.with_suffix(f".{uuid4().hex}")
        options = {"poolclass": NullPool}
        with current_app.connection_for_write(f"{EMBEDDED}{draft}", transport_options=options) as connection:
            current_app.amqp.queues[current_app.conf.task_default_queue](connection.default_channel).declare()
        if file.exists():
            log.warning("the embedded broker's file was replaced by a new one", reason=why)
        # What it had begun to write belongs to the old one.
        Path(f"{file}-journal").unlink(missing_ok=True)
        os.replace(draft, file)
    return True


def _fault(file: Path) -> str:
    """What is wrong with the file; one that is in use at the moment is not."""
    if not file.exists():
        return "it is missing"
    try:
        with closing(sqlite3.connect(f"file:{file}?mode=rw", uri=True, timeout=5)) as database:
            [found] = database.execute("PRAGMA quick_check(1)").fetchone()
            if found != "ok":
                return str(found)
            tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            return "" if tables >= TABLES else "its tables are missing"
    except sqlite3.OperationalError:
        return ""
    except sqlite3.DatabaseError as error:
        return str(error)


def round_trip() -> None:
    """Send a message and take one back; what is raised says that none gets through.

    Another process may take ours, and we one of its: as many come out as went in.
    """
    with current_app.connection_for_write(connect_timeout=1) as connection:
        connection.ensure_connection(max_retries=1, interval_start=0, timeout=1)
        for last in (False, True):
            with closing(connection.SimpleQueue(PROBES, no_ack=True)) as queue:
                queue.put("")
                try:
                    queue.get_nowait()
                    return
                except Empty:
                    if last:
                        raise
                finally:
                    if embedded_file() is not None:
                        queue.clear()  # it keeps what was delivered
