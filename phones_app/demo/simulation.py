"""Simulated phones as rows: making some, and keeping a fleet of simulated phones in step with the rows."""

import hashlib
import ipaddress
import os
import secrets
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import structlog
from django.conf import settings

from contacts_app.accounts.models import Account
from contacts_app.core.history.records import create_recorded, update_recorded
from phones_app.demo.files import DemoLine, sep_file
from phones_app.inventory.models import Phone
from phones_app.simulator.fleet import Fleet
from phones_app.simulator.generations import default_load
from phones_app.simulator.phone import SimulatedPhone
from phones_app.simulator.state import Fault, SimulatedPhoneConfig
from profiles_app.phone import sep

log = structlog.get_logger(__name__)

# Locally administered addresses, which no real phone has.
FIRST_MAC = 0x020000000001
# Below the ports that systems give to outgoing connections.
FIRST_SIP_PORT, FIRST_WEB_PORT = 15_061, 25_081
# More than these would reach into the ports of outgoing connections; the next ones get another loopback address.
PER_ADDRESS = 5_000
VARIETY = ("8845", "7942", "7962", "8841", "7821", "8865", "7975", "8851", "7841", "8811")
SOFTWARE = {"7962": "SCCP", "7975": "SCCP", "8865": "SIPE"}  # all others SIP


def simulated_phone(
    place: int, *, mac: str, model: str, software_type: str, address: str = "", **others: object
) -> Phone:
    """An unsaved phone at the ports that belong to its place among the simulated ones, and at their common address
    unless it has one of its own.
    """
    return Phone(
        mac=mac,
        model=model,
        software_type=software_type,
        software_version=default_load(model, software_type),
        phone_ip=address or f"127.0.{place // PER_ADDRESS}.1",
        sip_port=FIRST_SIP_PORT + place % PER_ADDRESS,
        web_port=FIRST_WEB_PORT + place % PER_ADDRESS,
        # Without an account it would take no key presses, by which SCCP phones restart.
        web_username="patchbay",
        web_password=secrets.token_urlsafe(12),
        is_simulated=True,
        **others,
    )


def missing_phones(count: int, account: Account) -> list[Phone]:
    """Unsaved simulated phones, as many as the portal lacks to have `count` of them."""
    taken = {int(mac, 16) for mac in Phone.objects.filter(mac__startswith="0200").values_list("mac", flat=True)}
    phones: list[Phone] = []
    number = FIRST_MAC
    for place in range(Phone.objects.filter(is_simulated=True).count(), count):
        while number in taken:
            number += 1
        model = VARIETY[place % len(VARIETY)]
        phones.append(
            simulated_phone(
                place,
                mac=f"{number:012X}",
                model=model,
                software_type=SOFTWARE.get(model, "SIP"),
                account=account,
                name=f"Simulated {model}",
            )
        )
        number += 1
    return phones


def add_phones(phones: list[Phone], *, portal: str) -> None:
    """Store new simulated phones, each with a file to boot from."""
    create_recorded(phones)
    for phone in phones:
        name = f"Simulated {phone.mac[-4:]}"
        lines = [DemoLine(f"9{int(phone.mac[-6:], 16):06d}", name)]
        put_first_file(
            phone.mac, sep_file(name=name, software_type=phone.software_type or "SIP", lines=lines, portal=portal)
        )


def put_first_file(mac: str, content: bytes) -> None:
    """Lay a file into the embedded file server's folder, whole or not at all."""
    folder = settings.PHONE_FILES_DIR
    folder.mkdir(parents=True, exist_ok=True)
    name = sep.file_name(mac)
    descriptor, draft = tempfile.mkstemp(prefix=f".{name}.", suffix=".part", dir=folder)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    os.chmod(draft, 0o644)
    Path(draft).replace(folder / name)


def playable_phones() -> list[Phone]:
    """Rows that are marked as simulated and whose address is this machine."""
    return [phone for phone in Phone.objects.filter(is_simulated=True) if _is_loopback(phone.phone_ip)]


def _is_loopback(address: str | None) -> bool:
    return bool(address) and ipaddress.ip_address(str(address)).is_loopback


