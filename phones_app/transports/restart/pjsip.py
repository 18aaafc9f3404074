"""Restarts SIP phones through Asterisk's PJSIP, which is asked for one endpoint at a time (Asterisk spec §E).

Stock PJSIP puts a user into From, and some firmware answers that with 400: only the third-party module
res_pjsip_cisco_service_control helps there.
"""

from contacts_app.core.errors import Exchange, TransportError
from phones_app.transports.restart.ami import AmiMessage, AmiSession
from phones_app.transports.restart.asterisk import ContactRegistration, ensure_reachable, in_call, notify_variables
from phones_app.transports.restart.sip_message import DEFAULT_STAMPS, Stamps, body_lines

# What the status of a contact says; of any other (NonQualified, Unknown) nothing is known.
_REACHABLE = {"reachable": True, "unreachable": False}


def pjsip_registration(session: AmiSession, *, endpoint: str, mac: str = "", ip: str = "") -> ContactRegistration:
    """The registration of this phone; TransportError when there is none, or it cannot be told from others."""
    contacts = _contacts(session, endpoint)
    # An older contact of the phone stays until it expires, so the one that lasts longest is the present one.
    if found := [contact for contact in contacts if mac and contact.mac == mac]:
        return max(found, key=lambda contact: contact.expires)
    others = [contact for contact in contacts if not (mac and contact.mac)]
    found = [contact for contact in others if contact.is_of(mac, ip)]
    if len(found) == 1:
        return found[0]
    if others:
        raise TransportError(
            f"Registered as {endpoint}: {len(others)}, and neither Call-ID nor address tells that it is this phone",
            code="ambiguous-contact",
            exchange=_listed(others),
        )
    raise TransportError(
        f"The phone is not registered as {endpoint}", code="not-registered", exchange=_listed(contacts)
    )


def restart_pjsip(
    session: AmiSession,
    *,
    endpoint: str,
    mac: str = "",
    ip: str = "",
    action: str = "restart",
    stamps: Stamps = DEFAULT_STAMPS,
) -> tuple[ContactRegistration, Exchange]:
    """Have the NOTIFY sent with the Call-ID of the phone's registration, which is returned.

    It goes to all contacts of the endpoint, and only the phone with this Call-ID obeys (Asterisk spec §C).
    """
    registration = pjsip_registration(session, endpoint=endpoint, mac=mac, ip=ip)
    ensure_reachable(registration)
    variables = notify_variables(body_lines(action, registration.call_id, stamps))
    reply = session.action("PJSIPNotify", (("Endpoint", endpoint), *variables))
    return registration, reply.accepted()


def _contacts(session: AmiSession, endpoint: str) -> list[ContactRegistration]:
    """The contacts of an endpoint that have not expired."""
    reply = session.action("PJSIPShowEndpoint", Endpoint=endpoint)
    if not reply.succeeded:
        raise reply.refusal()
    detail = next((event for event in reply.events if event.get("Event") == "EndpointDetail"), AmiMessage(()))
    talking = in_call(detail.get("DeviceState"), detail.get("ActiveChannels"))
    contacts = [
        _registration(event, endpoint, talking)
        for event in reply.events
        if event.get("Event") == "ContactStatusDetail" and event.get("Status").lower() != "removed"
    ]
    return [contact for contact in contacts if not contact.expires or contact.expires > session.now()]


def _registration(event: AmiMessage, endpoint: str, talking: bool | None) -> ContactRegistration:
    expires = event.get("RegExpire")
    return ContactRegistration(
        name=endpoint,
        call_id=event.get("CallID"),
        uri=event.get("URI"),
        via=event.get("ViaAddress"),
        expires=float(expires) if expires.isdecimal() else 0.0,
        reachable=_REACHABLE.get(event.get("Status").lower()),
        in_call=talking,
        software=event.get("UserAgent"),
    )


def _listed(contacts: list[ContactRegistration]) -> Exchange:
    return Exchange("", "\n".join(f"{contact.uri} {contact.call_id}" for contact in contacts[:20]))
