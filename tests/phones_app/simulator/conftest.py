"""A file server with the fetches it told about, device files, and phones that run in a thread."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from phones_app.boot.fetches import Fetch
from phones_app.boot.server import EmbeddedFileServer
from phones_app.simulator.fleet import FleetThread
from phones_app.simulator.phone import SimulatedPhone
from phones_app.simulator.state import SimulatedPhoneConfig
from tests.servers import free_port

USERNAME, PASSWORD = "portal", "pass word"
MAC = "001122334455"
NAME = f"SEP{MAC}.cnf.xml"

_LINES = "<sipProfile><sipLines><line><featureID>9</featureID><name>1001</name></line></sipLines></sipProfile>"


def device_file(protocol: str = "SIP", *, label: str = "", authentication_url: str = "", extra: str = "") -> bytes:
    """A small file that a phone of the protocol accepts; `label` makes versions of it differ."""
    return (
        f"<device><deviceProtocol>{protocol}</deviceProtocol><devicePool><callManagerGroup><members><member>"
        "<callManager><processNodeName>192.0.2.1</processNodeName></callManager></member></members>"
        f"</callManagerGroup></devicePool>{_LINES if protocol == 'SIP' else ''}<label>{label}</label>"
        f"<authenticationURL>{authentication_url}</authenticationURL>{extra}</device>"
    ).encode()


@dataclass
class FetchLog:
    """What on_fetches was told, to be waited for."""

    fetches: list[Fetch] = field(default_factory=list)
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def note(self, fetches: list[Fetch]) -> None:
        with self._changed:
            self.fetches += fetches
            self._changed.notify_all()

    def wait_for(self, condition: Callable[[list[Fetch]], bool], seconds: float = 180) -> list[Fetch]:
        with self._changed:
            assert self._changed.wait_for(lambda: condition(self.fetches), seconds), self.fetches
            return list(self.fetches)


@dataclass
class Desk:
    """One running phone, and the folder its file lies in."""

    phone: SimulatedPhone
    fleet: FleetThread
    folder: Path

    def put_file(self, data: bytes) -> None:
        """Replace the phone's file as an upload does: at once."""
        hidden = self.folder / ".new"
        hidden.write_bytes(data)
        hidden.replace(self.folder / f"SEP{self.phone.config.mac}.cnf.xml")

    def wait_until(self, condition: Callable[[SimulatedPhone], Any]) -> None:
        assert self.fleet.wait_until(lambda: bool(condition(self.phone))), list(self.phone.history)


PlacePhone = Callable[..., Desk]


@pytest.fixture
def fetch_log() -> FetchLog:
    return FetchLog()


@pytest.fixture
def file_server(tmp_path: Path, fetch_log: FetchLog) -> Iterator[EmbeddedFileServer]:
    root = tmp_path / "files"
    root.mkdir()
    server = EmbeddedFileServer(
        root, ftp_port=0, http_port=0, tftp_port=0, username=USERNAME, password=PASSWORD, on_fetches=fetch_log.note
    )
    with server:
        yield server


@pytest.fixture
def place_phone(file_server: EmbeddedFileServer) -> Iterator[PlacePhone]:
    """Start a phone on a file (None: there is none) and wait until it is registered if there is one."""
    with ExitStack() as stack:

        def place(data: bytes | None, **settings: Any) -> Desk:
            url = f"http://{file_server.host}:{file_server.http_port}"
            quick = {"mac": MAC, "config_url": url, "boot_seconds": 0.3, "retry_seconds": 0.1, "slow_seconds": 0.3}
            # Without power it holds none of its ports, and finds them free again.
            quick |= {"sip_port": free_port(), "web_port": free_port()}
            phone = SimulatedPhone(SimulatedPhoneConfig(**{**quick, **settings}))
            fleet = FleetThread([phone])
            desk = Desk(phone, fleet, file_server.root)
            if data is not None:
                desk.put_file(data)
            stack.enter_context(fleet)
            if data is not None:
                desk.wait_until(lambda phone: phone.registered or "rejects" in "".join(phone.history))
            return desk

        yield place


@pytest.fixture
def desk(place_phone: PlacePhone) -> Desk:
    """An 8845 with SIP on a good file."""
    return place_phone(device_file())
