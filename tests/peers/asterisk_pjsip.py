"""PJSIP of the test PBX: contacts, how they are shown, and NOTIFYs, which reach the phones if `delivers` is set."""

import contextlib
import hashlib
import secrets
import socket
import threading
import time
from dataclasses import dataclass, field

from tests.peers.asterisk_session import Action, AmiConnection, Pairs

# 1.56 s for 10,016 contacts, and 3 to 9 ms for one endpoint (Asterisk spec §E).
SECONDS_PER_CONTACT, SECONDS_PER_ENDPOINT = 1.56 / 10_016, 0.004
_CHUNK = 500


@dataclass
class Contact:
    """A contact of an endpoint, as a phone has registered it."""

    endpoint: str
    call_id: str
    ip: str = "192.0.2.10"
    port: int = 5060
    transport: str = "udp"
    status: str = "NonQualified"
    expires_at: float = 0.0
    user_agent: str = "Cisco-CP8851/14.2.1"

    def __post_init__(self) -> None:
        self.expires_at = self.expires_at or time.time() + 3600

    @property
    def place(self) -> str:
        return f"[{self.ip}]:{self.port}" if ":" in self.ip else f"{self.ip}:{self.port}"

    @property
    def uri(self) -> str:
        return f"sip:{self.endpoint}@{self.place};transport={self.transport}"

    @property
    def key(self) -> str:
        return f"{self.endpoint};@{hashlib.md5(self.uri.encode()).hexdigest()}"

    def listed(self) -> Pairs:
        return [
            ("Event", "ContactList"),
            ("ObjectType", "contact"),
            ("ObjectName", self.key),
            ("ViaAddr", self.ip),
            ("QualifyTimeout", "3.000000"),
            ("CallId", self.call_id),
            ("RegServer", "pbx"),
            ("Path", ""),
            ("Endpoint", self.endpoint),
            ("ViaPort", str(self.port)),
            ("Uri", self.uri),
            ("QualifyFrequency", "0"),
            ("UserAgent", self.user_agent),
            ("ExpirationTime", f"{self.expires_at:.0f}"),
            ("Status", self.status),
            ("RoundtripUsec", "N/A"),
        ]

    def detail(self) -> Pairs:
        return [
            ("Event", "ContactStatusDetail"),
            ("AOR", self.endpoint),
            ("URI", self.uri),
            ("UserAgent", self.user_agent),
            ("RegExpire", f"{self.expires_at:.0f}"),
            ("ViaAddress", self.place),
            ("CallID", self.call_id),
            ("Status", self.status),
            ("RoundtripUsec", "N/A"),
            ("EndpointName", self.endpoint),
            ("ID", self.key),
            ("Path", ""),
            ("QualifyFrequency", "0"),
        ]


@dataclass
class Pjsip:
    """`answers` are those of phones to NOTIFYs, which Asterisk tells nobody; `slow`: lists take as long as real ones."""

    contacts: list[Contact] = field(default_factory=list)
    endpoints: set[str] = field(default_factory=set)  # those without a contact
    talking: set[str] = field(default_factory=set)
    delivers: bool = False
    slow: bool = False
    answers: list[tuple[Contact, int]] = field(default_factory=list)
    delivered: list[str] = field(default_factory=list)
    changed: threading.Condition = field(default_factory=threading.Condition)

    def register(self, contact: Contact) -> None:
        """A contact that is there already keeps its Call-ID, and not its user agent (Asterisk spec §B, §K)."""
        with self.changed:
            known = next((one for one in self.contacts if one.key == contact.key), None)
            if known is None:
                # In the order of a hash: the first one is any of them.
                self.contacts = sorted([*self.contacts, contact], key=lambda one: one.key)
            else:
                known.expires_at, known.user_agent = contact.expires_at, contact.user_agent
            self.changed.notify_all()

    def unregister(self, contact: Contact) -> None:
        with self.changed:
            self.contacts = [one for one in self.contacts if one.key != contact.key]
            self.changed.notify_all()

    def of(self, endpoint: str) -> list[Contact]:
        return [contact for contact in self.contacts if contact.endpoint == endpoint]

    def knows(self, endpoint: str) -> bool:
        return endpoint in self.endpoints or bool(self.of(endpoint))

    def deliver(self, endpoint: str, headers: list[str], body: str) -> None:
        for contact in self.of(endpoint):
            threading.Thread(target=self._deliver, args=(contact, headers, body), daemon=True).start()

    def _deliver(self, contact: Contact, headers: list[str], body: str) -> None:
        kind = socket.SOCK_DGRAM if contact.transport == "udp" else socket.SOCK_STREAM
        with contextlib.suppress(OSError), socket.socket(socket.AF_INET, kind) as sock:
            sock.settimeout(5)
            sock.connect((contact.ip, contact.port))
            here = "{}:{}".format(*sock.getsockname())
            lines = [
                f"NOTIFY {contact.uri} SIP/2.0",
                f"Via: SIP/2.0/{contact.transport.upper()} {here};rport;branch=z9hG4bKPj{secrets.token_hex(8)}",
                f"From: <sip:127.0.0.1>;tag={secrets.token_hex(8)}",
                f"To: <{contact.uri}>",
                f"Contact: <sip:{here}>",
                f"Call-ID: {secrets.token_hex(16)}",
                "CSeq: 4711 NOTIFY",
                "Subscription-State: terminated",
                *headers,
                "Max-Forwards: 70",
                f"Content-Length: {len(body)}",
            ]
            text = "\r\n".join([*lines, "", body])
            sock.sendall(text.encode())
            answer = sock.recv(65536)
            with self.changed:
                self.delivered.append(text)
                self.answers.append((contact, int(answer.split()[1])))
                self.changed.notify_all()


