"""The current folder of an FTP connection and those below it: read, store, rename, delete and list files.

A phone's file may have temporary files, files moved aside and backups beside it. Every failure is raised as a
TransportError with a stable code; the order of the steps is decided by the upload.
"""

import ftplib
import hashlib
import posixpath
import re
import secrets
import ssl
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Self

from contacts_app.core.errors import TransportError
from phones_app.transports.ftp.listing import Listing, Listings
from phones_app.transports.ftp.wire import FtpWire

# The first type that fits decides: code, permanent, sentence.
FAILURES: tuple[tuple[type[Exception], str, bool, str], ...] = (
    (TimeoutError, "timeout", False, "the server did not answer in time"),
    (ConnectionRefusedError, "refused", False, "the connection was refused"),
    (ssl.SSLCertVerificationError, "certificate", True, "the server's certificate is not trusted"),
    (ssl.SSLError, "tls", False, "the encrypted connection failed"),
    (EOFError, "disconnected", False, "the server closed the connection"),
    (ConnectionError, "disconnected", False, "the server closed the connection"),
    (ftplib.Error, "protocol", False, "the server does not keep to the protocol"),
    (OSError, "unreachable", False, "the connection failed"),
    (ValueError, "bad-value", True, "the value cannot be sent"),
)
ANSWERS = (ftplib.error_temp, ftplib.error_perm)  # the server itself declined, so the conversation can continue
# Answers that say more than the step in which they came (RFC 959 §4.2, RFC 4217 §10.2).
ANSWER_CODES = {
    "421": "disconnected",
    "425": "data-connection",
    "426": "data-connection",
    "452": "disk-full",
    "552": "disk-full",
    "522": "tls-session-reuse",
}
# Servers that pass on what the operating system said may use any code: pyftpdlib answers 426 to a full disk.
DISK_FULL = re.compile(r"no space left|disk (is )?full|quota exceeded|insufficient storage", re.IGNORECASE)
SESSION_REUSE = (
    "the server accepts data connections only if they resume the TLS session of the control connection, "
    "and this one was not resumed; switch that requirement off at the server "
    "(proftpd: TLSOptions NoSessionReuseRequired, vsftpd: require_ssl_reuse=NO)"
)

# Asked right before a file gets its name: whether it may still. An uploader that was stopped for a while may not know
# that another one has taken its place.
MayStill = Callable[[], bool]
OVERTAKEN = "overtaken"


def always() -> bool:
    return True


def hidden(name: str, ending: str) -> str:
    """Return a new hidden name beside `name`: `part` for content not complete yet, `old` for a file moved aside."""
    folder, slash, base = name.rpartition("/")
    return f"{folder}{slash}.{base}.{secrets.token_hex(6)}.{ending}"


class _Step:
    """Not a generator: an upload has seven of them, and those cost twice as much."""

    def __init__(self, folder: "FtpFolder", code: str, doing: str) -> None:
        self.folder, self.code, self.doing = folder, code, doing

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error is None:
            return
        folder, code = self.folder, self.code
        if not isinstance(error, (ftplib.Error, OSError, EOFError, ValueError)):
            folder.broken = True  # interrupted somewhere between a command and its answer
            return
        folder.broken = folder.broken or not isinstance(error, ANSWERS)
        code, permanent, sentence = _reason(error, code)
        if folder.wire.data_session_reused is False and code in ("data-connection", "tls", "disconnected"):
            code = "tls-session-reuse"
        if code == "tls-session-reuse":
            permanent, sentence = True, f"{SESSION_REUSE}: {error}"
        said = folder.wire.transcript.so_far()
        raise TransportError(f"Could not {self.doing}: {sentence}", permanent, code=code, exchange=said) from error


@dataclass(frozen=True)
class FtpContent:
    """What is stored: bytes in memory, or a large file that passes through in pieces.

    `pieces` may be asked for more than once: a server may refuse the first try.
    """

    size: int
    sha256: str
    pieces: Callable[[], Iterable[bytes]]

    @classmethod
    def of(cls, content: bytes) -> Self:
        return cls(len(content), hashlib.sha256(content).hexdigest(), lambda: (content,))


