"""What the channel drivers of Asterisk have in common: what they tell of a registration, and how a NOTIFY is written.

PJSIP and chan_sip have a file of their own; SCCP, which is one action, is here. All answers mean "sent", not "restarted"
(Asterisk spec §F.1).
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from contacts_app.core.errors import Exchange, TransportError
from contacts_app.core.tables import table
from phones_app.transports.restart.ami import AmiSession, Fields

# What chan-sccp-b takes: `reset` and `full` reboot the phone.
SCCP_TYPES = ("restart", "reset", "full", "applyConfig")
# The MAC at the beginning of a Call-ID: as firmware writes it, and in the other form in use (Asterisk spec §A).
_MAC_OF_CALL_ID = re.compile(r"([0-9a-f]{8})-([0-9a-f]{4})[0-9a-f]{4}-|([0-9a-f]{12})-")
# A contact as phones write it, or only host and port of one; IPv6 stands in brackets where a port may follow.
_PLACE = re.compile(
    r"(?:sips?:(?P<user>[^@]*)@)?(?P<host>\[[^\]]+\]|[0-9A-Za-z.\-]+|[0-9A-Fa-f:.]+)(?::(?P<port>\d+))?(?:[;?>]|$)"
)
_TRANSPORT = re.compile(r";transport=(\w+)", re.IGNORECASE)
_IN_CALL: list[str] = table(__file__, "answers.toml")["asterisk"]["in_call"]


@dataclass(frozen=True)
class ContactAddress:
    """Where a contact leads to; `port` 0 is the usual one."""

    user: str
    host: str
    port: int
    transport: str  # udp, tcp or tls


@dataclass(frozen=True)
class ContactRegistration:
    """What Asterisk tells of a registration of one phone: facts. What they prove is decided by who asks."""

    name: str  # the endpoint, or the peer
    call_id: str
    uri: str
    via: str  # where Asterisk heard the phone, with or without a port
    expires: float  # seconds since the epoch by Asterisk's clock; 0: not told
    reachable: bool | None  # None: Asterisk does not ask the phone (no qualify)
    in_call: bool | None  # None: not told
    software: str = ""  # what the phone said of itself: its load where that is told, else its user agent

    @property
    def mac(self) -> str:
        return mac_of_call_id(self.call_id)

    @property
    def addresses(self) -> set[str]:
        """Where the phone is, as it said itself and as Asterisk saw it."""
        return {place.host for place in (place_of(self.uri), place_of(self.via)) if place}

    def is_of(self, mac: str, ip: str) -> bool:
        """Whether it is the phone's: by the MAC in its Call-ID, else by its address (Asterisk spec §A)."""
        return self.mac == mac if self.mac and mac else bool(ip) and ip in self.addresses


def place_of(contact: str) -> ContactAddress | None:
    """Read a contact; None where it leads nowhere, as that of second lines does on some PBX (Asterisk spec §I.3)."""
    found = _PLACE.match(contact)
    if found is None:
        return None
    transport = _TRANSPORT.search(contact)
    return ContactAddress(
        user=found["user"] or "",
        host=found["host"].strip("[]"),
        port=int(found["port"] or 0),
        transport=transport[1].lower() if transport else "udp",
    )


def mac_of_call_id(call_id: str) -> str:
    """The MAC, 12 upper-case digits; empty when there is none."""
    found = _MAC_OF_CALL_ID.match(call_id.lower())
    return "".join(filter(None, found.groups())).upper() if found else ""


def in_call(device_state: str, active_channels: str = "") -> bool | None:
    if active_channels.isdecimal() and int(active_channels):
        return True
    return device_state.lower() in _IN_CALL if device_state or active_channels else None


def ensure_reachable(registration: ContactRegistration) -> None:
    """Raises TransportError for a phone that does not answer Asterisk and so would not hear of it (Asterisk spec §D)."""
    if registration.reachable is False:
        fault = f"Asterisk does not reach the phone registered as {registration.name}"
        raise TransportError(fault, code="unreachable", exchange=Exchange("", registration.uri))


def notify_variables(lines: Iterable[str]) -> Fields:
    """Write the NOTIFY as manager variables; the empty last Content gives the body its last line end.

    Asterisk adds a Subscription-State of its own (Asterisk spec §F.5).
    """
    headers = ("Event=service-control", "Content-Type=text/plain")
    body = (f"Content={line}" for line in [*lines, ""])
    return tuple(("Variable", variable) for variable in (*headers, *body))


def restart_sccp(session: AmiSession, *, device_name: str, type: str = "restart") -> Exchange:
    """Let chan-sccp-b restart a phone; TransportError `unknown-action` where the PBX has no chan-sccp-b."""
    if type not in SCCP_TYPES:
        raise TransportError(f"{type!r} is none of {', '.join(SCCP_TYPES)}", permanent=True, code="invalid-value")
    return session.action("SCCPDeviceRestart", Devicename=device_name, Type=type).accepted()
