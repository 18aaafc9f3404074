"""Telling a phone to restart, by whatever way it can be told (phone profiles spec §5, Cisco phones spec §2).

SIP and SIPE phones: a NOTIFY, directly or through their call manager. SCCP phones: Asterisk, if their call manager is one
that knows SCCP, else key presses by HTTP. Before that: is it this phone, and is nobody talking on it?
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.utils import timezone

from contacts_app.services.errors import Refusal
from phones_app.models import CallManager, Deployment, DeploymentStep, KeyMacro, Phone
from phones_app.models.call_manager import Transport
from phones_app.models.deployment import State
from phones_app.services.targets import ami_target, phone_networks, phone_web
from phones_app.transports import Exchange, TransportError
from phones_app.transports.ami import AmiSession
from phones_app.transports.asterisk import pjsip_registration, restart_chan_sip, restart_pjsip, restart_sccp
from phones_app.transports.cgi import run_macro
from phones_app.transports.key_macros import KeyMacro as Macro
from phones_app.transports.key_macros import macro_for, parse_steps
from phones_app.transports.service_control import DEFAULT_STAMPS, parse_stamps
from phones_app.transports.sip_notify import NotifyTarget, explain, send_notify
from phones_app.transports.status import PhoneStatus, read_status, read_streams

# RFC 3261 §17.2.2, timer J is 32 s; less, because the request is on its way for a moment.
REMEMBERED = timedelta(seconds=30)


@dataclass
class Sent:
    """A restart that was accepted: how it was asked for, and what is remembered for the evidence."""

    method: str
    exchange: Exchange
    remembered: dict[str, Any] = field(default_factory=dict)


@dataclass
class Situation:
    """What the phone's status page says before a restart; `status` None: it does not answer."""

    status: PhoneStatus | None
    in_call: bool
    note: str


def look_at(phone: Phone) -> Situation:
    """Raises TransportError when another phone answers at this address: that one must not be restarted."""
    if not phone.phone_ip:
        return Situation(None, False, "No IP address, so no look at the status page.")
    web = phone_web(phone)
    try:
        status = read_status(web)
    except TransportError as error:
        if error.permanent and error.code == "outside-networks":
            raise
        return Situation(None, False, f"The status page does not answer ({error.message}).")
    if status.mac and status.mac != phone.mac:
        raise TransportError(
            f"The phone at {phone.phone_ip} is {status.mac}, not {phone.mac}: its address has changed.",
            permanent=True,
            code="another-phone",
            request=status.exchange.request,
            answer=status.exchange.answer,
        )
    return Situation(status, bool(read_streams(web)), "")


def protocol_of(phone: Phone, deployment: Deployment) -> str:
    """SIP or SCCP: what the phone is known to run, else what the deployed file is written for."""
    if phone.software_type:
        return "SCCP" if phone.software_type == "SCCP" else "SIP"
    facts = deployment.revision.facts if deployment.revision else {}
    return str(facts.get("protocol") or "SIP")


def send_restart(deployment: Deployment, phone: Phone, user: str) -> Sent:
    """Ask for the restart, once. Raises TransportError, or Refusal when something needed is not known."""
    manager = phone.call_manager
    if protocol_of(phone, deployment) == "SCCP":
        if manager is not None and manager.kind == CallManager.Kind.AMI:
            try:
                return _by_sccp_action(phone, manager)
            except TransportError as error:
                if error.code != "unknown-action":
                    raise
        return _by_keys(phone)
    if manager is not None and manager.kind == CallManager.Kind.AMI:
        return _by_ami(phone, manager, user)
    return _by_notify(deployment, phone, manager, user)


def is_remembered(deployment: Deployment, phone: Phone) -> bool:
    """Whether the same NOTIFY once more is a retransmission to whoever got it, and no second restart."""
    manager = phone.call_manager
    by_udp = manager is None or (manager.kind == CallManager.Kind.SIP and manager.transport == Transport.UDP)
    since = deployment.restarted_at
    return (
        protocol_of(phone, deployment) == "SIP"
        and by_udp
        and since is not None
        and timezone.now() - since < REMEMBERED
    )


