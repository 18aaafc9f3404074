"""A file server with a folder of its own and the fetches it told about."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from phones_app.simulator.file_server import EmbeddedFileServer, Fetch

USERNAME, PASSWORD = "portal", "pass word"


@dataclass
class FetchLog:
    """What on_fetch was told, to be waited for."""

    fetches: list[Fetch] = field(default_factory=list)
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def note(self, fetch: Fetch) -> None:
        with self._changed:
            self.fetches.append(fetch)
            self._changed.notify_all()

    def wait_for(self, condition: Callable[[list[Fetch]], bool], seconds: float = 10) -> list[Fetch]:
        with self._changed:
            assert self._changed.wait_for(lambda: condition(self.fetches), seconds), self.fetches
            return list(self.fetches)


@pytest.fixture
def fetch_log() -> FetchLog:
    return FetchLog()


@pytest.fixture
def file_server(tmp_path: Path, fetch_log: FetchLog) -> Iterator[EmbeddedFileServer]:
    root = tmp_path / "files"
    root.mkdir()
    server = EmbeddedFileServer(
        root, ftp_port=0, http_port=0, username=USERNAME, password=PASSWORD, on_fetch=fetch_log.note
    )
    with server:
        yield server
