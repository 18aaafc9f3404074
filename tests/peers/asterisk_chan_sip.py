"""chan_sip of the test PBX: as in Asterisk 18 or 22, with the usecallmanager patch or without it (Asterisk spec §I)."""

import re
from dataclasses import dataclass, field

from tests.peers.asterisk_session import Action, AmiConnection, Pairs

# Which functions tell what of a peer; 22 still answers to one of the old names.
_FUNCTIONS = {
    18: {"SIPPEER": {"regcallid": "call_id", "ciscodevicename": "device", "ciscolineindex": "line"}},
    22: {
        "SIP_PEER": {"register_callid": "call_id", "devicename": "device", "lineindex": "line"},
        "SIPPEER": {"regcallid": "call_id"},
    },
}


@dataclass
class Peer:
    """A peer; without a Call-ID it is not registered. `lines` are the peers of further lines, at that of the first."""

    name: str
    call_id: str = ""
    ip: str = "192.0.2.10"
    port: int = 5060
    transport: str = "udp"
    device: str = ""
    line: int = 1
    lines: tuple[str, ...] = ()
    status: str = "Unmonitored"
    device_state: str = "NOT_INUSE"
    expires: int = 3600

    @property
    def registered(self) -> bool:
        return bool(self.call_id)

    @property
    def contact(self) -> str:
        return f"sip:{self.name}@{self.ip}:{self.port};transport={self.transport}" if self.registered else ""


@dataclass
class ChanSip:
    """The driver, its peers, and the sections of its sip_notify.conf."""

    version: int = 22
    patched: bool = True
    peers: list[Peer] = field(default_factory=list)
    notify_types: tuple[str, ...] = ("cisco-restart",)

    def peer(self, name: str) -> Peer | None:
        return next((peer for peer in self.peers if peer.name == name), None)

    def variable(self, expression: str) -> str:
        """The value of SIPPEER(…), SIP_PEER(…) or DEVICE_STATE(…); empty where there is none."""
        function, _, arguments = expression.rstrip(")").partition("(")
        if function == "DEVICE_STATE":
            peer = self.peer(arguments.removeprefix("SIP/"))
            return "INVALID" if peer is None else peer.device_state if peer.registered else "UNAVAILABLE"
        name, _, wanted = arguments.partition(",")
        peer = self.peer(name)
        attribute = _FUNCTIONS[self.version].get(function, {}).get(wanted, "") if self.patched else ""
        return str(getattr(peer, attribute)) if peer and attribute else ""

    def notify_command(self, kind: str, name: str) -> tuple[bool, list[str]]:
        """`sip notify KIND NAME`: whether the command succeeded, and what it prints."""
        peer, old = self.peer(name), self.version == 18
        if kind not in self.notify_types:
            missing = f"Unable to find notify type '{kind}'" if old else f"Notify type '{kind}' not found"
            return False, [missing, f"Command 'sip notify {kind} {name}' failed."]
        if peer is not None and peer.registered:
            sending = f"Sending NOTIFY of type '{kind}' to '{name}'" if old else f"Sending notify '{kind}' to '{name}'"
            return True, [sending]
        if old:
            return True, [f"Could not create address for '{name}'"]
        return True, [f"No IP address for peer '{name}'" if peer else f"Peer '{name}' not found"]

    def listed(self, peer: Peer) -> Pairs:
        if self.version == 18:
            return [
                ("Event", "PeerEntry"),
                ("Channeltype", "SIP"),
                ("ObjectName", peer.name),
                ("ChanObjectType", "peer"),
                ("IPaddress", peer.ip if peer.registered else "-none-"),
                ("IPport", str(peer.port if peer.registered else 0)),
                ("Dynamic", "yes"),
                ("Status", peer.status),
                ("Description", ""),
            ]
        device = [("DeviceName", peer.device if peer.registered else "")] if self.patched else []
        return [
            ("Event", "SIPPeer"),
            ("Name", peer.name),
            ("Description", ""),
            ("Address", peer.ip if peer.registered else ""),
            ("AddressPort", peer.ip if peer.registered else ""),
            ("Dynamic", "yes"),
            ("RegisterExpires", str(self._expires(peer))),
            ("Status", peer.status),
            *device,
        ]

    def shown(self, peer: Peer) -> Pairs:
        return self._shown_18(peer) if self.version == 18 else self._shown_22(peer)

    def _expires(self, peer: Peer) -> int:
        return peer.expires if peer.registered and peer.line == 1 else -1

    def _shown_18(self, peer: Peer) -> Pairs:
        patch = [
            ("DoNotDisturb", "N"),
            ("CallForward", ""),
            ("HuntGroup", "Y"),
            ("CiscoDeviceName", peer.device if peer.registered else ""),
            ("CiscoActiveLoad", "sip88xx.14-2-1-0001-14"),
            ("CiscoLineIndex", str(peer.line)),
            *(("Register", name) for name in peer.lines),
        ]
        return [
            ("Channeltype", "SIP"),
            ("ObjectName", peer.name),
            ("ChanObjectType", "peer"),
            ("SecretExist", "Y"),
            ("Context", "phones"),
            ("ToneZone", "<Not set>"),
            ("Dynamic", "Y"),
            ("Callerid", '"" <>'),
            ("RegExpire", f"{self._expires(peer)} seconds"),
            ("Address-IP", peer.ip if peer.registered else "(null)"),
            ("Address-Port", str(peer.port if peer.registered else 0)),
            ("Default-addr-IP", "(null)"),
            ("Default-Username", peer.name),
            ("Status", peer.status),
            ("SIP-Useragent", "Cisco-CP8851/14.2.1"),
            ("Reg-Contact", peer.contact),
            *(patch if self.patched else []),
        ]

    def _shown_22(self, peer: Peer) -> Pairs:
        # The contact of a second line is malformed.
        contact = f"sip{peer.name}@{peer.ip}:{peer.port}" if peer.line > 1 and peer.registered else peer.contact
        patch = [
            ("CiscoSupport", "yes"),
            ("DeviceName", peer.device if peer.registered else ""),
            ("ActiveLoad", "sip88xx.14-2-1-0001-14"),
            ("LineIndex", str(peer.line)),
            *((f"Register{number}", f"{name},{number + 1}") for number, name in enumerate(peer.lines, 1)),
        ]
        return [
            ("Name", peer.name),
            ("SecretExist", "yes"),
            ("Context", "phones"),
            ("MaxCalls", "5"),
            ("Host", "dynamic"),
            ("IPAddress", peer.ip if peer.registered else ""),
            ("Port", str(peer.port) if peer.registered else ""),
            ("PrimaryTransport", peer.transport),
            ("Status", peer.status),
            ("UserAgent", "Cisco-CP8851/14.2.1"),
            ("RegisterContact", contact),
            ("RegisterExpires", str(self._expires(peer))),
            *(patch if self.patched else []),
        ]


