"""Logged-in FTP connections kept for the next upload: logging in takes many times longer than a small file.

Measured with 1,000 files of 10 KB: a new connection for each 16 a second, kept ones many hundreds. Over a network four
to a server hide its delay, and more take the places of others; on the same machine two are faster (docs/benchmarks.md).
"""

import ipaddress
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic

from contacts_app.core.errors import TransportError
from phones_app.transports.ftp.login import FtpTarget
from phones_app.transports.ftp.session import FtpSession

PER_SERVER = 4
# On this machine there is no network delay to hide, and more threads only wait for each other.
ON_THIS_MACHINE = 2
TRUSTED_SECONDS = 3.0  # a connection idle for less than this is not asked whether it still is alive


def connections_to(host: str) -> int:
    """How many connections to this host (name or address) are useful."""
    try:
        local = ipaddress.ip_address(host).is_loopback
    except ValueError:
        local = host.lower() == "localhost"
    return ON_THIS_MACHINE if local else PER_SERVER


@dataclass
class _Server:
    """The connections to one server: how many are lent, and the idle ones with the moment of their return."""

    lent: int = 0
    idle: list[tuple[FtpSession, float]] = field(default_factory=list)


class FtpPool:
    """Lends sessions to any number of threads, at most `max_per_server` at a time for each server.

    The process id is part of the key, so that a forked worker never speaks on its parent's connections.
    """

    def __init__(self, max_per_server: int = PER_SERVER, idle_seconds: float = 20) -> None:
        self._max = max_per_server
        self._idle_seconds = idle_seconds
        self._servers: dict[tuple[int, str, int], _Server] = {}
        self._changed = threading.Condition()
        self._reaper: threading.Timer | None = None
        self._closed = False

    @contextmanager
    def session(self, target: FtpTarget) -> Iterator[FtpSession]:
        """Lend a session, the most recently used one if there is any; TransportError if none becomes free.

        Whatever leaves the block as an exception closes the session. A session that failed inside is not
        kept either.
        """
        server, session, superfluous = self._take(target)
        try:
            if superfluous:
                superfluous.close()
            yield session
        except BaseException:
            session.close()
            raise
        finally:
            self._give_back(server, session)

    def close(self) -> None:
        """Close the idle connections, and those lent when they come back."""
        self._closed = True
        if self._reaper is not None:
            self._reaper.cancel()
        self._close_idle_since(monotonic())

    def _take(self, target: FtpTarget) -> tuple[_Server, FtpSession, FtpSession | None]:
        """Return the server, a session, and an idle session to close so that the limit holds."""
        with self._changed:
            key = (os.getpid(), target.host.lower(), target.port)
            server = self._servers.setdefault(key, _Server())
            if not self._changed.wait_for(lambda: server.lent < self._max, target.deadline):
                raise TransportError(f"All connections to {target.host} are in use", code="busy")
            server.lent += 1
            for position in reversed(range(len(server.idle))):
                session, since = server.idle[position]
                if session.target == target:
                    del server.idle[position]
                    break
            else:
                full = server.lent + len(server.idle) > self._max
                return server, FtpSession(target), server.idle.pop(0)[0] if full else None
        session.reused = True
        if monotonic() - since > TRUSTED_SECONDS:
            session.alive()  # which closes a dead one, and a closed one connects anew when it is used
        return server, session, None

    def _give_back(self, server: _Server, session: FtpSession) -> None:
        keep = session.connected and not self._closed
        if not keep:
            session.close()
        with self._changed:
            server.lent -= 1
            if keep:
                server.idle.append((session, monotonic()))
                self._watch(self._idle_seconds)
            self._changed.notify_all()

    def _watch(self, seconds: float) -> None:
        # Idle connections take the server's places, so they are closed even if no session is asked for again.
        if self._reaper is None or not self._reaper.is_alive():
            self._reaper = threading.Timer(seconds, self._reap)
            self._reaper.daemon = True
            self._reaper.start()

    def _reap(self) -> None:
        oldest = self._close_idle_since(monotonic() - self._idle_seconds)
        with self._changed:
            self._reaper = None
            if oldest is not None:
                self._watch(max(0.1, oldest + self._idle_seconds - monotonic()))

    def _close_idle_since(self, moment: float) -> float | None:
        """Close what has been idle since `moment` or longer; return since when the oldest other one has."""
        expired: list[FtpSession] = []
        remaining: list[float] = []
        with self._changed:
            for (process, _, _), server in self._servers.items():
                if process == os.getpid():
                    expired += [session for session, since in server.idle if since <= moment]
                    server.idle = [(session, since) for session, since in server.idle if since > moment]
                    remaining += [since for _, since in server.idle]
        for session in expired:
            session.close()
        return min(remaining, default=None)
