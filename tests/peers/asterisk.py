"""A PBX that speaks Asterisk's manager interface as documented, for Debian bookworm has no Asterisk.

It knows the actions that matter for restarting phones, and says what Asterisk says when it refuses. The
spelling differs between versions of Asterisk; `old_spelling` selects that of the other ones.
"""

import contextlib
import hashlib
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

Pairs = list[tuple[str, str]]

PJSIP_EVENTS = ("ContactList", "ContactStatusDetail")


@dataclass
class Registration:
    """One registered phone of a PJSIP endpoint."""

    endpoint: str
    call_id: str
    ip: str = "192.0.2.10"
    port: int = 5060
    status: str = "Reachable"
    user_agent: str = "Cisco-CP8851/12.8.1"

    def event(self, old_spelling: bool) -> Pairs:
        uri = f"sip:{self.endpoint}@{self.ip}:{self.port}"
        if old_spelling:
            return [
                ("Event", "ContactStatusDetail"),
                ("AOR", self.endpoint),
                ("URI", uri),
                ("Status", self.status),
                ("EndpointName", self.endpoint),
                ("UserAgent", self.user_agent),
                ("ViaAddress", f"{self.ip}:{self.port}"),
                ("CallID", self.call_id),
            ]
        return [
            ("Event", "ContactList"),
            ("ObjectType", "contact"),
            ("ObjectName", f"{self.endpoint};@{hashlib.sha256(uri.encode()).hexdigest()[:32]}"),
            ("ViaAddr", self.ip),
            ("ViaPort", str(self.port)),
            ("CallId", self.call_id),
            ("Endpoint", self.endpoint),
            ("Uri", f"{uri}^3Btransport=tcp"),
            ("UserAgent", self.user_agent),
            ("Status", self.status),
        ]


@dataclass
class Asterisk:
    """The PBX: what is registered, which channels are loaded, and what it was asked for (`actions`)."""

    username: str = "patchbay"
    secret: str = "ami secret"
    registrations: list[Registration] = field(default_factory=list)
    chan_sip_call_ids: dict[str, str] = field(default_factory=dict)
    sip_notify_types: tuple[str, ...] = ("cisco-restart",)
    sccp_devices: dict[str, bool] = field(default_factory=dict)  # name -> is it registered?
    channels: tuple[str, ...] = ("pjsip", "chan_sip", "sccp")
    old_spelling: bool = False
    greeting: bytes = b"Asterisk Call Manager/8.0.2\r\n"
    forbidden: tuple[str, ...] = ()
    drip: float = 0.0  # seconds between two bytes
    mute_on: str = ""  # the action that is never answered
    on_restart: Callable[[str], None] = lambda name: None
    actions: list[Pairs] = field(default_factory=list)
    port: int = 0

    def asked(self, action: str) -> list[Pairs]:
        """Return what came with each request for `action`."""
        return [pairs for pairs in self.actions if pairs[0][1].lower() == action.lower()]

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

    def _accept(self, server: socket.socket) -> None:
        while True:
            try:
                connection = server.accept()[0]
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            _Session(self, connection).run()


