"""Where a restart is decided: `choose` says how a phone is restarted (phone profiles spec §5, Cisco phones spec §2).

The preview, every dry run and the restart itself ask `choose` and decide nothing on their own. The strategies are
classes in `phones_app/transports/restart/strategies.py`:

    phone speaks  no call manager   SIP call manager        Asterisk with PJSIP         Asterisk with chan_sip
    SIP, SIPE     SipNotify direct  SipNotify by registrar  AmiPjsip                    AmiChanSip
    SCCP          KeyPresses        KeyPresses              AmiSccp, else KeyPresses    AmiSccp, else KeyPresses

If something needed is missing (the address, a key macro), it is CannotRestart. Also here: what is checked right before a
restart (`look_at`: is it this phone, is it in a call?), and what Asterisk tells of the phone (`registration_of`). Whom a
phone is addressed as is in `identity`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from contacts_app.core.errors import TransportError
from phones_app.inventory.models import Phone
from phones_app.inventory.services import phone_web
from phones_app.servers.models import CallManager, KeyMacro
from phones_app.servers.services import ami_target, no_sip_to, phone_networks, told_of
from phones_app.transports.phone_web import PhoneStatus, read_status, read_streams
from phones_app.transports.restart.ami_sessions import ami_session
from phones_app.transports.restart.asterisk import ContactRegistration
from phones_app.transports.restart.chan_sip import chan_sip_registration
from phones_app.transports.restart.key_macros import Macro, macro_for, parse_steps
from phones_app.transports.restart.pjsip import pjsip_registration
from phones_app.transports.restart.sip_message import DEFAULT_STAMPS, parse_stamps
from phones_app.transports.restart.sip_notify import NotifyTarget
from phones_app.transports.restart.strategies import (
    AmiChanSip,
    AmiPjsip,
    AmiSccp,
    CannotRestart,
    FirstContact,
    KeyPresses,
    RestartStrategy,
    SipNotify,
)
from profiles_app.phone import sep
from profiles_app.phone.models import ProfileRevision, SoftwareType

Macros = Callable[[], Sequence[Macro]]
NO_ADDRESS = "The phone's IP address is not known."
BY_HAND = "by-hand"
BY_HAND_ALONE = "Nothing restarts a phone with a text file from here: it takes its file when it is switched on."
# What is wrong with an Asterisk only for a while: it is starting, busy, or its account is logged in elsewhere.
PASSING = ("busy", "closed", "login-in-use", "network", "refused", "timeout", "unreachable")


def key_macros() -> list[Macro]:
    """The key macros, in the order in which they are tried."""
    return [
        Macro(row.name, tuple(part.strip() for part in row.phone_models.split(",")), parse_steps(row.steps))
        for row in KeyMacro.objects.all()
    ]


def choose(phone: Phone, revision: ProfileRevision | None, macros: Macros = key_macros) -> RestartStrategy:
    """The strategy that restarts this phone after an upload of `revision` (None: without an upload).

    `macros` is called only for SCCP phones; for many phones at once, pass a cached one.
    """
    if reads_text(phone, revision):
        return CannotRestart("switching it off and on", code=BY_HAND, trouble=BY_HAND_ALONE)
    manager = phone.call_manager
    asterisk = manager if manager and manager.kind == CallManager.Kind.AMI else None
    if protocol_of(phone, revision) == "SCCP":
        keys = _key_presses(phone, macros())
        return _ami_sccp(phone, asterisk, otherwise=keys) if asterisk else keys
    if asterisk and asterisk.channel == CallManager.Channel.CHAN_SIP:
        return _ami_chan_sip(phone, asterisk)
    if asterisk:
        return _ami_pjsip(phone, asterisk, macros)
    return _sip_by_registrar(manager) if manager else _sip_direct(phone)


def reads_text(phone: Phone, revision: ProfileRevision | None) -> bool:
    """Whether it is a phone with a text file, which no NOTIFY is known to restart (boot server spec §10)."""
    if revision is not None:
        return bool(revision.facts.get("format") == "sip-text")
    device = sep.catalogue.find(phone.model)
    return device is not None and device.plain_text_sip and phone.software_type in ("SIP", "SIPE")


def protocol_of(phone: Phone, revision: ProfileRevision | None) -> str:
    """SIP or SCCP: what the phone is known to run, else what the file is written for."""
    if phone.software_type:
        return "SCCP" if phone.software_type == "SCCP" else "SIP"
    return str((revision.facts if revision else {}).get("protocol") or "SIP")


def _sip_direct(phone: Phone) -> RestartStrategy:
    receiver = f"{phone.phone_ip or 'the phone'}:{phone.sip_port}"
    if not phone.phone_ip:
        return CannotRestart(f"SIP NOTIFY to {receiver}", code="no-address", trouble=NO_ADDRESS)
    target = NotifyTarget(phone.phone_ip, phone.sip_port, networks=phone_networks())
    return SipNotify(target, receiver, "restart", DEFAULT_STAMPS)


def _sip_by_registrar(manager: CallManager) -> RestartStrategy:
    if trouble := no_sip_to(manager):
        return CannotRestart(f"SIP NOTIFY to {manager}", code="sip-to-asterisk", trouble=trouble)
    target = NotifyTarget(manager.host, manager.port, manager.transport, to_registrar=True, networks=phone_networks())
    return SipNotify(target, str(manager), manager.action, parse_stamps(manager.stamps))


def _ami_pjsip(phone: Phone, manager: CallManager, macros: Macros) -> RestartStrategy:
    keys = _key_presses(phone, macros()) if phone.web_username else None
    return AmiPjsip(
        ami_target(manager),
        str(manager),
        manager.action,
        parse_stamps(manager.stamps),
        mac=phone.mac,
        ip=phone.phone_ip or "",
        keys=keys if isinstance(keys, KeyPresses) else None,
    )


def _ami_chan_sip(phone: Phone, manager: CallManager) -> RestartStrategy:
    return AmiChanSip(
        ami_target(manager),
        str(manager),
        manager.action,
        parse_stamps(manager.stamps),
        mac=phone.mac,
        ip=phone.phone_ip or "",
    )


def _ami_sccp(phone: Phone, manager: CallManager, *, otherwise: RestartStrategy) -> RestartStrategy:
    return AmiSccp(
        ami_target(manager), str(manager), manager.action, device_name=f"SEP{phone.mac}", otherwise=otherwise
    )


def _key_presses(phone: Phone, macros: Sequence[Macro]) -> RestartStrategy:
    macro = macro_for(phone.model, macros)
    if macro is None:
        trouble = f"No key macro restarts a {phone.model or 'phone of unknown model'}."
        return CannotRestart("Key presses", code="no-key-macro", trouble=trouble)
    if not phone.phone_ip:
        return CannotRestart(f"Key presses “{macro.name}”", code="no-address", trouble=NO_ADDRESS)
    return KeyPresses(macro, partial(phone_web, phone))


_REGISTRATIONS = {
    CallManager.Channel.PJSIP: lambda session, user, who: pjsip_registration(session, endpoint=user, **who),
    CallManager.Channel.CHAN_SIP: lambda session, user, who: chan_sip_registration(session, peer=user, **who),
}


def registration_of(phone: Phone, user: str) -> ContactRegistration | None:
    """What the phone's Asterisk tells of its registration; None where no Asterisk has SIP phones of this kind.

    TransportError when there is none (`not-registered` and the like), or when Asterisk cannot be asked.
    """
    manager = phone.call_manager
    if manager is None or manager.kind != CallManager.Kind.AMI:
        return None
    with ami_session(ami_target(manager)) as session:
        if phone.software_type == SoftwareType.SCCP:
            return None  # but it is known now that Asterisk can be asked
        who = {"mac": phone.mac, "ip": phone.phone_ip or ""}
        return _REGISTRATIONS[CallManager.Channel(manager.channel)](session, user, who)


@dataclass
class Situation:
    """What is known of the phone before a restart; `status` None: its status page does not answer; `in_call` None:
    nothing tells of calls.
    """

    status: PhoneStatus | None
    in_call: bool | None
    note: str
    registration: ContactRegistration | None = None
    # Why the status page does not answer: what else answers at an address that a tenant has typed.
    for_staff: str = ""


def look_at(phone: Phone, user: str) -> Situation:
    """Raises TransportError when another phone answers at this address: that one must not be restarted.

    Also, with a code that is `PASSING`, while the phone's Asterisk cannot be asked: nothing was sent yet.
    """
    situation = _look_at_page(phone)
    try:
        situation.registration = registration_of(phone, user)
    except TransportError as error:
        if error.code in PASSING:
            raise
        # What it means for the restart, its strategy says.
        told = told_of(phone.call_manager, error) if phone.call_manager else error
        situation.note = f"{situation.note} {told.message}.".strip()
    if situation.in_call is None and situation.registration is not None:
        situation.in_call = situation.registration.in_call
    return situation


def _look_at_page(phone: Phone) -> Situation:
    if not phone.phone_ip:
        return Situation(None, None, "No IP address, so the status page is not read.")
    web = phone_web(phone)
    try:
        status = read_status(web)
    except TransportError as error:
        if error.permanent and error.code == "outside-networks":
            raise
        return Situation(None, None, "The status page does not answer.", for_staff=error.message)
    if status.mac and status.mac != phone.mac:
        raise TransportError(
            f"The phone at {phone.phone_ip} is {status.mac}, not {phone.mac}: its address has changed.",
            permanent=True,
            code="another-phone",
            exchange=status.exchange,
        )
    return Situation(status, read_streams(web), "")


def first_contact(strategy: RestartStrategy, phone: Phone, macros: Macros = key_macros) -> RestartStrategy:
    """The same for a phone of which no line is known: then its own name is addressed, and its keys are pressed."""
    if isinstance(strategy, (KeyPresses, CannotRestart, AmiSccp)):
        return strategy  # none of these needs a line
    ways: list[tuple[RestartStrategy, str]] = [(_sip_direct(phone), f"SEP{phone.mac}")] if phone.phone_ip else []
    keys = _key_presses(phone, macros())
    return FirstContact(strategy, (*ways, (keys, "")) if isinstance(keys, KeyPresses) else tuple(ways))
