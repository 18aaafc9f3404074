"""One connection to an FTP or FTPS server, logged in and in the right folder, that carries any number of uploads.

A phone that fetches at any moment gets a whole file. `pool` keeps such connections for the next caller.
"""

import posixpath
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from time import monotonic
from typing import Self, TypeVar

from contacts_app.core.errors import Exchange, TransportError
from phones_app.transports.ftp import upload as steps
from phones_app.transports.ftp.folder import FtpContent, FtpFolder, MayStill, always
from phones_app.transports.ftp.login import FtpTarget, log_in
from phones_app.transports.ftp.upload import Upload

QUIT_SECONDS = 1.0
NOOP_SECONDS = 2.0
TIDY_SECONDS = 10.0
# A large file has a second more for so many bytes.
SLOWEST = 100_000
# An upload may last so much longer than its deadline: the old file is put back, leftovers are deleted.
GRACE_SECONDS = steps.RESTORE_SECONDS + TIDY_SECONDS

Found = TypeVar("Found")

# Host and port of servers that lost a command sent before the answer to the one before it, as lftp's
# documentation of ftp:sync-mode tells of some; these are asked one thing at a time.
_one_at_a_time: set[tuple[str, int]] = set()


class FtpSession:
    """One connection, logged in at the first use; any failure closes it, and the next use connects anew.

    Not for two threads at once.
    """

    def __init__(self, target: FtpTarget) -> None:
        self.target = target
        self._address = (target.host, target.port)
        self.reused = False  # set by who keeps sessions: the server may have hung up in the meantime
        self._folder: FtpFolder | None = None
        self._ends = 0.0  # when the present piece of work must be over, by the monotonic clock
        self._lost = False  # what failed last was a command sent before the answer to the one before it

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def connected(self) -> bool:
        return self._folder is not None

    def upload(
        self,
        name: str,
        content: bytes,
        *,
        keep_backups: int = 3,
        read_back: bool = False,
        next_name: str = "",
        watch: frozenset[str] = frozenset(),
        may_still: MayStill = always,
        takes_over: bool = False,
    ) -> Upload:
        """Put `content` under `name`, in this order (Cisco phones spec §3.10):

        1. Read the old file if it may be equal; if it is, store nothing. Read it too if it is to be kept.
        2. Store the new content under a temporary name and check its size (`read_back`: its digest too).
        3. Store the old content, likewise, as the backup; `keep_backups=0` makes and deletes no backup.
        4. Rename the temporary name over the real one, and delete what is superfluous.

        A failure anywhere leaves the old file under its name. A process killed anywhere leaves at most
        temporary files, which the next upload of that name deletes.

        Commands that change nothing are sent along with those before them; if one of these stays unanswered,
        the whole is done once more without that. `next_name` is the next upload's, so that this can be done
        from one upload to the next. `watch` are names of which the answer says whether they lie there too.

        `may_still` is asked before the real name is touched; the error has the code `overtaken` where it may not.
        `takes_over`: another upload of this name may have stopped half-way; what it has stored is deleted first.
        """
        _check(name)
        put = partial(self._upload, name, content, keep_backups, read_back, monotonic(), may_still, takes_over, watch)
        return self._put(partial(put, next_name), partial(put, ""))

    def place(
        self,
        path: str,
        content: FtpContent,
        *,
        read_back: bool = False,
        may_still: MayStill = always,
        takes_over: bool = False,
    ) -> None:
        """Put a file of no single phone at `path`, in folders below that are made as needed; no backup is made.

        Else as `upload`, from its second step on. A large file has more time.
        """
        for part in path.split("/"):
            _check(part)
        put = partial(self._place, path, content, read_back, may_still, takes_over)
        self._put(put, put)

    def _place(self, path: str, content: FtpContent, read_back: bool, may_still: MayStill, takes_over: bool) -> None:
        with self._work(self.target.deadline + content.size / SLOWEST):
            if takes_over:
                self._begin(lambda folder: steps.take_over(folder, path))
            existing = self._begin(lambda folder: steps.look_for(folder, path))
            steps.replace(
                *(self._connect(), path, content, existing),
                keep_backup=False,
                read_back=read_back,
                may_still=may_still,
                next_name="",
                reconnect=self._reconnect,
            )
        if may_still():
            self._tidy(path, 0)

    def withdraw(self, path: str, sha256: str, size: int, *, may_still: MayStill = always) -> bool:
        """Delete a file that was placed, and folders that are empty then; False: there is another one, which stays.

        A file that may not be read is known by its size.
        """
        with self._work(self.target.deadline + size / SLOWEST):
            return self._begin(lambda folder: steps.withdraw(folder, path, sha256, size, may_still))

    def _put(self, put: Callable[[], Found], slowly: Callable[[], Found]) -> Found:
        """`put`; once more where the server may have lost a command that was sent before the answer to another."""
        try:
            return put()
        except TransportError as error:
            if not self._lost or error.code not in ("timeout", "disconnected", "protocol"):
                raise
        self._lost = False
        _one_at_a_time.add(self._address)
        try:
            return slowly()
        except TransportError:
            _one_at_a_time.discard(self._address)  # that was not the cause
            raise

    def _upload(
        self,
        name: str,
        content: bytes,
        keep_backups: int,
        read_back: bool,
        started: float,
        may_still: MayStill,
        takes_over: bool,
        watch: frozenset[str],
        next_name: str,
    ) -> Upload:
        new = FtpContent.of(content)
        with self._work(self.target.deadline - (monotonic() - started)):
            if takes_over:
                self._begin(lambda folder: steps.take_over(folder, name))
            existing = self._begin(lambda folder: steps.look(folder, name, len(content), for_backup=keep_backups > 0))
            folder = self._connect()
            unchanged, backup = existing.content == content, None
            if not unchanged:
                backup = steps.replace(
                    *(folder, name, new, existing),
                    keep_backup=keep_backups > 0,
                    read_back=read_back,
                    may_still=may_still,
                    next_name=next_name,
                    reconnect=self._reconnect,
                )
            exchange = folder.wire.transcript.take()
        if not unchanged and may_still():
            self._tidy(name, keep_backups)
        seconds = monotonic() - started
        return Upload(
            path=posixpath.join(self.target.directory, name),
            size=new.size,
            sha256=new.sha256,
            unchanged=unchanged,
            backup=backup,
            read_back=unchanged or read_back or not folder.knows_size,
            exchange=exchange,
            seconds=seconds,
            replaced=existing.content,
            present=self.present(watch) if watch else None,
        )

    def read(self, name: str) -> bytes | None:
        """Return the content of a file, None when there is none or it may not be read."""
        _check(name)
        with self._work(self.target.deadline):
            return self._begin(lambda folder: folder.read(name))

    def remove(self, name: str, *, is_there: bool) -> list[str]:
        """Delete a file, if it is there, and its backups; the names of what was deleted."""
        _check(name)
        with self._work(self.target.deadline):
            return steps.remove(self._connect(), name, is_there=is_there)

    def present(self, names: frozenset[str]) -> frozenset[str] | None:
        """Return those of the names that lie in the folder, None where it cannot be listed."""
        with suppress(TransportError), self._work(TIDY_SECONDS):
            return steps.present(self._connect(), names, any_case=self.target.any_case)
        return None

    def test(self) -> Exchange:
        """Log in anew, go to the folder, store a tiny file, rename and delete it; return what was said."""
        self.close()
        with self._work(self.target.deadline):
            folder = self._connect()
            steps.probe(folder)
            return folder.wire.transcript.take()

    def alive(self) -> bool:
        """Ask the server whether it still listens; a session that is not alive is closed."""
        if self._folder is None:
            return False
        with suppress(TransportError), self._work(NOOP_SECONDS):
            with self._folder.step("noop", "ask whether the server still listens"):
                self._folder.wire.voidcmd("NOOP")
            self._folder.wire.transcript.take()
        return self.connected

    def close(self) -> None:
        """Say good-bye where that still can be done, and drop the connection."""
        folder, self._folder = self._folder, None
        if folder is None:
            return
        folder.wire.deadline = monotonic() + QUIT_SECONDS
        if not folder.broken:
            with suppress(TransportError), folder.step("quit", "say good-bye"):
                folder.wire.voidcmd("QUIT")
        folder.wire.close()

    def _connect(self) -> FtpFolder:
        if self._folder is None:
            self._folder = log_in(self.target, self._ends)
            self._folder.wire.foresees = self._address not in _one_at_a_time
            self.reused = False
        return self._folder

    def _reconnect(self, grace: float = 0.0) -> FtpFolder:
        """Connect anew, within at least `grace` seconds even if the time is over."""
        self.close()
        self._ends = max(self._ends, monotonic() + grace)
        return self._connect()

    @contextmanager
    def _work(self, seconds: float) -> Iterator[None]:
        """Bound what is inside, and close the connection if it fails: its state is unknown then."""
        self._ends = monotonic() + seconds
        if self._folder is not None:
            self._folder.wire.deadline = self._ends
        try:
            yield
        except BaseException:
            self._lost = self._folder is not None and self._folder.wire.foreseen
            self.close()
            raise

    def _begin(self, first: Callable[[FtpFolder], Found]) -> Found:
        """Do the first thing, which must only read; once more if a kept connection turns out to be dead."""
        reused, self.reused = self.reused, False
        try:
            return first(self._connect())
        except TransportError as error:
            if not reused or error.code not in ("disconnected", "timeout"):
                raise
            if error.code == "timeout" and self._folder is not None and self._folder.wire.foreseen:
                _one_at_a_time.add(self._address)
        return first(self._reconnect())

    def _tidy(self, name: str, keep_backups: int) -> None:
        # The file is in its place: nothing that fails from here on may turn the upload into a failure.
        with suppress(TransportError), self._work(min(TIDY_SECONDS, self._ends - monotonic())):
            folder = self._connect()
            steps.tidy(folder, name, keep_backups)
            folder.wire.transcript.take()


def _check(name: str) -> None:
    if name in ("", ".", "..") or not name.isprintable() or any(each in name for each in "/\\"):
        raise TransportError(f"{name!r} is not the name of a file", permanent=True, code="bad-value")
