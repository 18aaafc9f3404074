"""Brings copies of shared files to FTP servers, and deletes there what is shared no more (boot server spec §5).

A row is due until its server has what the row says, whoever dies meanwhile: placing a file again does no harm.
"""

from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import datetime, timedelta
from functools import partial

import structlog
from django.db.models import F, QuerySet

from contacts_app.core.errors import TransportError
from contacts_app.core.work import clock
from contacts_app.core.work.kind import Work
from contacts_app.core.work.lease import Fence, no_live_lease, update_unlocked
from phones_app.servers.services import ftp_target, told_of
from phones_app.shared_files import store
from phones_app.shared_files.copies import QUEUE
from phones_app.shared_files.models import CopyState, FileCopy
from phones_app.transports.ftp.folder import OVERTAKEN, FtpContent
from phones_app.transports.ftp.pool import FtpPool

log = structlog.get_logger(__name__)
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=10), timedelta(hours=1)
# Beside not being let in: failures that say nothing of the file, since none was touched yet.
OF_SERVER = ("directory", "tls-unavailable", "binary", "busy")
LOST = "Its content is not on the portal's disk any more: upload the file again."


class FileCopying(Work):
    name = queue = QUEUE
    model = FileCopy
    due_field = "due_at"
    account = "server__account"
    server = F("server")
    per_server = 2

    def __init__(self, owner: str) -> None:
        super().__init__(owner)
        self.pool = self.opened.enter_context(closing(FtpPool()))

    @classmethod
    def due(cls) -> "QuerySet[FileCopy]":
        return FileCopy.objects.filter(due_at__lte=clock.now()).filter(no_live_lease())

    @classmethod
    def threads(cls) -> int:
        return 4

    def do(self, keys: Sequence[int]) -> None:
        for copy in self.held(keys).select_related("server"):
            try:
                if copy.sha256:
                    self._place(copy)
                else:
                    self._withdraw(copy)
            except TransportError as error:
                self._failed(copy, error)

    def _place(self, copy: FileCopy) -> None:
        try:
            file = store.read(copy.sha256)
        except FileNotFoundError:
            self._postpone(copy, state=CopyState.FAILED, error=LOST)
            return
        with closing(file):

            def pieces() -> Iterator[bytes]:
                file.seek(0)
                return store.pieces(file)

            with self.pool.session(ftp_target(copy.server)) as session:
                session.place(
                    copy.path,
                    FtpContent(copy.size, copy.sha256, pieces),
                    read_back=copy.server.read_back,
                    may_still=partial(self._fence(copy).holds, copy.pk),
                    takes_over=copy.pk in self.taken_over,
                )
        placed = {"placed_sha256": copy.sha256, "placed_at": clock.now(), "attempts": 0, "error": ""}
        if not self._end(copy, state=CopyState.IN_PLACE, due_at=None, **placed):
            # It is to be another content by now, which is due.
            self.let_go([copy.pk], **placed)
        log.debug("a shared file was placed", path=copy.path, server=str(copy.server), size=copy.size)

    def _withdraw(self, copy: FileCopy) -> None:
        may_still = partial(self._fence(copy).holds, copy.pk)
        with self.pool.session(ftp_target(copy.server)) as session:
            is_gone = session.withdraw(copy.path, copy.placed_sha256, copy.size, may_still=may_still)
        if is_gone:
            # Where the server knows no case, that was also the file that has this path in another case now.
            others = FileCopy.objects.filter(server=copy.server_id, path__iexact=copy.path).exclude(sha256="")
            others.update(state=CopyState.WAITING, due_at=clock.now())
        else:
            log.info("a file of others stays on a server", path=copy.path, server=str(copy.server))
        if not self.held([copy.pk]).filter(sha256="").delete()[0]:
            self.let_go([copy.pk], placed_sha256="")

    def _fence(self, copy: FileCopy) -> Fence:
        return Fence(FileCopy.objects.filter(pk=copy.pk, lease_owner=self.owner, sha256=copy.sha256))

    def _failed(self, copy: FileCopy, error: TransportError) -> None:
        told = told_of(copy.server, error).message
        if error.code == OVERTAKEN:
            self.let_go([copy.pk])
        elif error.is_strangers or error.code in OF_SERVER:
            # Nothing is known of this file, and the others of the server would wait for it in vain as well.
            until = self._postpone(copy, error=told)
            others = FileCopy.objects.filter(server=copy.server_id, due_at__lt=until).filter(no_live_lease())
            update_unlocked(others, due_at=until, error=told, attempts=_next(copy))
        else:
            self._postpone(copy, state=CopyState.FAILED, error=told)
        log.info("a shared file was not placed", path=copy.path, server=str(copy.server), reason=error.message)

    def _postpone(self, copy: FileCopy, **values: str) -> datetime:
        until: datetime = clock.now() + min(FIRST_PAUSE * 2 ** min(copy.attempts, 10), LONGEST_PAUSE)
        if not self._end(copy, due_at=until, attempts=_next(copy), **values):
            self.let_go([copy.pk])
        return until

    def _end(self, copy: FileCopy, **values: object) -> int:
        """Give the row back with these values if it still says what was done; how many."""
        return self.held([copy.pk]).filter(sha256=copy.sha256).update(lease_owner="", lease_until=None, **values)


def _next(copy: FileCopy) -> int:
    return min(copy.attempts + 1, 1000)
