"""The FTP conversation itself: ftplib with a deadline, a transcript and TLS data connections servers accept.

What is uploaded where, and under which names, is not known here. Errors are those of ftplib and the socket.
"""

import ftplib
import socket
import ssl
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from time import monotonic
from typing import Any

from contacts_app.core.errors import Exchange
from contacts_app.core.net.sockets import WaitingSocket, connected

MAX_ANSWER = 64 * 1024  # characters of one answer, however many lines it has
MAX_RETRIEVED = 16 * 1024 * 1024  # a phone's file has tens of kilobytes, a listing may have some megabytes
BLOCK = 64 * 1024
REASON_SECONDS = 2.0  # within which a server usually says why it broke a data connection


class EndlessError(ftplib.Error):
    """The server sends more than anything asked of it could need."""


class Transcript:
    """What was said, kept as evidence: bounded, without the password, and never with file contents."""

    MAX_LINES = 120
    MAX_LINE = 300

    def __init__(self, password: str) -> None:
        self._password = password
        self._commands: list[str] = []
        self._answers: list[str] = []
        self._after_password = False

    def asked(self, line: str) -> None:
        self._after_password = line[:5].upper() == "PASS "
        self._append(self._commands, "PASS ********" if self._after_password else line)

    def answered(self, line: str) -> str:
        """Note a line and return it without the password, which a server may echo."""
        if self._after_password and self._password:
            line = line.replace(self._password, "********")
        self._append(self._answers, line)
        return line

    def so_far(self) -> Exchange:
        """Return what was said since the last `take`."""
        return Exchange("\n".join(self._commands), "\n".join(self._answers))

    def take(self) -> Exchange:
        """Return what was said since the last time, and start anew."""
        taken = self.so_far()
        self._commands, self._answers = [], []
        return taken

    def _append(self, lines: list[str], line: str) -> None:
        lines.append(line[: self.MAX_LINE])
        if len(lines) > self.MAX_LINES:  # how it began and how it ended tell more than the middle
            del lines[self.MAX_LINES // 2]
            lines[self.MAX_LINES // 2] = "…"


class FtpWire(ftplib.FTP_TLS):
    """One control connection, plain until `auth` is called.

    A time limit on every single read does not bound a server that sends one byte now and then. So each
    command's answer must be complete after `timeout`, and everything together at `deadline` (a moment of the
    monotonic clock, set anew for every piece of work).
    """

    def __init__(
        self, host: str, *, password: str, timeout: float, deadline: float, context: ssl.SSLContext | None
    ) -> None:
        super().__init__(context=context, timeout=timeout)
        self.host = host
        self.deadline = deadline
        self.transcript = Transcript(password)
        self.data_session_reused: bool | None = None  # of the newest TLS data connection
        self._command_timeout = timeout
        self._answer_due = deadline
        self._answer_length = 0
        self._received = bytearray()
        self.foresees = True  # whether commands may be sent before the answers to those before them
        self.foreseen = False  # the newest command was sent that way
        self._peer: tuple[Any, ...] = ()  # the server's address and port
        self._following: tuple[str, ...] = ()
        self._sent: deque[str] = deque()

    def open(self, addresses: Iterable[str], port: int, timeout: float) -> None:
        """Connect to the first address that answers and wait for the greeting."""
        self.sock = connected(addresses, port, lambda: self._left(timeout))
        _undelayed(self.sock)
        self.af, self._peer = self.sock.family, self.sock.getpeername()
        self._expect_answer()
        self.welcome = self.getresp()

    def auth(self) -> str:
        """Upgrade the control connection (RFC 4217)."""
        answer = self.voidcmd("AUTH TLS")
        if self._received:
            # Whatever came in clear before the handshake could have been slipped in by anyone on the way.
            raise ssl.SSLError("the server's answer to AUTH TLS was followed by more text in clear")
        control = self._control
        control.settimeout(self._left(self._command_timeout))
        self.sock = self.context.wrap_socket(control, server_hostname=self.host)
        return answer

    def putline(self, line: str) -> None:
        if "\r" in line or "\n" in line:
            raise ValueError("a line break is not allowed in an FTP command")
        following, self._following = self._following, ()
        self.foreseen = bool(self._sent) and self._sent[0] == line
        if self.foreseen:
            self._sent.popleft()
        else:
            self._forget_sent()
        lines: tuple[str, ...] = () if self.foreseen else (line,)
        if not self._sent:
            lines += following
            self._sent += following
        self.transcript.asked(line)
        self._expect_answer()
        if lines:
            self._control.settimeout(self._left(self._command_timeout))
            self._control.sendall("".join(f"{each}\r\n" for each in lines).encode(self.encoding))

    def sendcmd(self, cmd: str) -> str:
        self.putline(cmd)
        return self.getresp()

    def foresee(self, *lines: str) -> None:
        """Send these right after the next command, which most probably they will follow.

        That saves waiting for one answer after the other. When such a command is then given, its answer is read; answers
        to commands that are not given are skipped. So they must be commands that change nothing.
        """
        if self.foresees and not any("\r" in line or "\n" in line for line in lines):
            self._following = lines

    def rename_from(self, old: str) -> None:
        """RNFR, which changes nothing yet."""
        answer = self.sendcmd(f"RNFR {old}")
        if not answer.startswith("3"):
            raise ftplib.error_reply(answer)  # noqa: S321 - an exception, not a connection

    def rename_to(self, new: str, *, following: tuple[str, ...] = ()) -> str:
        """RNTO; `following` are the commands foreseen after it."""
        self.foresee(*following)
        return self.voidcmd(f"RNTO {new}")

    def _forget_sent(self) -> None:
        while self._sent:
            self.transcript.asked(self._sent.popleft())
            self._expect_answer()
            self.getmultiline()

    @property
    def offer(self) -> str:
        """The command by which the server is asked for a data connection; "" in active mode."""
        if not self.passiveserver:
            return ""
        return "PASV" if self.af == socket.AF_INET else "EPSV"

    def getline(self) -> str:
        received = self._received
        while (end := received.find(b"\n")) < 0:
            if len(received) > self.maxline:
                raise EndlessError("the server sent an endless line")
            control = self._control
            control.settimeout(self._left(self._answer_due - monotonic()))
            piece = control.recv(4096)
            if not piece:
                raise EOFError("the server closed the connection")
            received += piece
        line = received[:end].decode(self.encoding, "replace")
        del received[: end + 1]
        text = self.transcript.answered(line.rstrip("\r"))
        self._answer_length += len(text)
        if self._answer_length > MAX_ANSWER:
            raise EndlessError("the server's answer does not end")
        return text

    def store(self, name: str, pieces: Iterable[bytes]) -> None:
        """STOR; whether all of it arrived is for the caller to check."""
        with self._data(f"STOR {name}") as connection:
            for piece in pieces:
                for start in range(0, len(piece), BLOCK):
                    connection.settimeout(self._left(self._command_timeout))
                    connection.sendall(piece[start : start + BLOCK])
            if isinstance(connection, ssl.SSLSocket):
                # The closing alert must be awaited: closing with TLS 1.3 session tickets unread resets the
                # connection and may destroy the end of the file. Servers that never send the alert have the
                # whole file all the same; their answer on the control connection decides.
                connection.settimeout(self._left(REASON_SECONDS))
                with suppress(OSError):
                    connection.unwrap()

    def retrieve(self, command: str) -> bytes:
        """Return what the server sends for `RETR name` or `NLST`."""
        received = bytearray()
        self.receive(command, received.extend, MAX_RETRIEVED)
        return bytes(received)

    def receive(self, command: str, take: Callable[[bytes], object], at_most: int) -> None:
        """Give `take` piece after piece of what the server sends; EndlessError at more than `at_most` bytes."""
        left = at_most
        with self._data(command) as connection:
            while True:
                connection.settimeout(self._left(self._command_timeout))
                piece = connection.recv(BLOCK)
                if not piece:
                    break
                left -= len(piece)
                if left < 0:
                    raise EndlessError(f"the server sends more than {at_most} bytes")
                take(piece)

    @contextmanager
    def _data(self, command: str) -> Iterator[socket.socket]:
        self.data_session_reused = None
        self.timeout = self._left(self._command_timeout)
        connection = self._connected(command)
        try:
            connection = self._secured(connection)
            yield connection
        except OSError:
            connection.close()
            self._answer_due = monotonic() + REASON_SECONDS
            with suppress(EOFError, OSError):
                self.voidresp()  # which raises the reason
            raise
        finally:
            connection.close()
        self._expect_answer()
        self.voidresp()

    def _connected(self, command: str) -> socket.socket:
        if not self.passiveserver:
            # Past FTP_TLS, whose own method would wrap the connection without resuming the session.
            connection, _ = super(ftplib.FTP_TLS, self).ntransfercmd(command)
            if connection.getpeername()[0] != self._peer[0]:
                # In active mode anyone can reach the listening port, to steal a file or to plant one.
                connection.close()
                raise ConnectionAbortedError("the data connection came from another address than the server's")
            return connection
        # Without resolving the address again, as ftplib does.
        _, port = self.makepasv()
        if not 0 < port < 2**16:
            raise ftplib.error_proto(f"the server names the port {port}")  # noqa: S321 - an exception, no connection
        host, _, *scope = self._peer
        connection = WaitingSocket(self.af, socket.SOCK_STREAM)
        try:
            connection.settimeout(self._left(self._command_timeout))
            connection.connect((host, port, *scope))
            answer = self.sendcmd(command)
            if answer.startswith("2"):  # some servers confirm the data connection first, as ftplib knows
                answer = self.getresp()
            if not answer.startswith("1"):
                raise ftplib.error_reply(answer)  # noqa: S321 - an exception, not a connection
        except BaseException:
            connection.close()
            raise
        return connection

    def _secured(self, connection: socket.socket) -> socket.socket:
        control = self._control
        if not isinstance(control, ssl.SSLSocket):
            return connection
        _undelayed(connection)
        # Some servers want it to resume the control connection's session, which proves that both belong to one
        # client; FTP_TLS alone never does (Cisco phones spec §7.3).
        secured = self.context.wrap_socket(connection, server_hostname=self.host, session=control.session)
        self.data_session_reused = secured.session_reused
        return secured

    @property
    def _control(self) -> socket.socket:
        if self.sock is None:
            raise EOFError("the connection is closed")
        return self.sock

    def _expect_answer(self) -> None:
        self._answer_due = monotonic() + self._command_timeout
        self._answer_length = 0

    def _left(self, at_most: float) -> float:
        left = min(at_most, self.deadline - monotonic())
        if left <= 0:
            raise TimeoutError("the server takes too long")
        return left


def _undelayed(connection: socket.socket) -> None:
    # Otherwise the small closing alert of TLS waits 40 ms for the acknowledgement of the data before it.
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