class _Session:
    """One connection to the PBX."""

    def __init__(self, pbx: Asterisk, connection: socket.socket) -> None:
        self.pbx, self.connection = pbx, connection
        self.challenge = ""
        self.authenticated = False

    def run(self) -> None:
        self.connection.sendall(self.pbx.greeting)
        pairs: Pairs = []
        for line in self.connection.makefile("rb"):
            key, _, value = line.decode().strip().partition(": ")
            if key:
                pairs.append((key.rstrip(":"), value))
                continue
            self.pbx.actions.append(pairs)
            self.answer(pairs)
            pairs = []

    def answer(self, pairs: Pairs) -> None:
        asked = {key.lower(): value for key, value in pairs}
        action, self.action_id = asked["action"], asked.get("actionid", "")
        if action == self.pbx.mute_on:
            return
        handler = _HANDLERS.get(action.lower())
        if handler is None or handler[0] not in (*self.pbx.channels, ""):
            text = f"Invalid/unknown command: {action}. Use Action: ListCommands to show available commands."
            self.respond("Error", text)
        elif action in self.pbx.forbidden or not (self.authenticated or action.lower() in ("challenge", "login")):
            self.respond("Error", "Permission denied")
        else:
            handler[1](self, asked, pairs)

    def send(self, *blocks: Pairs) -> None:
        data = "".join("".join(f"{k}: {v}\r\n" for k, v in block) + "\r\n" for block in blocks).encode()
        if not self.pbx.drip:
            self.connection.sendall(data)
            return
        for byte in data:
            self.connection.sendall(bytes([byte]))
            time.sleep(self.pbx.drip)

    def respond(self, response: str, message: str, *more: tuple[str, str]) -> None:
        self.send([("Response", response), ("ActionID", self.action_id), ("Message", message), *more])

    def on_challenge(self, asked: dict[str, str], pairs: Pairs) -> None:
        self.challenge = str(secrets.randbelow(10**9))
        self.send([("Response", "Success"), ("ActionID", self.action_id), ("Challenge", self.challenge)])

    def on_login(self, asked: dict[str, str], pairs: Pairs) -> None:
        key = hashlib.md5((self.challenge + self.pbx.secret).encode()).hexdigest()
        if asked.get("username") != self.pbx.username or asked.get("key") != key:
            self.respond("Error", "Authentication failed")
            raise ConnectionAbortedError  # Asterisk hangs up
        self.authenticated = True
        self.respond("Success", "Authentication accepted")
        # An event that nobody asked for, as Asterisk sends it even with `Events: off`.
        self.send([("Event", "FullyBooted"), ("Privilege", "system,all"), ("Status", "Fully Booted")])

    def on_ping(self, asked: dict[str, str], pairs: Pairs) -> None:
        self.send([("Response", "Success"), ("ActionID", self.action_id), ("Ping", "Pong")])

    def on_contacts(self, asked: dict[str, str], pairs: Pairs) -> None:
        if not self.pbx.registrations:
            return self.respond("Error", "No Contacts found")
        kind = PJSIP_EVENTS[self.pbx.old_spelling]
        identity = ("ActionID", self.action_id)
        foreign = [("Event", kind), ("ActionID", "another's"), ("Endpoint", "9999"), ("Uri", "sip:9999@x")]
        events = [registration.event(self.pbx.old_spelling) for registration in self.pbx.registrations]
        start = f"A listing of Contacts follows, presented as {kind} events"
        self.respond("Success", start, ("EventList", "start"))
        self.send(foreign, *([event[0], identity, *event[1:]] for event in events))
        count = ("ListItems", str(len(events)))
        return self.send([("Event", f"{kind}Complete"), identity, ("EventList", "Complete"), count])

    def on_pjsip_notify(self, asked: dict[str, str], pairs: Pairs) -> None:
        endpoint = asked.get("endpoint", "")
        if endpoint and endpoint not in [r.endpoint for r in self.pbx.registrations]:
            return self.respond("Error", f"Unable to retrieve endpoint {endpoint}")
        self.respond("Success", "NOTIFY sent")
        return self.pbx.on_restart(endpoint or asked.get("uri", ""))

    def on_getvar(self, asked: dict[str, str], pairs: Pairs) -> None:
        name, _, arguments = asked["variable"].rstrip(")").partition("(")
        peer, _, wanted = arguments.partition(",")
        known = (name, wanted) == ("SIP_PEER", "register_callid")
        value = self.pbx.chan_sip_call_ids.get(peer, "") if known else ""
        self.send(
            [("Response", "Success"), ("ActionID", self.action_id), ("Variable", asked["variable"]), ("Value", value)]
        )

    def on_sip_notify(self, asked: dict[str, str], pairs: Pairs) -> None:
        if not asked.get("channel", "").startswith("SIP/"):
            return self.respond("Error", "SIPNotify requires a channel name")
        self.respond("Success", "Notify Sent")
        return self.pbx.on_restart(asked["channel"].removeprefix("SIP/"))

    def on_command(self, asked: dict[str, str], pairs: Pairs) -> None:
        notify_type, peer = asked["command"].split()[2:4]
        known = notify_type in self.pbx.sip_notify_types
        output = f"Sending NOTIFY of type '{notify_type}' to '{peer}'"
        if not known:
            output = f"Unable to find notify type '{notify_type}'"
        if self.pbx.old_spelling:
            head = f"Response: Follows\r\nPrivilege: Command\r\nActionID: {self.action_id}\r\n"
            self.connection.sendall(f"{head}{output}\n--END COMMAND--\r\n\r\n".encode())
        else:
            self.respond("Success", "Command output follows", ("Output", output))
        if known:
            self.pbx.on_restart(peer)

    def on_sccp_restart(self, asked: dict[str, str], pairs: Pairs) -> None:
        name = asked.get("devicename", "")
        if not name:
            return self.respond("Error", "Please specify the name of device to be reset")
        if name not in self.pbx.sccp_devices:
            return self.respond("Error", "Device not found")
        if not self.pbx.sccp_devices[name]:
            return self.respond("Error", "Device not registered")
        self.respond("Success", "Device restarted")
        return self.pbx.on_restart(name)


Handler = Callable[[_Session, dict[str, str], Pairs], None]

# The action in lower case: the channel that must be loaded for it, and what it does.
_HANDLERS: dict[str, tuple[str, Handler]] = {
    "challenge": ("", _Session.on_challenge),
    "login": ("", _Session.on_login),
    "ping": ("", _Session.on_ping),
    "getvar": ("", _Session.on_getvar),
    "command": ("", _Session.on_command),
    "pjsipshowcontacts": ("pjsip", _Session.on_contacts),
    "pjsipnotify": ("pjsip", _Session.on_pjsip_notify),
    "sipnotify": ("chan_sip", _Session.on_sip_notify),
    "sccpdevicerestart": ("sccp", _Session.on_sccp_restart),
}
