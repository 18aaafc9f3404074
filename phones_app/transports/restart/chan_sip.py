"""Restarts SIP phones through chan_sip, with the usecallmanager patch or without it (Asterisk spec §I).

The patch tells the Call-ID and the device name of a peer. Its versions for Asterisk 18 and 22 spell everything
differently; where both are asked, the older is the first.
"""

import re
from dataclasses import dataclass

from contacts_app.core.errors import Exchange, TransportError
from phones_app.transports.restart.ami import AmiMessage, AmiSession
from phones_app.transports.restart.asterisk import (
    ContactRegistration,
    ensure_reachable,
    in_call,
    mac_of_call_id,
    notify_variables,
)
from phones_app.transports.restart.sip_message import DEFAULT_STAMPS, Stamps, body_lines

_CALL_ID = ("SIPPEER({peer},regcallid)", "SIP_PEER({peer},register_callid)")
# How peers without an address are shown.
_NO_ADDRESS = ("", "(null)", "-none-", "0.0.0.0")  # noqa: S104 - compared, not bound
# Peers at one address that are asked which phone they are of: the lines of one phone, or what a router hides.
_MOST_PEERS = 50


@dataclass(frozen=True)
class _Peer:
    """What SIPshowpeer tells of one peer. `mac` and `line` are known with the patch only."""

    registration: ContactRegistration
    mac: str
    line: int

    def is_of(self, mac: str, ip: str) -> bool:
        return self.mac == mac if self.mac and mac else self.registration.is_of(mac, ip)


def chan_sip_registration(session: AmiSession, *, peer: str, mac: str = "", ip: str = "") -> ContactRegistration:
    """The registration of this phone at the peer of its first line; TransportError when there is none.

    `peer` may be that of another line, or of another phone, as the line user in the record of the phone may be wrong.
    """
    if not re.fullmatch(r"[A-Za-z0-9_.\-]+", peer):
        raise TransportError(f"{peer!r} is not the name of a peer", permanent=True, code="invalid-value")
    named = _show(session, peer)
    if named is not None and named.is_of(mac, ip) and named.line <= 1:
        return named.registration
    found = next((one for one in _peers_of(session, mac, ip, named) if one.mac == mac and one.line <= 1), None)
    if found is not None:
        return found.registration
    if named is None:
        fault, code = f"Asterisk knows no peer {peer}, and none of the device SEP{mac}", "device-not-found"
    elif named.registration.uri or named.registration.call_id:
        fault, code = (
            f"The peer {peer} is {named.mac or 'a phone at another address'}, not this phone",
            "not-registered",
        )
    else:
        fault, code = f"No phone is registered at the peer {peer}", "not-registered"
    raise TransportError(fault, permanent=code == "device-not-found", code=code)


def restart_chan_sip(
    session: AmiSession,
    *,
    peer: str,
    mac: str = "",
    ip: str = "",
    action: str = "restart",
    stamps: Stamps = DEFAULT_STAMPS,
) -> tuple[ContactRegistration, Exchange]:
    """Have chan_sip send the NOTIFY to the phone's first line; its registration is returned.

    Without the patch no Call-ID is told: then the PBX's own section `cisco-restart` of sip_notify.conf is asked for, and
    what it has not, or does not permit, is sent without a Call-ID.
    """
    registration = chan_sip_registration(session, peer=peer, mac=mac, ip=ip)
    ensure_reachable(registration)
    name = registration.name
    if not registration.call_id:
        reply = session.action("Command", Command=f"sip notify cisco-{action} {name}")
        if reply.succeeded and "sending notify" in reply.output.lower():
            return registration, reply.exchange
        if (why := reply.refusal()).code == "not-registered":
            raise why
    # 18 reads Channel, 22 reads Peer, and each ignores the other's.
    whom = (("Channel", f"SIP/{name}"), ("Peer", name))
    variables = notify_variables(body_lines(action, registration.call_id, stamps))
    return registration, session.action("SIPnotify", whom + variables).accepted()


def _show(session: AmiSession, name: str) -> _Peer | None:
    """One peer; None when there is none of this name."""
    reply = session.action("SIPshowpeer", Peer=name)
    if not reply.succeeded:
        if (why := reply.refusal()).code == "device-not-found":
            return None
        raise why
    said = reply.response
    address = said.get("Address-IP", "IPAddress")
    registered = address not in _NO_ADDRESS
    call_id = _call_id(session, name) if registered else ""
    expires = re.match(r"\d+", said.get("RegisterExpires", "RegExpire"))
    device = re.fullmatch(r"SEP([0-9A-F]{12})", said.get("CiscoDeviceName", "DeviceName").upper())
    line = said.get("CiscoLineIndex", "LineIndex")
    registration = ContactRegistration(
        name=name,
        call_id=call_id,
        uri=said.get("Reg-Contact", "RegisterContact") if registered else "",
        via=address if registered else "",
        expires=session.now() + int(expires[0]) if expires else 0.0,
        reachable=_reachable(said.get("Status")),
        in_call=in_call(_variable(session, f"DEVICE_STATE(SIP/{name})")) if registered else None,
        software=said.get("CiscoActiveLoad", "ActiveLoad") or said.get("SIP-Useragent", "UserAgent"),
    )
    return _Peer(registration, device[1] if device else mac_of_call_id(call_id), int(line) if line.isdecimal() else 0)


def _peers_of(session: AmiSession, mac: str, ip: str, named: _Peer | None) -> list[_Peer]:
    """The other peers that may be of the phone: by the device name, which 22 lists, else by the address."""
    mine = {ip} | (named.registration.addresses if named and named.is_of(mac, ip) else set())
    reply = session.action("SIPpeers")
    if not reply.succeeded:
        raise reply.refusal()
    names = [_name(event) for event in reply.events if _may_be(event, mac, mine)]
    others = [name for name in names if name and not (named and name == named.registration.name)]
    return [peer for name in others[:_MOST_PEERS] if (peer := _show(session, name))]


def _name(event: AmiMessage) -> str:
    return event.get("ObjectName", "Name")


def _may_be(event: AmiMessage, mac: str, addresses: set[str]) -> bool:
    if device := event.get("DeviceName"):
        return device.upper() == f"SEP{mac}"
    address = event.get("IPaddress", "Address")
    return address not in _NO_ADDRESS and address in addresses


def _call_id(session: AmiSession, peer: str) -> str:
    return next(filter(None, (_variable(session, function.format(peer=peer)) for function in _CALL_ID)), "")


def _variable(session: AmiSession, function: str) -> str:
    """The value of a function; empty where this Asterisk does not have it."""
    reply = session.action("Getvar", Variable=function)
    if not reply.succeeded and (why := reply.refusal()).code == "permission-denied":
        raise why
    return reply.response.get("Value") if reply.succeeded else ""


def _reachable(status: str) -> bool | None:
    if status.upper().startswith(("OK", "LAGGED")):
        return True
    return False if status.upper() == "UNREACHABLE" else None