def line_user(deployment: Deployment, phone: Phone, steps: Mapping[str, DeploymentStep]) -> str:
    """The user of the phone's SIP contact, as which it is registered *now*, before it reads the new file.

    In this order: as recorded; line 1 of what it was last confirmed to run; what its status page says; line 1 of the
    file that the upload replaced; line 1 of the new file; its device name. The phone answers 404 to a wrong one.
    """
    if phone.line_user:
        return phone.line_user
    running = (
        Deployment.objects.filter(phone=phone, state__in=(State.CONFIRMED, State.RESTART_ACKNOWLEDGED))
        .filter(created_at__lt=deployment.created_at)
        .exclude(revision=None)
        .select_related("revision")
        .order_by("-created_at")
        .first()
    )
    seen = {kind: step.detail for kind, step in steps.items()}
    candidates = [
        running.revision.facts.get("registration_user") if running and running.revision else "",
        seen.get(DeploymentStep.Kind.RESTART, {}).get("directory_number"),
        seen.get(DeploymentStep.Kind.UPLOAD, {}).get("replaced_user"),
        deployment.revision.facts.get("registration_user") if deployment.revision else "",
    ]
    return str(next((user for user in candidates if user), f"SEP{phone.mac}"))


def _stamps(manager: CallManager | None) -> tuple[tuple[str, str], ...]:
    return parse_stamps(manager.stamps) if manager else DEFAULT_STAMPS


def _by_notify(deployment: Deployment, phone: Phone, manager: CallManager | None, user: str) -> Sent:
    if not phone.phone_ip:
        raise Refusal("no-address", "The phone's IP address is not known.")
    target = NotifyTarget(
        host=manager.host if manager else phone.phone_ip,
        port=manager.port if manager else phone.sip_port,
        transport=manager.transport if manager else "udp",
        user=user,
        contact_host=phone.phone_ip,
        contact_port=phone.sip_port,
        networks=phone_networks(),
    )
    answer = send_notify(
        target,
        action=manager.action if manager else "restart",
        stamps=_stamps(manager),
        # The same transaction again after a crash is a retransmission for the phone, not a second restart.
        transaction=deployment.uuid.hex,
    )
    if answer.status != 200:
        raise TransportError(
            f"{answer.status} {answer.reason}: {explain(answer.status)}",
            permanent=True,
            code=f"sip-{answer.status}",
            request=answer.exchange.request,
            answer=answer.exchange.answer,
        )
    return Sent("sip-notify", answer.exchange)


def _by_ami(phone: Phone, manager: CallManager, endpoint: str) -> Sent:
    with AmiSession(ami_target(manager)) as session:
        if manager.channel == CallManager.Channel.CHAN_SIP:
            exchange = restart_chan_sip(
                session, peer=endpoint, action=manager.action, stamps=_stamps(manager)
            )
            return Sent("ami-chan-sip", exchange)
        phone_there = {"endpoint": endpoint, "mac": phone.mac, "ip": phone.phone_ip or ""}
        before = pjsip_registration(session, **phone_there)
        exchange = restart_pjsip(session, **phone_there, action=manager.action, stamps=_stamps(manager))
        return Sent("ami-pjsip", exchange, {"registration": before or "", **phone_there})


def _by_sccp_action(phone: Phone, manager: CallManager) -> Sent:
    with AmiSession(ami_target(manager)) as session:
        return Sent("ami-sccp", restart_sccp(session, device_name=f"SEP{phone.mac}", type=manager.action))


def key_macros() -> list[Macro]:
    return [
        Macro(row.name, tuple(part.strip() for part in row.phone_models.split(",")), parse_steps(row.steps))
        for row in KeyMacro.objects.all()
    ]


def _by_keys(phone: Phone) -> Sent:
    macro = macro_for(phone.model, key_macros())
    if macro is None:
        raise Refusal("no-key-macro", f"No key macro restarts a {phone.model or 'phone of unknown model'}.")
    return Sent("key-macro", run_macro(phone_web(phone), macro), {"macro": macro.name})
