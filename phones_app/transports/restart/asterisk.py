"""What Asterisk is asked for: which phones are registered, and to restart one over PJSIP, chan_sip or SCCP.

All answers mean "queued", not "restarted" (Cisco phones spec §2.4, §8.1); evidence of a restart is another
Call-ID of the phone's registration. Stock PJSIP puts a user into From, and some firmware answers that with
400: only the third-party module res_pjsip_cisco_service_control helps there.
"""

import re
from dataclasses import dataclass
from typing import Any

from contacts_app.core.errors import Exchange, TransportError
from contacts_app.core.tables import table
from phones_app.transports.restart.ami import AmiMessage, AmiReply, AmiSession, Fields
from phones_app.transports.restart.sip_message import DEFAULT_STAMPS, Stamps, body_lines

# What chan-sccp-b takes: `reset` and `full` reboot the phone.
SCCP_TYPES = ("restart", "reset", "full", "applyConfig")

# Where chan_sip keeps the Call-ID of a registration: Asterisk 11 to 20 with the usecallmanager patch, 21 on.
_CHAN_SIP_CALL_ID = ("SIPPEER({peer},regcallid)", "SIP_PEER({peer},register_callid)")

_MAC_OF_CALL_ID = re.compile(r"[0-9a-f]{12}(?=-)")
_ADDRESS_OF_URI = re.compile(r"@\[?([0-9A-Za-z.:\-]+?)\]?(?::\d+)?(?:[;?>]|$)")


@dataclass(frozen=True)
class Contact:
    """One registration. Phones begin the Call-ID with their MAC, which tells them apart on one endpoint."""

    aor: str
    endpoint: str
    uri: str
    call_id: str
    via_address: str
    status: str

    @property
    def mac(self) -> str:
        """The MAC in the Call-ID, 12 upper-case digits; empty when there is none."""
        found = _MAC_OF_CALL_ID.match(self.call_id.lower())
        return found[0].upper() if found else ""

    @property
    def addresses(self) -> set[str]:
        """Where the phone is, as it said itself and as Asterisk saw it."""
        found = (_ADDRESS_OF_URI.search(self.uri), _ADDRESS_OF_URI.search(f"@{self.via_address}"))
        return {match[1] for match in found if match}


def pjsip_contacts(session: AmiSession) -> list[Contact]:
    """List the registrations of all PJSIP endpoints."""
    reply = session.action("PJSIPShowContacts")
    if not reply.succeeded:
        # So Asterisk says that the list is empty; anything else is an error.
        if "no contacts" in reply.message.lower():
            return []
        raise _refusal(reply)
    names = ("contactlist", "contactstatusdetail")
    return [_contact(event) for event in reply.events if event.get("Event").lower() in names]


def pjsip_registration(session: AmiSession, *, endpoint: str, mac: str = "", ip: str = "") -> str | None:
    """Return the Call-ID of the phone's present registration, None when it has none.

    Another one than before the restart is evidence that the phone registered anew.
    """
    try:
        contact = _find(_live(session, endpoint), endpoint, mac, ip)
    except TransportError as error:
        if error.code == "not-registered":
            return None
        raise
    return contact.call_id or None


def restart_pjsip(
    session: AmiSession,
    *,
    endpoint: str,
    mac: str = "",
    ip: str = "",
    action: str = "restart",
    stamps: Stamps = DEFAULT_STAMPS,
) -> Exchange:
    """Let Asterisk send the NOTIFY with the Call-ID of the phone's present registration.

    The MAC, else the address, tells the phone from others on the same endpoint. A phone that is alone
    there is reached through the endpoint, and only one among several by its URI: Asterisk accepts a URI
    without a word and sends nothing when it has no `default_outbound_endpoint`.
    """
    contacts = _live(session, endpoint)
    contact = _find(contacts, endpoint, mac, ip)
    whom = ("Endpoint", endpoint) if len(contacts) == 1 else ("URI", contact.uri)
    reply = session.action("PJSIPNotify", (whom, *_variables(body_lines(action, contact.call_id, stamps))))
    return _accepted(reply)


