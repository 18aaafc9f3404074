"""A PBX that speaks Asterisk's manager interface, made after recordings of real ones (Asterisk spec §H).

Debian bookworm has no Asterisk. What PJSIP and chan_sip answer is in `asterisk_pjsip` and `asterisk_chan_sip`; here are
the connections, the log-in, rights, and what every Asterisk has.
"""

import contextlib
import hashlib
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from tests.peers.asterisk_chan_sip import ACTIONS as CHAN_SIP
from tests.peers.asterisk_chan_sip import ChanSip
from tests.peers.asterisk_pjsip import ACTIONS as PJSIP
from tests.peers.asterisk_pjsip import Contact, Pjsip
from tests.peers.asterisk_session import Action, AmiConnection, Pairs

__all__ = ["Asterisk", "Contact"]


@dataclass
class Asterisk:
    """The PBX: what is registered, which modules are loaded, what the account may, and what was asked (`actions`)."""

    username: str = "patchbay"
    secret: str = "ami secret"
    rights: tuple[str, ...] = ("system", "call", "reporting", "command")
    allow_multiple_login: bool = True
    modules: tuple[str, ...] = ("pjsip", "chan_sip", "sccp")
    pjsip: Pjsip = field(default_factory=Pjsip)
    chan_sip: ChanSip = field(default_factory=ChanSip)
    sccp_devices: dict[str, bool] = field(default_factory=dict)  # name -> is it registered?
    greeting: bytes = b"Asterisk Call Manager/11.0.0\r\n"
    refusal_seconds: float = 0.0  # real ones take about 1 s to refuse a log-in
    drip: float = 0.0  # seconds between two bytes
    mute_on: str = ""  # the action that is never answered
    clock: Callable[[], float] = time.time
    on_restart: Callable[[str], None] = lambda name: None
    actions: list[Pairs] = field(default_factory=list)
    port: int = 0
    _loaded_at: float = 0.0
    _connections: set[socket.socket] = field(default_factory=set)
    _logged_in: set[socket.socket] = field(default_factory=set)

    def asked(self, action: str) -> list[Pairs]:
        """Return what came with each request for `action`."""
        return [pairs for pairs in self.actions if pairs[0][1].lower() == action.lower()]

    def restart(self, seconds: float = 0.0) -> None:
        """Hang up; the modules are loaded again so many seconds later."""
        self._loaded_at = time.monotonic() + seconds
        for connection in tuple(self._connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def loaded(self) -> None:
        """All modules are there now."""
        self._loaded_at = 0.0

    @contextlib.contextmanager
    def running(self) -> Iterator["Asterisk"]:
        """Listen on loopback until the block is left."""
        with socket.create_server(("127.0.0.1", 0)) as server:
            self.port = server.getsockname()[1]
            thread = threading.Thread(target=self._accept, args=(server,), daemon=True)
            thread.start()
            try:
                yield self
            finally:
                server.shutdown(socket.SHUT_RDWR)
                thread.join()
                self.restart()

    def action(self, name: str) -> Action | None:
        """What an action does; None: no module has it, or it is not loaded yet."""
        action = ACTIONS.get(name.lower())
        if action is None or (action.module and time.monotonic() < self._loaded_at):
            return None
        return action if action.module in (*self.modules, "") else None

    def permits(self, action: Action) -> bool:
        return not action.rights or bool(set(action.rights) & set(self.rights))

    def log_in(self, connection: socket.socket) -> bool:
        """Whether this account may be logged in here, too."""
        if not self.allow_multiple_login and self._logged_in - {connection}:
            return False
        self._logged_in.add(connection)
        return True

    def _accept(self, server: socket.socket) -> None:
        while True:
            try:
                connection = server.accept()[0]
            except OSError:
                return
            self._connections.add(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with contextlib.suppress(ConnectionAbortedError):
                AmiConnection(self, connection).run()
            # To close on what was not read would reset the connection, and what was said last would be lost.
            connection.shutdown(socket.SHUT_WR)
            connection.settimeout(1)
            while connection.recv(65536):
                pass
        self._connections.discard(connection)
        self._logged_in.discard(connection)


def _challenge(to: AmiConnection, asked: dict[str, str]) -> None:
    to.challenge = str(secrets.randbelow(10**9))
    to.send([("Response", "Success"), ("ActionID", to.action_id), ("Challenge", to.challenge)])


def _login(to: AmiConnection, asked: dict[str, str]) -> None:
    key = hashlib.md5((to.challenge + to.pbx.secret).encode()).hexdigest()
    proven = asked.get("key") == key or asked.get("secret") == to.pbx.secret
    if asked.get("username") != to.pbx.username or not proven:
        time.sleep(to.pbx.refusal_seconds)
        to.respond("Error", "Authentication failed")
        raise ConnectionAbortedError  # Asterisk hangs up
    if not to.pbx.log_in(to.connection):
        to.respond("Error", "Login Already In Use")
        raise ConnectionAbortedError
    to.authenticated = True
    to.respond("Success", "Authentication accepted")


def _logoff(to: AmiConnection, asked: dict[str, str]) -> None:
    to.respond("Goodbye", "Thanks for all the fish.")
    raise ConnectionAbortedError


def _ping(to: AmiConnection, asked: dict[str, str]) -> None:
    told = [("Ping", "Pong"), ("Timestamp", f"{to.pbx.clock():.6f}")]
    to.send([("Response", "Success"), ("ActionID", to.action_id), *told])


def _list_commands(to: AmiConnection, asked: dict[str, str]) -> None:
    """Only what is loaded and the account may use is listed."""
    listed = [
        (action.name, f"{action.does} (Priv: {','.join((*action.rights, 'all') if action.rights else ('<none>',))})")
        for name, action in ACTIONS.items()
        if to.pbx.action(name) and to.pbx.permits(action)
    ]
    to.send([("Response", "Success"), ("ActionID", to.action_id), *listed])


def _getvar(to: AmiConnection, asked: dict[str, str]) -> None:
    value = to.pbx.chan_sip.variable(asked.get("variable", "")) if to.pbx.action("SIPnotify") else ""
    told = [("Variable", asked.get("variable", "")), ("Value", value)]
    to.send([("Response", "Success"), ("ActionID", to.action_id), *told])


def _command(to: AmiConnection, asked: dict[str, str]) -> None:
    command = asked.get("command", "")
    known = command.startswith("sip notify ") and to.pbx.action("SIPnotify")
    missing = (False, [f"No such command '{command}' (type 'core show help' for other possible commands)"])
    done, output = to.pbx.chan_sip.notify_command(*command.split()[2:4]) if known else missing
    if done and output[0].startswith("Sending"):
        to.pbx.on_restart(command.split()[3])
    to.respond("Success" if done else "Error", "Command output follows", *(("Output", line) for line in output))


def _sccp_restart(to: AmiConnection, asked: dict[str, str]) -> None:
    name = asked.get("devicename", "")
    if not name:
        return to.respond("Error", "Please specify the name of device to be reset")
    if name not in to.pbx.sccp_devices:
        return to.respond("Error", "Device not found")
    if not to.pbx.sccp_devices[name]:
        return to.respond("Error", "Device not registered")
    to.pbx.on_restart(name)
    return to.respond("Success", "Device restarted")


ACTIONS: dict[str, Action] = {
    action.name.lower(): action
    for action in (
        Action("Challenge", "", (), "Generate Challenge for MD5 Auth.", _challenge),
        Action("Login", "", (), "Login Manager.", _login),
        Action("Logoff", "", (), "Logoff Manager.", _logoff),
        Action("Ping", "", (), "Keepalive command.", _ping),
        Action("ListCommands", "", (), "List available manager commands.", _list_commands),
        Action("Getvar", "", ("call", "reporting"), "Gets a channel variable or function value.", _getvar),
        Action("Command", "", ("command",), "Execute Asterisk CLI Command.", _command),
        Action("SCCPDeviceRestart", "sccp", ("system", "config"), "Restart a given device.", _sccp_restart),
        *PJSIP,
        *CHAN_SIP,
    )
}
