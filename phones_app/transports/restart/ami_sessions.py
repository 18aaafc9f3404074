"""One logged-in session per Asterisk and process, kept between uses and used by one thread at a time (Asterisk spec §E).

Asterisk answers the actions of a session one after the other anyway, and an account may be limited to one log-in.
"""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic, sleep

from contacts_app.core.errors import TransportError, before_log_in
from phones_app.transports.restart.ami import AmiSession, AmiTarget

# Another worker may wait for the only log-in of this account.
IDLE_SECONDS = 10.0
# Longer than the other threads of a worker need with an Asterisk that answers.
BUSY_SECONDS = 30.0
# An account that is logged in elsewhere is tried again for so long (Asterisk spec §F.4).
LOG_IN_SECONDS = 3.0
_LOG_IN_PAUSE = 0.5


@dataclass
class _Kept:
    lock: threading.Lock = field(default_factory=threading.Lock)
    session: AmiSession | None = None
    used_at: float = 0.0
    failed_at: float = 0.0
    failure: TransportError | None = None

    def close(self) -> None:
        if self.session is not None:
            self.session.close()
            self.session = None


class AmiSessions:
    """Lends the session of each Asterisk to one thread after the other.

    The process id is part of the key, so that a forked worker never speaks on its parent's connections.
    """

    def __init__(self, idle_seconds: float = IDLE_SECONDS) -> None:
        self._idle_seconds = idle_seconds
        self._kept: dict[tuple[int, str, int, str], _Kept] = {}
        self._guard = threading.Lock()
        self._reaper: threading.Timer | None = None

    @contextmanager
    def session(self, target: AmiTarget) -> Iterator[AmiSession]:
        """Lend the session, logged in; TransportError if that cannot be. Not to be nested for the same Asterisk."""
        with self._guard:
            kept = self._kept.setdefault((os.getpid(), target.host.lower(), target.port, target.username), _Kept())
        asked_at = monotonic()
        if not kept.lock.acquire(timeout=BUSY_SECONDS):
            fault = f"{target.host}:{target.port} (AMI) is being asked by other threads"
            raise TransportError(fault, code="busy")
        try:
            yield self._open(kept, target, asked_at)
        finally:
            if kept.session is not None and kept.session.broken:
                kept.close()
            kept.used_at = monotonic()
            kept.lock.release()
            self._watch()

    def close(self) -> None:
        """Close all sessions that are not in use."""
        self._close_idle_since(monotonic())

    def _open(self, kept: _Kept, target: AmiTarget, asked_at: float) -> AmiSession:
        session = kept.session
        if session is not None and session.target == target and session.alive:
            return session
        kept.close()
        if kept.failure is not None and kept.failed_at > asked_at:
            # Another thread has tried while this one waited for it: what is away would be waited for once per thread.
            raise kept.failure
        try:
            kept.session = _log_in(target)
        except TransportError as error:
            kept.failure, kept.failed_at = error, monotonic()
            raise
        kept.failure = None
        return kept.session

    def _watch(self) -> None:
        # They are closed even if no session is asked for again, for the account may be limited to one.
        with self._guard:
            if self._reaper is None or not self._reaper.is_alive():
                self._reaper = threading.Timer(self._idle_seconds, self._reap)
                self._reaper.daemon = True
                self._reaper.start()

    def _reap(self) -> None:
        left = self._close_idle_since(monotonic() - self._idle_seconds)
        with self._guard:
            self._reaper = None  # this thread, which is alive until it returns
        if left:
            self._watch()

    def _close_idle_since(self, moment: float) -> int:
        """Close what has not been used since `moment`; how many are left."""
        left = 0
        with self._guard:
            mine = [kept for (process, *_), kept in self._kept.items() if process == os.getpid()]
        for kept in mine:
            if not kept.lock.acquire(blocking=False):
                left += 1
                continue
            try:
                if kept.used_at <= moment:
                    kept.close()
                left += kept.session is not None
            finally:
                kept.lock.release()
        return left


def _log_in(target: AmiTarget) -> AmiSession:
    until = monotonic() + LOG_IN_SECONDS
    while True:
        session = AmiSession(target)
        try:
            with before_log_in():
                session.open()
        except TransportError as error:
            if error.code != "login-in-use" or monotonic() > until:
                raise
            sleep(_LOG_IN_PAUSE)
        else:
            return session


_sessions = AmiSessions()
# The session of this process with an Asterisk: `with ami_session(target) as session`.
ami_session = _sessions.session
