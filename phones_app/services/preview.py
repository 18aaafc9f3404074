"""What a deployment or a restart would do, phone by phone, told before anything is done."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache

from contacts_app.services.actor import Actor
from contacts_app.services.errors import Refusal
from phones_app import sep
from phones_app.models import Deployment, FileServer, Phone, PhoneProfile
from phones_app.services.deployment import check_compatible, deploy_many, restart_many
from phones_app.services.restart import choose, key_macros
from phones_app.services.targets import file_server_of
from phones_app.transports.restart_strategies import Description

# How many phones are told about one by one; the others are counted.
SHOWN = 50


@dataclass(frozen=True)
class Plan:
    """What would happen to one phone; `server` is None when nothing would be uploaded."""

    phone: Phone
    server: FileServer | None
    restart: Description
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
    macros, plans = cache(key_macros), []
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
        restart = choose(phone, deployment.revision, macros).describe()
        plans.append(Plan(phone, servers[place], restart, warnings[kind]))
    return Preview(len(asked.deployments), plans, asked.refused)


def preview_restart(*, phones: Sequence[Phone], actor: Actor) -> Preview:
    asked = restart_many(phones=phones, actor=actor, dry_run=True)
    macros = cache(key_macros)
    plans = [
        Plan(phone, None, choose(phone, deployment.revision, macros).describe())
        for deployment in asked.deployments[:SHOWN]
        for phone in [_phone(deployment)]
    ]
    return Preview(len(asked.deployments), plans, asked.refused)


def _phone(deployment: Deployment) -> Phone:
    assert deployment.phone is not None, "a row that was just made names its phone"  # noqa: S101
    return deployment.phone
