"""The FTP side of the file server: uploads into one folder and those below, by one account, over a well-kept library."""

import contextlib
import hmac
import os
import re
import secrets
from collections import Counter
from collections.abc import Callable
from io import FileIO
from pathlib import Path
from typing import ClassVar, cast

from pyftpdlib.authorizers import AuthenticationFailed, DummyAuthorizer
from pyftpdlib.exceptions import FilesystemError
from pyftpdlib.filesystems import AbstractedFS
from pyftpdlib.handlers import DTPHandler, FTPHandler
from pyftpdlib.ioloop import IOLoop
from pyftpdlib.servers import FTPServer

from phones_app.boot.protection import Protection

MAX_CONNECTIONS = 256
LOG_IN_SECONDS = 5
IDLE_SECONDS = 120
STALLED_SECONDS = 30
# Change directory, list, read, delete, rename, make folders (for locales), store, set the time: no appending, no modes.
PERMISSIONS = "elrdfmwT"
# TFTP and HTTP servers of another account must be able to read the file (Cisco phones spec §3.10).
FILE_MODE = 0o644
# As a file is called while it is being received, here and by an uploader that gives it its name afterwards.
_UNFINISHED = re.compile(r"\..+\.(?:[0-9a-f]{8}|[0-9a-f]{12})\.part")
# Each of these would leave a file that is neither the old version nor the new one, or has a name of its own.
_REFUSED_COMMANDS = {"APPE", "STOU", "SITE CHMOD"}


class _OneAccount(DummyAuthorizer):  # type: ignore[misc]
    """The library's table of users, compared in constant time."""

    def validate_authentication(self, username: str, password: str, handler: FTPHandler) -> None:
        expected = self.user_table.get(username, {}).get("pwd", "")
        known = hmac.compare_digest(password.encode(), expected.encode())
        if not known or username not in self.user_table:
            raise AuthenticationFailed("Authentication failed.")


class _StoredFile:
    """A file being received, under a hidden name until the last byte has come.

    A reader therefore sees the old version or the new one, even when the client stores over the name itself.
    """

    def __init__(self, name: str, channel: FTPHandler) -> None:
        self.name = name
        self._channel = channel
        folder, base = os.path.split(name)
        self._hidden = os.path.join(folder, f".{base}.{secrets.token_hex(4)}.part")
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        self._file = os.fdopen(os.open(self._hidden, flags, FILE_MODE), "wb")
        # The process may have a stricter umask than phones can live with.
        os.fchmod(self._file.fileno(), FILE_MODE)

    @property
    def closed(self) -> bool:
        return self._file.closed

    def write(self, data: bytes) -> int:
        return self._file.write(data)

    def close(self) -> None:
        try:
            self._file.close()
            data: DTPHandler | None = self._channel.data_channel
            if data is not None and data.file_obj is self and data.transfer_finished:
                os.replace(self._hidden, self.name)
                self._channel.stored(self.name)
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self._hidden)


class _WholeFiles(AbstractedFS):  # type: ignore[misc]
    """The library's view of the folder; it already keeps links and `..` from leading out."""

    def open(self, filename: str, mode: str) -> FileIO | _StoredFile:
        if mode == "rb":
            return cast("FileIO", super().open(filename, mode))
        if mode == "wb":
            return _StoredFile(filename, self.cmd_channel)
        raise FilesystemError("Files are stored whole here")


class _Data(DTPHandler):  # type: ignore[misc]
    timeout = STALLED_SECONDS


class _Control(FTPHandler):  # type: ignore[misc]
    """One client. Reads are not reported: phones do not speak FTP, so it is Patchbay itself or a person that reads."""

    timeout = IDLE_SECONDS
    auth_failed_timeout = 1
    banner = "File server ready."
    abstracted_fs = _WholeFiles
    dtp_handler = _Data
    proto_cmds = {name: how for name, how in FTPHandler.proto_cmds.items() if name not in _REFUSED_COMMANDS}

    # Of one server: connections that have not logged in, by address; how many may be; and who counts the refused ones.
    strangers: ClassVar[Counter[str]]
    max_strangers: ClassVar[int]
    on_refused: ClassVar[Callable[[str, str], None]]
    _is_stranger = False

    def handle(self) -> None:
        """Greet, and have the client logged in soon: its idle time begins anew with every command, this one does not."""
        self._unnamed: set[str] = set()
        if self.strangers[self.remote_ip] >= self.max_strangers:
            self._refuse()
            self.respond("421 Too many connections from the same IP address that have not logged in.")
            self.close_when_done()
            return
        self.strangers[self.remote_ip] += 1
        self._is_stranger = True
        super().handle()
        self._log_in_by = self.ioloop.call_later(LOG_IN_SECONDS, self._end_unless_logged_in)

    def handle_max_cons(self) -> None:
        self._refuse()
        super().handle_max_cons()

    def handle_max_cons_per_ip(self) -> None:
        self._refuse()
        super().handle_max_cons_per_ip()

    def _refuse(self) -> None:
        type(self).on_refused(self.remote_ip, "ftp-connections")

    def on_login(self, username: str) -> None:
        self._is_known()

    def _is_known(self) -> None:
        if self._is_stranger:
            self._is_stranger = False
            self.strangers[self.remote_ip] -= 1
            if not self.strangers[self.remote_ip]:
                del self.strangers[self.remote_ip]

    def stored(self, name: str) -> None:
        """Remember what the client is still to give its name: if it is killed before, nobody ever will."""
        if _UNFINISHED.fullmatch(os.path.basename(name)):
            self._unnamed = {each for each in self._unnamed if os.path.exists(each)} | {name}

    def _end_unless_logged_in(self) -> None:
        if not self.authenticated:
            self.handle_timeout()

    def close(self) -> None:
        if (timer := getattr(self, "_log_in_by", None)) is not None and not timer.cancelled:
            timer.cancel()
        self._is_known()
        for name in getattr(self, "_unnamed", ()):
            with contextlib.suppress(OSError):
                os.unlink(name)
        super().close()


def clear_unfinished(root: Path) -> None:
    """Delete what was without its name when the server was killed. Only for the one server of this folder."""
    for folder, _, names in os.walk(root):
        for name in filter(_UNFINISHED.fullmatch, names):
            with contextlib.suppress(OSError):
                os.unlink(os.path.join(folder, name))


def ftp_server(
    root: Path,
    address: tuple[str, int],
    account: tuple[str, str],
    protection: Protection,
    on_refused: Callable[[str, str], None],
) -> FTPServer:
    """Bind the port and return the server; the caller turns its loop and closes it."""
    authorizer = _OneAccount()
    authorizer.add_user(*account, str(root), perm=PERMISSIONS)
    # The library reads it from the class, and two servers of one process differ in it.
    own = {
        "authorizer": authorizer,
        "strangers": Counter(),
        "max_strangers": protection.ftp_log_ins_of_address,
        "on_refused": staticmethod(on_refused),
    }
    handler = type("Control", (_Control,), own)
    server = FTPServer(address, handler, ioloop=IOLoop())
    server.max_cons = MAX_CONNECTIONS
    server.max_cons_per_ip = protection.ftp_of_address
    return server
