"""A whole site on loopback for tests: the embedded file server, simulated phones, and the rows that describe them."""

import contextlib
import itertools
import threading
from collections.abc import Iterator
from pathlib import Path

from django.db import connection
from django.utils import timezone

from contacts_app.accounts.models import Account
from contacts_app.core.actor import Actor, system
from contacts_app.people.models import User
from phones_app.boot.fetches import Fetch
from phones_app.boot.models import FileFetch
from phones_app.boot.recording import fetch_recorder
from phones_app.boot.server import EmbeddedFileServer
from phones_app.inventory.models import Phone
from phones_app.servers.models import FileServer
from phones_app.simulator.fleet import FleetThread
from phones_app.simulator.phone import SimulatedPhone
from phones_app.simulator.state import OnEvent, SimulatedPhoneConfig
from profiles_app.phone import sep
from profiles_app.phone.models import PhoneProfile
from profiles_app.phone.services import create_profile
from tests.peers.asterisk import Asterisk, Contact
from tests.servers import free_port

ACTOR: Actor = system("test")


def sip_file(line: str = "1001", label: str = "Desk", authentication_url: str = "") -> str:
    """A small SIP profile that passes every check of errors."""
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<device>
  <fullConfig>true</fullConfig>
  <deviceProtocol>SIP</deviceProtocol>
  <devicePool><callManagerGroup><members><member priority="0"><callManager>
    <ports><sipPort>5060</sipPort></ports><processNodeName>127.0.0.1</processNodeName>
  </callManager></member></members></callManagerGroup></devicePool>
  <sipProfile><sipLines><line button="1" lineIndex="1">
    <featureID>9</featureID><featureLabel>{label}</featureLabel><proxy>USECALLMANAGER</proxy>
    <name>{line}</name><displayName>{label}</displayName><contact>{line}</contact>
    <authName>{line}</authName><authPassword>very-secret-{line}</authPassword>
  </line></sipLines></sipProfile>
  <versionStamp>1</versionStamp><transportLayerProtocol>2</transportLayerProtocol>
  <authenticationURL>{authentication_url}</authenticationURL>
  <vendorConfig><webAccess>0</webAccess></vendorConfig>
</device>
"""


def sccp_file(authentication_url: str = "", version: str = "1") -> str:
    """A small SCCP profile."""
    return f"""<device>
  <deviceProtocol>SCCP</deviceProtocol>
  <devicePool><callManagerGroup><members><member priority="0"><callManager>
    <ports><ethernetPhonePort>2000</ethernetPhonePort></ports><processNodeName>127.0.0.1</processNodeName>
  </callManager></member></members></callManagerGroup></devicePool>
  <versionStamp>{version}</versionStamp>
  <authenticationURL>{authentication_url}</authenticationURL>
  <vendorConfig><webAccess>0</webAccess></vendorConfig>
</device>
"""


class Site:
    """`phone()` and `profile()` make rows; `start()` brings the simulated phones of all rows to life."""

    def __init__(self, folder: Path, account: Account, owner: User) -> None:
        self.account, self.owner, self.folder = account, owner, folder
        # Who comes back to its ports finds them free.
        ports = (free_port(), free_port())
        self.files = EmbeddedFileServer(
            *(folder, "127.0.0.1", *ports), tftp_port=0, username="portal", password="s3cret-pw", on_fetches=_record
        )
        self.macs = (f"0200000000{number:02X}" for number in itertools.count(1))
        self.fleet: FleetThread | None = None

    def add_file_server(self) -> None:
        self.files.start()
        self.file_server = FileServer.objects.create(
            name="Embedded",
            host="127.0.0.1",
            port=self.files.ftp_port,
            username="portal",
            password="s3cret-pw",
            is_default=True,
            is_embedded=True,
        )

    def profile(self, name: str = "Reception", content: str = "", **fields: object) -> PhoneProfile:
        return create_profile(
            actor=ACTOR, user=self.owner, name=name, content=(content or sip_file()).encode(), **fields
        )

    def phone(
        self, *, model: str = "8845", software_type: str = "SIP", first_file: str = "", **fields: object
    ) -> Phone:
        phone = Phone(mac=next(self.macs), account=self.account, model=model, software_type=software_type, **fields)
        phone.phone_ip = "127.0.0.1"
        first = first_file or (sccp_file() if software_type == "SCCP" else sip_file())
        (self.folder / f"SEP{phone.mac}.cnf.xml").write_text(first)
        phone.save()
        # It has started here, which shows that it is here also when its status page does not answer.
        FileFetch.objects.create(
            mac=phone.mac,
            file_name=sep.file_name(phone.mac),
            size=len(first),
            address="127.0.0.1",
            protocol="http",
            fetched_at=timezone.now(),
        )
        return phone

    @contextlib.contextmanager
    def alive(self, *phones: Phone, pbx: Asterisk | None = None, **config: object) -> Iterator[FleetThread]:
        """The simulated phones of these rows, booted; the rows learn their ports. They register at `pbx` by UDP."""
        url = f"http://127.0.0.1:{self.files.http_port}"
        quick = {"config_url": url, "boot_seconds": 0.2, "retry_seconds": 0.3}
        fleet = [
            SimulatedPhone(
                SimulatedPhoneConfig(
                    mac=phone.mac,
                    model=phone.model,
                    software_type=phone.software_type,
                    # Without power it holds none of its ports, and finds them free again.
                    **(quick | {"sip_port": free_port(), "web_port": free_port()} | config),
                )
            )
            for phone in phones
        ]
        for one in fleet if pbx else ():
            one.on_event = registering(one, pbx)
        with FleetThread(fleet) as running:
            assert running.wait_until(lambda: all(one.registered for one in fleet))
            for phone, one in zip(phones, fleet, strict=True):
                phone.sip_port, phone.web_port = one.sip_port, one.web_port
                phone.save(update_fields=["sip_port", "web_port"])
            yield running

    def file_of(self, phone: Phone) -> bytes:
        return (self.folder / f"SEP{phone.mac}.cnf.xml").read_bytes()


def registering(phone: SimulatedPhone, pbx: Asterisk) -> OnEvent:
    """What tells a PBX of a phone's registrations. A phone that loses its power does not unregister."""

    def note(_: str, event: str) -> None:
        act = {"registers": pbx.pjsip.register, "unregisters": pbx.pjsip.unregister}.get(event)
        if act and phone.line_users:
            where = {"ip": phone.config.host, "port": phone.sip_port}
            act(Contact(phone.line_users[0], phone.call_id, user_agent=phone.user_agent, **where))

    return note


def _record(fetches: list[Fetch]) -> None:
    try:
        fetch_recorder(threading.Event())(fetches)
    finally:
        connection.close()