def _contacts(to: AmiConnection, asked: dict[str, str]) -> None:
    contacts = list(to.pbx.pjsip.contacts)
    if not contacts:
        to.respond("Error", "No Contacts found")
        return to.send([])
    identity = ("ActionID", to.action_id)
    message = ("Message", "A listing of Contacts follows, presented as ContactList events")
    to.send([("Response", "Success"), identity, ("EventList", "start"), message])
    for start in range(0, len(contacts), _CHUNK):
        part = contacts[start : start + _CHUNK]
        if to.pbx.pjsip.slow:
            time.sleep(len(part) * SECONDS_PER_CONTACT)
        to.send(*([event[0], identity, *event[1:]] for event in (contact.listed() for contact in part)))
    count = ("ListItems", str(len(contacts)))
    return to.send([("Event", "ContactListComplete"), identity, ("EventList", "Complete"), count])


def _endpoint(to: AmiConnection, asked: dict[str, str]) -> None:
    pjsip, name = to.pbx.pjsip, asked.get("endpoint", "")
    if pjsip.slow:
        time.sleep(SECONDS_PER_ENDPOINT)
    if not pjsip.knows(name):
        return to.respond("Error", f"Unable to retrieve endpoint {name}")
    contacts = pjsip.of(name)
    state = ("In use" if name in pjsip.talking else "Not in use") if contacts else "Unavailable"
    detail = [
        ("Event", "EndpointDetail"),
        ("ObjectType", "endpoint"),
        ("ObjectName", name),
        ("Aors", name),
        ("Transport", ""),
        ("DeviceState", state),
        ("ActiveChannels", "1" if name in pjsip.talking else "0"),
    ]
    aor = [
        ("Event", "AorDetail"),
        ("ObjectType", "aor"),
        ("ObjectName", name),
        ("MaxContacts", "10"),
        ("Contacts", ",".join(f"{name}/{contact.uri}" for contact in contacts)),
        ("RemoveExisting", "false"),
        ("TotalContacts", str(len(contacts))),
        ("EndpointName", name),
    ]
    events = [detail, aor, *(contact.detail() for contact in contacts)]
    message = "Following are Events for each object associated with the Endpoint"
    return to.respond_list(message, events, "EndpointDetailComplete")


def _notify(to: AmiConnection, asked: dict[str, str]) -> None:
    endpoint, uri = asked.get("endpoint", ""), asked.get("uri", "")
    if not (endpoint or uri):
        return to.respond("Error", "PJSIPNotify requires either an endpoint name or a SIP URI.")
    if endpoint and not to.pbx.pjsip.knows(endpoint):
        return to.respond("Error", f"Unable to retrieve endpoint {endpoint}")
    to.respond("Success", "NOTIFY sent")
    # By URI nothing is sent, as there is no default_outbound_endpoint (Asterisk spec §C).
    if endpoint and to.pbx.pjsip.delivers:
        variables = [value.partition("=") for key, value in to.pairs if key == "Variable"]
        headers = [f"{name}: {value}" for name, _, value in variables if name != "Content"]
        to.pbx.pjsip.deliver(endpoint, headers, "\r\n".join(v for name, _, v in variables if name == "Content"))
    return to.pbx.on_restart(endpoint)


ACTIONS = (
    Action("PJSIPShowContacts", "pjsip", ("system", "reporting"), "Lists PJSIP Contacts.", _contacts),
    Action("PJSIPShowEndpoint", "pjsip", ("system",), "Detail listing of an endpoint and its objects.", _endpoint),
    Action("PJSIPNotify", "pjsip", ("system",), "Send NOTIFY to either an endpoint or an arbitrary URI.", _notify),
)
