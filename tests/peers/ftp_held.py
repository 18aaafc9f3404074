"""FTP servers that hold one connection at one command of it, until the test lets it go on; other connections are served.

All of them turn on one loop in one thread.
"""

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler
from pyftpdlib.ioloop import IOLoop
from pyftpdlib.servers import FTPServer

USER, PASSWORD = "phones", "s3cret-pw"


class Hold:
    """The first connection to a server is held at its command number `at`, counted from 0; None: at none.

    With `answer_only` the command is done, and its answer held.
    """

    def __init__(self, at: int | None, *, answer_only: bool = False) -> None:
        self.at, self.answer_only = at, answer_only
        self.commands: list[str] = []
        self.reached, self.released = threading.Event(), threading.Event()
        self.port = 0
        self._connection: Any = None
        self._waiting: list[tuple[Any, ...]] = []

    def takes(self, connection: Any, line: tuple[str, str, str]) -> bool:
        """Whether this command waits."""
        self._connection = self._connection or connection
        if connection is not self._connection:
            return False
        self.commands.append(line[1])
        if self.at is None or self.released.is_set() or len(self.commands) <= self.at:
            return False
        if not (self.answer_only and len(self.commands) == self.at + 1):
            self._waiting.append(line)
        self.reached.set()
        return bool(self._waiting)

    def holds_answers_of(self, connection: Any) -> bool:
        return connection is self._connection and self.reached.is_set() and not self.released.is_set()

    def go_on(self) -> None:
        """Called in the loop's thread."""
        if self.released.is_set() and self._connection is not None:
            waiting, self._waiting = self._waiting, []
            self._connection.catch_up(waiting)


class HeldHandler(FTPHandler):
    hold: Hold
    use_sendfile = False

    def pre_process_command(self, line: str, cmd: str, arg: str) -> None:
        if not self.hold.takes(self, (line, cmd, arg)):
            super().pre_process_command(line, cmd, arg)

    def push(self, data: Any) -> None:
        if self.hold.holds_answers_of(self):
            self.unsaid = [*getattr(self, "unsaid", []), data]
        else:
            super().push(data)

    def catch_up(self, lines: list[tuple[str, str, str]]) -> None:
        unsaid, self.unsaid = getattr(self, "unsaid", []), []
        if self._closed:
            return
        for data in unsaid:
            super().push(data)
        for line in lines:
            super().pre_process_command(*line)


@contextlib.contextmanager
def held_servers(folder: Path, holds: list[Hold]) -> Iterator[None]:
    """A server for each hold, on the port that it is told; server number n serves the folder of that name."""
    loop, stopping = IOLoop(), threading.Event()
    servers = []
    for number, hold in enumerate(holds):
        root = folder / str(number)
        root.mkdir()
        authorizer = DummyAuthorizer()
        authorizer.add_user(USER, PASSWORD, str(root), perm="elradfmwMT")
        handler = type("OneHeld", (HeldHandler,), {"authorizer": authorizer, "hold": hold})
        server = FTPServer(("127.0.0.1", 0), handler, ioloop=loop)
        hold.port = server.address[1]
        servers.append(server)

    def serve() -> None:
        while not stopping.is_set():
            loop.loop(timeout=0.02, blocking=False)
            for hold in holds:
                hold.go_on()
        for server in servers:
            server.close_all()

    thread = threading.Thread(target=serve, name="held-ftp", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join(180)
