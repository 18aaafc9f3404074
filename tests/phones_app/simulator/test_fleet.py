"""Phones and file server together, as a rollout meets them; and many phones in one process."""

import ftplib
import hashlib
import io
import time

import pytest

from phones_app.boot.server import EmbeddedFileServer
from phones_app.simulator.fleet import FleetThread
from phones_app.simulator.phone import SimulatedPhone
from phones_app.simulator.state import SimulatedPhoneConfig
from tests.phones_app.simulator.conftest import MAC, NAME, PASSWORD, USERNAME, FetchLog, PlacePhone, device_file
from tests.phones_app.simulator.sip_client import by_udp, notify, status_of


def test_a_new_profile_reaches_the_phone(
    place_phone: PlacePhone, file_server: EmbeddedFileServer, fetch_log: FetchLog
) -> None:
    desk = place_phone(device_file(label="old"))
    new = device_file(label="new")
    with ftplib.FTP() as ftp:
        ftp.connect(file_server.host, file_server.ftp_port)
        ftp.login(USERNAME, PASSWORD)
        ftp.storbinary("STOR .new.part", io.BytesIO(new))
        ftp.rename(NAME, f"{NAME}.20260101T000000Z.bak")
        ftp.rename(".new.part", NAME)
    assert status_of(by_udp(desk.phone, notify(desk.phone))) == 200
    digest = hashlib.sha256(new).hexdigest()
    desk.wait_until(lambda phone: phone.registered and phone.config_sha256 == digest)
    fetch_log.wait_for(lambda fetches: sum(fetch.complete for fetch in fetches) == 2)
    fetches = [fetch for fetch in fetch_log.fetches if fetch.complete]
    assert [(fetch.file_name, fetch.sha256 == digest) for fetch in fetches] == [(NAME, False), (NAME, True)]


def test_five_hundred_phones_start_and_restart_in_one_process(
    file_server: EmbeddedFileServer, fetch_log: FetchLog
) -> None:
    macs = [f"0011AA{number:06X}" for number in range(500)]
    for mac in macs:
        (file_server.root / f"SEP{mac}.cnf.xml").write_bytes(device_file(label=mac))
    url = f"http://{file_server.host}:{file_server.http_port}"
    phones = [SimulatedPhone(SimulatedPhoneConfig(mac, config_url=url, asks_around=False)) for mac in macs]
    started = time.process_time()
    with FleetThread(phones) as fleet:
        assert fleet.wait_until(lambda: all(phone.registered for phone in phones))
        assert time.process_time() - started < 10
        for phone in phones[:50]:
            assert status_of(by_udp(phone, notify(phone))) == 200
        assert fleet.wait_until(lambda: all(phone.registered and phone.restarts == 1 for phone in phones[:50]))
    assert len(fetch_log.wait_for(lambda fetches: len(fetches) >= 550)) == 550
    assert not any(phone.registered for phone in phones)


def test_events_are_told_with_the_mac() -> None:
    events: list[tuple[str, str]] = []
    phone = SimulatedPhone(
        SimulatedPhoneConfig(MAC, config_url="http://127.0.0.1:1", asks_around=False),
        lambda mac, text: events.append((mac, text)),
    )
    with FleetThread([phone]) as fleet:
        assert fleet[MAC] is phone
        assert fleet.wait_until(lambda: len(events) >= 2)
    assert events[0] == (MAC, "is up")
    assert events[1][1].startswith(f"cannot get {NAME}")


def test_a_taken_port_stops_the_whole_fleet() -> None:
    taken = SimulatedPhone(SimulatedPhoneConfig("001122334401", config_url="http://127.0.0.1:1"))
    with FleetThread([taken]):
        others = [
            SimulatedPhone(SimulatedPhoneConfig("001122334402", config_url="http://127.0.0.1:1")),
            SimulatedPhone(SimulatedPhoneConfig("001122334403", web_port=taken.web_port)),
        ]
        with pytest.raises(OSError, match="in use"), FleetThread(others):
            pass
        with pytest.raises(ConnectionRefusedError):
            by_udp(others[0], notify(others[0]))