class FtpFolder:
    """What can be done with files in the current folder of one connection; names may lead to folders below it."""

    def __init__(self, wire: FtpWire) -> None:
        self.wire = wire
        self.broken = False  # the conversation is out of step, so nothing more may be said on it
        self.knows_size = True
        self.listings = Listings()

    def step(self, code: str, doing: str) -> "_Step":
        """Turn what fails inside into a TransportError; `code` unless the server's answer tells more."""
        return _Step(self, code, doing)

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

    def digest(self, name: str, at_most: int) -> str | None:
        """Return the SHA-256 of a file of at most so many bytes, None when it is missing or may not be read."""
        digest = hashlib.sha256()
        with self.step("read", f"read {name}"):
            try:
                self.wire.receive(f"RETR {name}", digest.update, at_most)
            except ftplib.error_perm as refusal:
                if str(refusal).startswith("550"):
                    return None
                raise
        return digest.hexdigest()

    @contextmanager
    def temporary(
        self, name: str, content: FtpContent, *, read_back: bool = False, renamed: bool = True
    ) -> Iterator[str]:
        """Store `content` under a new hidden name, checked, and delete it if what is done with it fails.

        `renamed` says that the first thing to be done with it is a new name.
        """
        temporary = hidden(name, "part")
        try:
            self.store(temporary, content)
            foreseen = f"RNFR {temporary}" if renamed and not read_back else ""
            self._check(temporary, content, read_back, foreseen)
            yield temporary
        except BaseException:
            self.delete_quietly(temporary)
            raise

    def store(self, name: str, content: FtpContent) -> None:
        with self.step("store", f"store {name}"):
            self.wire.store(name, content.pieces())
        self.listings.note(come=name)

    def rename(self, old: str, new: str, *, may_still: MayStill = always, next_name: str = "") -> None:
        """`next_name`: the file that will be looked at next to be replaced, as far as one can tell."""
        look = filter(None, (f"SIZE {next_name}", self.wire.offer)) if next_name and self.knows_size else ()
        doing = f"rename {old} to {new}"
        with self.step("rename", doing):
            self.wire.rename_from(old)
        if not may_still():
            said = self.wire.transcript.so_far()
            raise TransportError(f"Did not {doing}: another upload has taken over", code=OVERTAKEN, exchange=said)
        with self.step("rename", doing):
            self.wire.rename_to(new, following=tuple(look))
        self.listings.note(gone=old, come=new)

    def delete(self, name: str) -> None:
        with self.step("delete", f"delete {name}"):
            self.wire.delete(name)
        self.listings.note(gone=name)

    def delete_quietly(self, name: str) -> None:
        """Delete if that still can be done; a file left over is removed after the next upload."""
        if not self.broken:
            with suppress(TransportError):
                self.delete(name)

    def make_folder(self, path: str) -> None:
        """Have a folder below; one that cannot be made is seen when a file is stored there."""
        with self.step("folder", f"make the folder {path}"), suppress(ftplib.error_perm):
            self.wire.mkd(path)

    def remove_folder(self, path: str) -> bool:
        """Remove a folder below if it is empty; whether it is gone."""
        self.list(path, anew=True)
        listing = self.listings.of(path)
        if listing is not None and listing.names - {".", ".."}:
            return False
        try:
            with self.step("folder", f"remove the folder {path}"):
                self.wire.rmd(path)
        except TransportError:
            return False
        self.listings.note(gone=path)
        return True

    def list(self, path: str = "", *, anew: bool = False) -> None:
        """Ask for the names in a folder, if it was not done lately; that listing may not work stops nothing."""
        if anew or not self.listings.is_fresh(path):
            self.listings.put(path, self._list(path))

    def relatives(self, name: str) -> set[str]:
        """Return the temporary names and backups of `name` that are known without asking the server."""
        return self.listings.relatives(name)

    def _list(self, path: str) -> Listing | None:
        # Unix servers hide names with a leading dot unless asked for; others take -a for a missing file.
        for command in ("NLST -a", "NLST"):
            with self.step("list", "list the folder"), suppress(ftplib.error_perm, ftplib.error_temp):
                lines = self.wire.retrieve(f"{command} {path}".rstrip()).decode(errors="replace").splitlines()
                if lines:
                    return Listing(map(posixpath.basename, lines))
        return None

    def _check(self, name: str, content: FtpContent, read_back: bool, following: str) -> None:
        size = self.size(name, following=following)
        if size is not None and size != content.size:
            raise self._mismatch("size-mismatch", f"{name} has {size} bytes after {content.size} were stored")
        if (size is None or read_back) and self.digest(name, content.size) != content.sha256:
            raise self._mismatch("digest-mismatch", f"{name} does not read as it was stored")

    def _mismatch(self, code: str, message: str) -> TransportError:
        return TransportError(message, code=code, exchange=self.wire.transcript.so_far())


def _reason(error: Exception, step: str) -> tuple[str, bool, str]:
    """Return the code, which is `step` unless the answer or the failure says more, permanent or not, and a sentence."""
    if isinstance(error, ANSWERS):
        answer = str(error)
        code = "disk-full" if DISK_FULL.search(answer) else ANSWER_CODES.get(answer[:3], step)
        return code, answer.startswith("5"), f"the server answered {answer[:300]}"
    for kind, code, permanent, sentence in FAILURES:
        if isinstance(error, kind):
            return code, permanent, f"{sentence} ({error})"
    raise error
