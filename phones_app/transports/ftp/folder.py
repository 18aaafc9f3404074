"""The current folder of an FTP connection: read, store, rename, delete and list files, and the names beside a file.

A phone's file may have temporary files, files moved aside and backups beside it. Every failure is raised as a
TransportError with a stable code; the order of the steps is decided by the upload.
"""

import ftplib
import posixpath
import re
import secrets
import ssl
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from time import monotonic

from contacts_app.core.errors import TransportError
from phones_app.transports.ftp.wire import FtpWire

# A listing of a large folder is megabytes long, so it is not asked for at every upload. What others do in the
# meantime is seen at the next listing; our own changes are noted at once.
LISTING_SECONDS = 60.0

RELATIVE = re.compile(
    r"\.(?P<of>.+)\.[0-9a-f]{12}\.(?:part|old)"
    r"|(?P<kept>.+?)\.(?P<stamp>\d{8}T\d{6}Z)(?:\.(?P<number>\d+))?\.bak"
)

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
    return f".{name}.{secrets.token_hex(6)}.{ending}"


class Listing:
    """The names in a folder, and the relatives of each file at hand: its temporary names and backups.

    A folder of 10,000 phones has some 40,000 names, too many to be searched at every upload.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self.names: set[str] = set()
        self._relatives: defaultdict[str, set[str]] = defaultdict(set)
        for name in names:
            self.add(name)

    def add(self, name: str) -> None:
        self.names.add(name)
        if match := RELATIVE.fullmatch(name):
            self._relatives[match["of"] or match["kept"]].add(name)

    def discard(self, name: str) -> None:
        self.names.discard(name)
        if match := RELATIVE.fullmatch(name):
            self._relatives[match["of"] or match["kept"]].discard(name)

    def relatives(self, name: str) -> set[str]:
        return self._relatives.get(name, set())


class FtpFolder:
    """What can be done with files in the current folder of one connection."""

    def __init__(self, wire: FtpWire) -> None:
        self.wire = wire
        self.broken = False  # the conversation is out of step, so nothing more may be said on it
        self.knows_size = True
        self._listing: Listing | None = None
        self._listed_at: float | None = None

    @contextmanager
    def step(self, code: str, doing: str) -> Iterator[None]:
        """Turn what fails inside into a TransportError; `code` unless the server's answer tells more."""
        try:
            yield
        except (ftplib.Error, OSError, EOFError, ValueError) as error:
            self.broken = self.broken or not isinstance(error, ANSWERS)
            code, permanent, sentence = _reason(error, code)
            if self.wire.data_session_reused is False and code in ("data-connection", "tls", "disconnected"):
                code = "tls-session-reuse"
            if code == "tls-session-reuse":
                permanent, sentence = True, f"{SESSION_REUSE}: {error}"
            said = self.wire.transcript.so_far()
            raise TransportError(f"Could not {doing}: {sentence}", permanent, code=code, exchange=said) from error
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
    def temporary(self, name: str, content: bytes, *, read_back: bool = False, renamed: bool = True) -> Iterator[str]:
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

    def store(self, name: str, content: bytes) -> None:
        with self.step("store", f"store {name}"):
            self.wire.store(name, content)
        self._note(come=name)

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

    def list(self, *, anew: bool = False) -> None:
        """Ask for the names in the folder, if it was not done lately; that listing may not work stops nothing."""
        if anew or self._listed_at is None or monotonic() - self._listed_at > LISTING_SECONDS:
            self._listing = self._list()
            self._listed_at = monotonic()

    def relatives(self, name: str) -> set[str]:
        """Return the temporary names and backups of `name` that are known without asking the server."""
        return self._listing.relatives(name) if self._listing else set()

    def present(self, names: frozenset[str]) -> frozenset[str] | None:
        """Return those of the names that are known to be in the folder, None where it was not listed."""
        return names & self._listing.names if self._listing else None

    def _list(self) -> Listing | None:
        # Unix servers hide names with a leading dot unless asked for; others take -a for a missing file.
        for command in ("NLST -a", "NLST"):
            with self.step("list", "list the folder"), suppress(ftplib.error_perm, ftplib.error_temp):
                lines = self.wire.retrieve(command).decode(errors="replace").splitlines()
                if lines:
                    return Listing(map(posixpath.basename, lines))
        return None

    def _check(self, name: str, content: bytes, read_back: bool, following: str) -> None:
        size = self.size(name, following=following)
        if size is not None and size != len(content):
            raise self._mismatch("size-mismatch", f"{name} has {size} bytes after {len(content)} were stored")
        if size is None or read_back:
            stored = self.read(name)
            if stored != content:
                raise self._mismatch("digest-mismatch", f"{name} does not read as it was stored")

    def _mismatch(self, code: str, message: str) -> TransportError:
        return TransportError(message, code=code, exchange=self.wire.transcript.so_far())

    def _note(self, *, gone: str = "", come: str = "") -> None:
        if self._listing is not None:
            self._listing.discard(gone)
            if come:
                self._listing.add(come)


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