def restart_chan_sip(
    session: AmiSession, *, peer: str, action: str = "restart", stamps: Stamps = DEFAULT_STAMPS
) -> Exchange:
    """Let chan_sip send the NOTIFY: by action if it tells the Call-ID, else by its own configuration.

    Only the patched chan_sip tells Call-IDs; otherwise the section of sip_notify.conf is `cisco-restart` for
    the action `restart`.
    """
    if not re.fullmatch(r"[A-Za-z0-9_.\-]+", peer):
        raise TransportError(f"{peer!r} is not the name of a peer", permanent=True, code="invalid-value")
    call_id = _chan_sip_call_id(session, peer)
    if call_id:
        # The older action reads Channel, the newer one Peer, and each ignores the other's.
        whom = (("Channel", f"SIP/{peer}"), ("Peer", peer))
        return _accepted(session.action("SIPnotify", whom + _variables(body_lines(action, call_id, stamps))))
    command = f"sip notify cisco-{action} {peer}"
    reply = session.action("Command", Command=command)
    output = " ".join(reply.response.all("Output"))
    if reply.succeeded and "sending notify" not in output.lower():
        raise TransportError(f"Asterisk did not send the NOTIFY: {output}", code="pbx-refused", exchange=reply.exchange)
    return _accepted(reply)


def restart_sccp(session: AmiSession, *, device_name: str, type: str = "restart") -> Exchange:
    """Let chan-sccp-b restart a phone; TransportError `unknown-action` where the PBX has no chan-sccp-b."""
    if type not in SCCP_TYPES:
        raise TransportError(f"{type!r} is none of {', '.join(SCCP_TYPES)}", permanent=True, code="invalid-value")
    return _accepted(session.action("SCCPDeviceRestart", Devicename=device_name, Type=type))


def _contact(event: AmiMessage) -> Contact:
    """Read both spellings: ContactList of PJSIPShowContacts, and ContactStatusDetail of its relatives."""
    name = re.split(r";?@@?|/", event.get("ObjectName"), maxsplit=1)[0]  # "1001;@2f7c…", "1001@@2f7c…"
    return Contact(
        aor=event.get("AOR") or name,
        endpoint=event.get("EndpointName", "Endpoint") or name,
        # Asterisk's stores write ";" so, because it begins a comment in its files.
        uri=event.get("URI").replace("^3B", ";"),
        call_id=event.get("CallID"),
        via_address=event.get("ViaAddress", "ViaAddr"),
        status=event.get("Status", "ContactStatus"),
    )


def _live(session: AmiSession, endpoint: str) -> list[Contact]:
    """Return the registrations of one endpoint."""
    contacts = pjsip_contacts(session)
    return [c for c in contacts if endpoint in (c.endpoint, c.aor) and c.status.lower() != "removed"]


def _find(contacts: list[Contact], endpoint: str, mac: str, ip: str) -> Contact:
    """Pick the contact of one phone: by the MAC in its Call-ID, else by address, else because it is alone.

    A lone contact whose Call-ID bears another MAC is another phone: restarting that one would hurt its user.
    """
    candidates = [c for c in contacts if not (mac and c.mac and c.mac != mac)]
    found = (
        [c for c in candidates if mac and c.mac == mac]
        or [c for c in candidates if ip and ip in c.addresses]
        or (candidates if len(candidates) == 1 else [])
    )
    if found:
        return found[0]
    if candidates:
        raise TransportError(
            f"{len(candidates)} phones are registered as {endpoint}, and nothing tells which one is meant",
            code="ambiguous-contact",
            exchange=Exchange("", "\n".join(f"{c.uri} {c.call_id}" for c in candidates[:20])),
        )
    raise TransportError(f"The phone is not registered as {endpoint}", code="not-registered")


def _variables(lines: list[str]) -> Fields:
    """Write the NOTIFY as manager variables; the empty last Content gives the body its last line end."""
    headers = ("Event=service-control", "Subscription-State=active", "Content-Type=text/plain")
    body = (f"Content={line}" for line in [*lines, ""])
    return tuple(("Variable", variable) for variable in (*headers, *body))


def _chan_sip_call_id(session: AmiSession, peer: str) -> str:
    for function in _CHAN_SIP_CALL_ID:
        reply = session.action("Getvar", Variable=function.format(peer=peer))
        if reply.succeeded and (value := reply.response.get("Value")):
            return value
    return ""


_REFUSALS: list[list[Any]] = table(__file__, "answers.toml")["asterisk"]["refusals"]


def _accepted(reply: AmiReply) -> Exchange:
    if not reply.succeeded:
        raise _refusal(reply)
    return reply.exchange


def _refusal(reply: AmiReply) -> TransportError:
    said = reply.message.lower()
    code, permanent = next(
        ((code, permanent) for part, code, permanent in _REFUSALS if part in said), ("pbx-refused", False)
    )
    return TransportError(f"Asterisk refuses: {reply.message}", permanent, code=code, exchange=reply.exchange)
