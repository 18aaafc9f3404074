"""How a phone gets its file, what it makes of a bad one, and what faults do to it."""

import hashlib
import http.client
import socket
from typing import Any

import pytest

from phones_app.simulator.phone import SimulatedPhone
from phones_app.simulator.state import SimulatedPhoneConfig
from tests.phones_app.simulator.conftest import MAC, NAME, Desk, FetchLog, PlacePhone, device_file
from tests.phones_app.simulator.sip_client import by_udp, notify, status_of


def test_a_phone_without_a_file_asks_until_there_is_one(place_phone: PlacePhone) -> None:
    desk = place_phone(None)
    desk.wait_until(lambda phone: list(phone.history).count(f"cannot get {NAME}: 404") >= 2)
    assert not desk.phone.registered
    desk.put_file(device_file())
    desk.wait_until(lambda phone: phone.registered)


def test_a_phone_waits_for_its_file_server(place_phone: PlacePhone) -> None:
    desk = place_phone(None, config_url="http://127.0.0.1:1")
    desk.wait_until(lambda phone: len(phone.history) >= 3)
    assert (desk.phone.registered, desk.phone.fetches) == (False, 0)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (device_file() + b"<device/>", "not well-formed"),
        (device_file(label="a & b"), "not well-formed"),
        (device_file(label="\u00e9").decode().encode("latin-1"), "not well-formed"),
        (b"\n" + b"<?xml version='1.0'?>" + device_file(), "not well-formed"),
        (b"<!DOCTYPE device>" + device_file(), "DOCTYPE"),
        (b"<flat-profile/>", "root element is flat-profile"),
        (b"", "not well-formed"),
        (device_file().decode().encode("utf-16"), "not 8-bit"),
        (device_file() + b" " * 512 * 1024, "too large"),
        (device_file().replace(b"192.0.2.1", b""), "no call manager"),
        (device_file().replace(b">9<", b">21<"), "no line"),
        (device_file("SCCP"), "not for SIP"),
    ],
)
def test_a_bad_file_is_asked_for_again_and_again(data: bytes, reason: str, place_phone: PlacePhone) -> None:
    desk = place_phone(data)
    desk.wait_until(lambda phone: phone.fetches >= 2)
    assert not desk.phone.registered
    assert desk.phone.config_sha256 == ""
    assert any(reason in line for line in desk.phone.history), list(desk.phone.history)


@pytest.mark.parametrize(
    "data",
    [
        device_file().replace(b"<device>", b'<device xsi:type="axl:XIPPhone" ctiid="1">'),
        b"\xef\xbb\xbf<?xml version='1.0' encoding='UTF-8'?>\r\n<!-- made by hand -->" + device_file(label="\u00e9"),
        b'<?xml version="1.0" encoding="iso-8859-1"?>' + device_file(label="\u00e9").decode().encode("latin-1"),
    ],
)
def test_what_phones_do_not_mind_is_accepted(data: bytes, place_phone: PlacePhone) -> None:
    desk = place_phone(data)
    assert desk.phone.registered
    assert desk.phone.config_sha256 == hashlib.sha256(data).hexdigest()


def test_an_accepted_file_is_followed_by_the_files_it_names(place_phone: PlacePhone, fetch_log: FetchLog) -> None:
    desk = place_phone(None)
    (desk.folder / "dialplan.xml").write_bytes(b"<DIALTEMPLATE/>")
    desk.put_file(device_file().replace(b"<sipLines>", b"<dialTemplate>dialplan.xml</dialTemplate><sipLines>"))
    desk.wait_until(lambda phone: phone.registered)
    names = fetch_log.wait_for(lambda fetches: any(fetch.file_name == "dialplan.xml" for fetch in fetches))
    asked = [fetch.file_name for fetch in names]
    assert (asked[-1], asked[asked.index(NAME, -6) + 1]) == ("dialplan.xml", "g3-tones.xml")
    assert [fetch.file_name for fetch in names if fetch.complete] == [NAME, "dialplan.xml"]


def test_a_rejecting_phone_fetches_but_keeps_what_it_has(desk: Desk) -> None:
    before = desk.phone.config_sha256
    desk.phone.fault = "rejecting"
    desk.put_file(device_file(label="new"))
    assert status_of(by_udp(desk.phone, notify(desk.phone))) == 200
    desk.wait_until(lambda phone: phone.fetches >= 3)
    assert (desk.phone.registered, desk.phone.config_sha256) == (False, before)
    desk.phone.fault = ""
    desk.wait_until(lambda phone: phone.registered)
    assert desk.phone.config_sha256 == hashlib.sha256(device_file(label="new")).hexdigest()


def test_a_phone_without_power_answers_nothing_and_comes_back(desk: Desk) -> None:
    desk.put_file(device_file(label="new"))
    desk.phone.fault = "powered_off"
    desk.wait_until(lambda phone: not phone.registered)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((desk.phone.config.host, desk.phone.web_port))
    # A datagram that slips in before the port is closed is not answered either.
    with pytest.raises((ConnectionRefusedError, TimeoutError)):
        by_udp(desk.phone, notify(desk.phone))
    desk.phone.fault = ""
    desk.wait_until(lambda phone: phone.registered)
    assert desk.phone.restarts == 0
    assert desk.phone.config_sha256 == hashlib.sha256(device_file(label="new")).hexdigest()


def test_a_phone_may_begin_without_power(place_phone: PlacePhone) -> None:
    desk = place_phone(None, fault="powered_off")
    desk.put_file(device_file())
    assert list(desk.phone.history) == []
    desk.phone.fault = ""
    desk.wait_until(lambda phone: phone.registered)


def test_a_slow_phone_answers_late(place_phone: PlacePhone) -> None:
    desk = place_phone(device_file(), fault="slow", slow_seconds=30)
    connection = http.client.HTTPConnection(desk.phone.config.host, desk.phone.web_port, timeout=0.2)
    connection.request("GET", "/DeviceInformationX")
    with pytest.raises(TimeoutError):
        connection.getresponse()
    connection.close()


def test_the_portal_sees_the_address_of_the_phone(place_phone: PlacePhone, fetch_log: FetchLog) -> None:
    place_phone(device_file(), host="127.0.0.77")
    assert fetch_log.wait_for(bool)[0].address == "127.0.0.77"


@pytest.mark.parametrize("wrong", [{"mac": "00:11:22:33:44:55"}, {"mac": MAC, "software_type": "MPP"}])
def test_an_impossible_phone_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="is no"):
        SimulatedPhone(SimulatedPhoneConfig(**wrong))


def test_an_unknown_fault_is_refused(desk: Desk) -> None:
    with pytest.raises(ValueError, match="on fire"):
        desk.phone.fault = "on fire"
