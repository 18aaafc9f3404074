"""The folder on an FTP server that a connection stands in: look, read, store, rename, delete, list.

Every failure leaves here as a TransportError; the order of these steps is the upload's affair.
"""

import ftplib
import hashlib
import posixpath
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from time import monotonic

from contacts_app.transports.errors import TransportError

from . import ftp_names
from .ftp_failure import explain, is_answer
from .ftp_wire import FtpWire

# A listing of a large folder is megabytes long, so it is not asked for at every upload. What others do in the
# meantime is seen at the next listing; our own changes are noted at once.
LISTING_SECONDS = 60.0


class FtpFolder:
    """What can be done with files in the current folder of one connection."""

    def __init__(self, wire: FtpWire) -> None:
        self.wire = wire
        self.broken = False  # the conversation is out of step, so nothing more may be said on it
        self.knows_size = True
        self._listing: ftp_names.Listing | None = None
        self._listed_at: float | None = None

    @contextmanager
    def step(self, code: str, doing: str) -> Iterator[None]:
        """Turn what fails inside into a TransportError; `code` unless the server's answer tells more."""
        try:
            yield
        except (ftplib.Error, OSError, EOFError, ValueError) as error:
            self.broken = self.broken or not is_answer(error)
            raise explain(error, code, doing, self.wire) from error
        except BaseException:  # interrupted somewhere between a command and its answer
            self.broken = True
            raise

    def size(self, name: str, *, following: str = "") -> int | None:
        """Return the size in bytes; None when there is no such file or the server does not know SIZE.

        `following` is the command that will be next, as far as one can tell.
        """
        if following and self.knows_size:
            self.wire.foresee(following)
        with self.step("size", f"ask for the size of {name}"):
            try:
                return self.wire.size(name) if self.knows_size else None
            except ftplib.error_perm as refusal:
                # 550 is a missing file; 500, 502 and 504 a missing command (RFC 3659 §4.2, RFC 959 §4.2.1).
                self.knows_size = str(refusal).startswith("550")
                return None

    def read(self, name: str) -> bytes | None:
        """Return the content, None when the file is missing or may not be read: FTP answers 550 to both."""
        with self.step("read", f"read {name}"):
            try:
                return self.wire.retrieve(f"RETR {name}")
            except ftplib.error_perm as refusal:
                if str(refusal).startswith("550"):
                    return None
                raise

    @contextmanager
    def temporary(
        self, name: str, content: bytes, *, read_back: bool = False, renamed: bool = True
    ) -> Iterator[str]:
        """Store `content` under a new hidden name, checked, and delete it if what is done with it fails.

        `renamed` says that the first thing to be done with it is a new name.
        """
        temporary = ftp_names.temporary(name)
        try:
            self.store(temporary, content)
            foreseen = f"RNFR {temporary}" if renamed and not read_back else ""
            self._check(temporary, content, read_back, foreseen)
            yield temporary
        except BaseException:
            self.delete_quietly(temporary)
            raise

    def store(self, name: str, content: bytes) -> None:
        with self.step("store", f"store {name}"):
            self.wire.store(name, content)
        self._note(come=name)

    def rename(self, old: str, new: str, *, next_name: str = "") -> None:
        """`next_name`: the file that will be looked at next to be replaced, as far as one can tell."""
        look = (f"SIZE {next_name}", self.wire.offer) if next_name and self.knows_size else ()
        with self.step("rename", f"rename {old} to {new}"):
            self.wire.rename(old, new, following=tuple(filter(None, look)))
        self._note(gone=old, come=new)

    def delete(self, name: str) -> None:
        with self.step("delete", f"delete {name}"):
            self.wire.delete(name)
        self._note(gone=name)

    def delete_quietly(self, name: str) -> None:
        """Delete if that still can be done; a file left over is removed after the next upload."""
        if not self.broken:
            with suppress(TransportError):
                self.delete(name)

    def list(self) -> ftp_names.Listing | None:
        """Return the names in the folder; None where listing does not work, which must not stop anything."""
        if self._listed_at is None or monotonic() - self._listed_at > LISTING_SECONDS:
            self._listing = self._list()
            self._listed_at = monotonic()
        return self._listing

    def relatives(self, name: str) -> set[str]:
        """Return the temporary names and backups of `name` that are known without asking the server."""
        return self._listing.relatives(name) if self._listing else set()

    def _list(self) -> ftp_names.Listing | None:
        # Unix servers hide names with a leading dot unless asked for; others take -a for a missing file.
        for command in ("NLST -a", "NLST"):
            with self.step("list", "list the folder"), suppress(ftplib.error_perm, ftplib.error_temp):
                lines = self.wire.retrieve(command).decode(errors="replace").splitlines()
                if lines:
                    return ftp_names.Listing(map(posixpath.basename, lines))
        return None

    def _check(self, name: str, content: bytes, read_back: bool, following: str) -> None:
        size = self.size(name, following=following)
        if size is not None and size != len(content):
            raise self._mismatch("size-mismatch", f"{name} has {size} bytes after {len(content)} were stored")
        if size is None or read_back:
            stored = self.read(name)
            if stored is None or hashlib.sha256(stored).digest() != hashlib.sha256(content).digest():
                raise self._mismatch("digest-mismatch", f"{name} does not read as it was stored")

    def _mismatch(self, code: str, message: str) -> TransportError:
        exchange = self.wire.transcript.so_far()
        return TransportError(message, code=code, request=exchange.request, answer=exchange.answer)

    def _note(self, *, gone: str = "", come: str = "") -> None:
        if self._listing is not None:
            self._listing.discard(gone)
            if come:
                self._listing.add(come)
