"""What a deployment or a restart would do, phone by phone, told before anything is done."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from contacts_app.services.actor import Actor
from contacts_app.services.errors import Refusal
from phones_app import sep
from phones_app.models import CallManager, Deployment, FileServer, Phone, PhoneProfile
from phones_app.services.deployment import check_compatible, deploy_many, restart_many
from phones_app.services.restart import key_macros, protocol_of
from phones_app.services.targets import file_server_of
from phones_app.transports.key_macros import KeyMacro, macro_for

# How many phones are told about one by one; the others are counted.
SHOWN = 50


@dataclass(frozen=True)
class Plan:
    """What would happen to one phone: `way` is how it would be restarted, `trouble` why that cannot work."""

    phone: Phone
    server: FileServer | None
    way: str
    trouble: str
    warnings: tuple[sep.Finding, ...] = ()

    @property
    def file_name(self) -> str:
        return sep.mac.file_name(self.phone.mac)


@dataclass(frozen=True)
class Preview:
    """`taken` counts the phones it would happen to, `plans` tell of the first; `refused` are the others."""

    taken: int
    plans: list[Plan] = field(default_factory=list)
    refused: list[tuple[Phone, Refusal]] = field(default_factory=list)

    @property
    def untold(self) -> int:
        return self.taken - len(self.plans)


def preview_deploy(*, phones: Sequence[Phone], profile: PhoneProfile, actor: Actor) -> Preview:
    asked = deploy_many(phones=phones, profile=profile, actor=actor, dry_run=True)
    warnings: dict[tuple[str, str | None], tuple[sep.Finding, ...]] = {}
    servers: dict[tuple[int, int | None], FileServer] = {}
    macros, plans = key_macros(), []
    for deployment in asked.deployments[:SHOWN]:
        phone = _phone(deployment)
        # What is said about a file depends on the phone's model and software alone.
        kind = (phone.model, phone.software_type)
        if kind not in warnings:
            warnings[kind] = tuple(check_compatible(phone, profile))
        # And which default server it gets, on its account.
        place = (phone.account_id, phone.file_server_id)
        if place not in servers:
            servers[place] = file_server_of(phone)
        way, trouble = restart_way(phone, protocol_of(phone, deployment), macros)
        plans.append(Plan(phone, servers[place], way, trouble, warnings[kind]))
    return Preview(len(asked.deployments), plans, asked.refused)


def preview_restart(*, phones: Sequence[Phone], actor: Actor) -> Preview:
    asked = restart_many(phones=phones, actor=actor, dry_run=True)
    macros = key_macros()
    plans = [
        Plan(phone, None, *restart_way(phone, protocol_of(phone, deployment), macros))
        for deployment in asked.deployments[:SHOWN]
        for phone in [_phone(deployment)]
    ]
    return Preview(len(asked.deployments), plans, asked.refused)


def restart_way(phone: Phone, protocol: str, macros: Sequence[KeyMacro]) -> tuple[str, str]:
    """How `restart.send_restart` would tell this phone, in words, and what is missing for it."""
    manager = phone.call_manager
    by_ami = manager is not None and manager.kind == CallManager.Kind.AMI
    no_address = "" if phone.phone_ip else "The phone's IP address is not known."
    if protocol == "SCCP":
        if by_ami:
            return f"SCCPDeviceRestart through {manager}", ""
        macro = macro_for(phone.model, macros)
        if macro is None:
            return "Key presses", f"No key macro restarts a {phone.model or 'phone of unknown model'}."
        return f"Key presses “{macro.name}”", no_address
    if by_ami:
        return f"NOTIFY through {manager} (Asterisk)", ""
    target = str(manager) if manager else f"{phone.phone_ip or 'the phone'}:{phone.sip_port}"
    return f"SIP NOTIFY to {target}", no_address


def _phone(deployment: Deployment) -> Phone:
    assert deployment.phone is not None, "a row that was just made names its phone"  # noqa: S101
    return deployment.phone