def parse_behaviour(text: str) -> dict[Fault, float]:
    """Shares of phones that misbehave: `rejecting=10,in_call=5` in percent. Raises ValueError."""
    mix: dict[Fault, float] = {}
    for item in filter(None, text.split(",")):
        name, _, percent = item.partition("=")
        try:
            mix[Fault(name.strip())] = float(percent.strip().removesuffix("%"))
        except ValueError:
            kinds = ", ".join(fault for fault in Fault if fault)
            raise ValueError(f"“{item}” is not KIND=PERCENT with one of {kinds}") from None
    if not all(0 < share <= 100 for share in mix.values()) or sum(mix.values()) > 100:
        raise ValueError("the shares are percent, of 100 together at most")
    return mix


def fault_of(mac: str, mix: dict[Fault, float]) -> Fault:
    """What is wrong with this phone; the same at every start, and spread over the phones."""
    place = int(hashlib.sha256(mac.encode()).hexdigest()[:8], 16) / 2**32 * 100
    for fault, share in mix.items():
        if place < share:
            return fault
        place -= share
    return Fault.NONE


def configs_of(
    phones: Sequence[Phone], config_url: str, mix: dict[Fault, float] | None = None
) -> dict[str, SimulatedPhoneConfig]:
    """How the simulator plays these rows, by MAC."""
    at = Counter(phone.phone_ip for phone in phones)
    return {phone.mac: config_of(phone, config_url, mix, is_alone=at[phone.phone_ip] == 1) for phone in phones}


def config_of(
    phone: Phone, config_url: str, mix: dict[Fault, float] | None = None, *, is_alone: bool = False
) -> SimulatedPhoneConfig:
    """How the simulator plays this row; `is_alone` at its address. Raises ValueError when it cannot."""
    return SimulatedPhoneConfig(
        mac=phone.mac,
        model=sep.catalogue.normalise_model(phone.model) or "8845",
        software_type=phone.software_type or "SIP",
        host=str(phone.phone_ip),
        sip_port=phone.sip_port,
        web_port=phone.web_port,
        config_url=config_url,
        load=phone.software_version,
        # Of many at one address nobody could tell whose companions those were.
        asks_around=is_alone,
        fault=fault_of(phone.mac, mix or {}),
    )


@dataclass(frozen=True)
class Change:
    """One phone that began or ceased to be played."""

    mac: str
    text: str
    phone: SimulatedPhone | None = None


class Players:
    """A fleet that follows the rows: `follow` again and again, then `stop`, all on one asyncio loop."""

    def __init__(self, on_event: Callable[[str, str], None] = lambda _mac, _text: None) -> None:
        self.fleet = Fleet([])
        self._on_event = on_event
        # By MAC: what was asked for. What is played may have other ports.
        self._asked: dict[str, SimulatedPhoneConfig] = {}

    async def follow(self, wanted: dict[str, SimulatedPhoneConfig]) -> list[Change]:
        """Start and stop phones until those are played that are wanted, as they are wanted."""
        changes = []
        for mac in [mac for mac, config in self._asked.items() if wanted.get(mac) != config]:
            del self._asked[mac]
            if mac in self.fleet.phones:
                await self.fleet.remove(mac)
            if mac not in wanted:
                changes.append(Change(mac, "is played no more"))
        for mac, config in wanted.items():
            if mac not in self._asked:
                changes.append(await self._start(config))
        return changes

    async def stop(self) -> None:
        await self.fleet.stop()

    async def _start(self, config: SimulatedPhoneConfig) -> Change:
        # A taken port is replaced by a free one: first one of the two, then both.
        for sip, web in ((config.sip_port, config.web_port), (0, config.web_port), (config.sip_port, 0), (0, 0)):
            phone = SimulatedPhone(replace(config, sip_port=sip, web_port=web), self._on_event)
            try:
                await self.fleet.add(phone)
            except OSError as error:
                reason = str(error)
                continue
            # A phone without SIP opens no SIP port and keeps whatever number its row has.
            sip_port = phone.sip_port or config.sip_port
            self._asked[config.mac] = replace(config, sip_port=sip_port, web_port=phone.web_port)
            return Change(config.mac, "is played", phone)
        return Change(config.mac, f"cannot be played: {reason}")


def keep_ports(phone: SimulatedPhone) -> bool:
    """Write the ports that the phone got into its row; whether they are others than before."""
    rows = Phone.objects.filter(mac=phone.config.mac)
    ports = {"sip_port": phone.sip_port or None, "web_port": phone.web_port or None}
    known = {name: port for name, port in ports.items() if port}
    return bool(update_recorded(rows.exclude(**known), **known))