def _peers(to: AmiConnection, asked: dict[str, str]) -> None:
    chan_sip = to.pbx.chan_sip
    old = chan_sip.version == 18
    message, complete = ("Peer status list will follow", "PeerlistComplete")
    if not old:
        message, complete = ("Peers list will follow", "SIPPeersComplete")
    to.respond_list(message, [chan_sip.listed(peer) for peer in chan_sip.peers], complete)


def _show_peer(to: AmiConnection, asked: dict[str, str]) -> None:
    chan_sip, name = to.pbx.chan_sip, asked.get("peer", "")
    old = chan_sip.version == 18
    if not name:
        return to.respond("Error", "Peer: <name> missing." if old else "Peer name missing")
    peer = chan_sip.peer(name)
    if peer is None:
        return to.respond("Error", f"Peer {name} not found." if old else "Peer not found")
    return to.send([("Response", "Success"), ("ActionID", to.action_id), *chan_sip.shown(peer)])


def _hints(to: AmiConnection, asked: dict[str, str]) -> None:
    """Each event of 22 has an empty line inside, and continues after it."""
    chan_sip, identity = to.pbx.chan_sip, ("ActionID", to.action_id)
    message = ("Message", "Extension Statuses will follow")
    to.send([("Response", "Success"), identity, ("EventList", "start"), message])
    for peer in chan_sip.peers:
        hint = ("Hint", f"SIP/{peer.name},SIP/{peer.name}")
        to.send([("Event", "ExtensionStatus"), identity, ("Exten", peer.name), hint, ("Status", "0")])
        if chan_sip.version == 22:
            to.send([("PresenceStatus", "1"), ("PresenceStatusText", "Unavailable")])
    to.send([("Event", "ExtensionStateListComplete"), identity, ("EventList", "Complete")])


def _notify(to: AmiConnection, asked: dict[str, str]) -> None:
    chan_sip = to.pbx.chan_sip
    old = chan_sip.version == 18
    # Each reads its own key and ignores the other.
    name = re.sub(r"^SIP/", "", asked.get("channel", "")) if old else asked.get("peer", "")
    if not name:
        return to.respond("Error", "SIPNotify requires a channel name" if old else "Peer name missing")
    peer = chan_sip.peer(name)
    if peer is None or not peer.registered:
        return to.respond("Error", "Could not create address" if old else "Peer error")
    to.pbx.on_restart(name)
    return to.respond("Success", "Notify Sent" if old else "Notify sent")


ACTIONS = (
    Action("SIPpeers", "chan_sip", ("system", "reporting"), "List SIP peers (text format).", _peers),
    Action("SIPshowpeer", "chan_sip", ("system", "reporting"), "show SIP peer (text format).", _show_peer),
    Action("ExtensionStateList", "", ("call", "reporting"), "List the current known extension states.", _hints),
    Action("SIPnotify", "chan_sip", ("system",), "Send a SIP notify.", _notify),
)
