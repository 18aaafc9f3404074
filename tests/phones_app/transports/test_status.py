"""Reading what a phone says of itself, however it says it."""

import socket
import time
from pathlib import Path
from typing import Any

import pytest

from contacts_app.core.errors import TransportError
from contacts_app.core.net.wire import Networks
from phones_app.transports.phone_web import PhoneWeb, read_status, read_streams
from tests.peers.phone_web import DEVICE_7962, DEVICE_8841, PhoneWebServer, manufacturer_installed_certificate, streams

PAGE = "/DeviceInformationX"
JAVA_PAGE = "/CGI/Java/Serviceability?adapterX=device.statistics.device"


def web(phone: PhoneWebServer, **changed: Any) -> PhoneWeb:
    return PhoneWeb("127.0.0.1", phone.port, username="admin", password="push secret", **changed)


def test_a_newer_phone_is_read() -> None:
    with PhoneWebServer(pages={PAGE: DEVICE_8841}).running() as phone:
        status = read_status(web(phone))
        ((_, _, headers, _),) = phone.requests
    assert (status.mac, status.host_name, status.model) == ("001122334455", "SEP001122334455", "8841")
    assert (status.load, status.software) == ("sip88xx.12-8-1-0001-455.loads", "SIP")
    assert (status.directory_number, status.serial, status.version) == ("1001", "FCH12345678", "V03")
    assert status.exchange.request.startswith("GET /DeviceInformationX HTTP/1.1\r\n")
    assert "<MACAddress>001122334455" in status.exchange.answer
    assert "Authorization" not in headers


def test_an_old_phone_is_read_with_all_its_oddities() -> None:
    with PhoneWebServer(pages={PAGE: DEVICE_7962}, content_type="text/html").running() as phone:
        status = read_status(web(phone))
    assert (status.mac, status.model, status.software) == ("00AABBCCDDEE", "7962", "SCCP")
    assert status.directory_number.startswith("Empfang")
    assert status.directory_number.endswith("Büro")


def test_a_java_phone_is_asked_at_its_own_page() -> None:
    with PhoneWebServer(pages={JAVA_PAGE: DEVICE_7962}).running() as phone:
        assert read_status(web(phone)).model == "7962"
        assert [path for _, path, _, _ in phone.requests] == [PAGE, JAVA_PAGE]


def test_a_phone_may_have_an_untrusted_certificate(tmp_path: Path) -> None:
    tls = manufacturer_installed_certificate(tmp_path)
    with PhoneWebServer(pages={PAGE: DEVICE_8841}, tls=tls).running() as phone:
        assert read_status(web(phone, tls=True)).model == "8841"


def test_endless_nesting_does_no_harm() -> None:
    nested = b"<DeviceInformation>" + b"<a>" * 20_000
    with PhoneWebServer(pages={PAGE: nested}).running() as phone:
        assert read_status(web(phone)).mac == ""


@pytest.mark.parametrize(
    "spoilt",
    [
        b"<\x00?xml version='1.0' encoding='utf-16'?>" + DEVICE_8841,
        DEVICE_8841.replace(b"</DeviceInformation>", b"<uptime>999999999 d 999999999:0:0</uptime></DeviceInformation>"),
    ],
    ids=["a declaration with a control character", "up for ages"],
)
def test_what_is_broken_in_a_page_costs_no_more_than_that(spoilt: bytes) -> None:
    with PhoneWebServer(pages={PAGE: spoilt}).running() as phone:
        status = read_status(web(phone))
    assert (status.mac, status.uptime) == ("001122334455", None)


@pytest.mark.parametrize(
    ("load", "software"),
    [
        ("SIP42.9-4-2SR3-1S", "SIP"),
        ("sip8845_65.12-8-1", "SIP"),
        ("P0S3-8-12-00", "SIP"),
        ("P0030801SR02", "SCCP"),
        ("SCCP75.9-4-2", "SCCP"),
        ("CP7921G-1.4.5", "SCCP"),
        ("apps37sccp.1-4-5-7", "SCCP"),
        ("", None),
        ("something else", None),
    ],
)
def test_the_load_tells_the_software(load: str, software: str | None) -> None:
    page = DEVICE_8841.replace(b"sip88xx.12-8-1-0001-455.loads", load.encode())
    with PhoneWebServer(pages={PAGE: page}).running() as phone:
        assert read_status(web(phone)).software == software


@pytest.mark.parametrize(
    "body",
    [
        b"<html><body>A printer</body></html>",
        b"<StreamingStatistics/>",
        b"",
        b"\x89PNG\r\n\x1a\n\x00\x00",
        b'<!DOCTYPE d [<!ENTITY a SYSTEM "file:///etc/passwd">]><DeviceInformation><phoneDN>&a;</phoneDN>'
        b"</DeviceInformation>",
    ],
)
def test_another_page_is_no_status_page(body: bytes) -> None:
    with PhoneWebServer(pages={PAGE: body}).running() as phone, pytest.raises(TransportError) as caught:
        read_status(web(phone))
    assert caught.value.code == "not-a-status-page"
    assert "root:" not in caught.value.answer


def test_a_missing_page_is_no_status_page() -> None:
    with PhoneWebServer().running() as phone, pytest.raises(TransportError) as caught:
        read_status(web(phone))
    assert caught.value.code == "not-a-status-page"
    assert "404" in caught.value.message


def test_redirects_are_not_followed() -> None:
    with PhoneWebServer(pages={PAGE: DEVICE_8841}).running() as elsewhere:
        location = (("Location", f"http://127.0.0.1:{elsewhere.port}{PAGE}"),)
        phone = PhoneWebServer(pages={PAGE: b""}, whole_status=301, headers=location)
        with phone.running(), pytest.raises(TransportError) as caught:
            read_status(web(phone))
        assert elsewhere.requests == []
    assert caught.value.code == "not-a-status-page"


def test_a_huge_page_is_cut_off() -> None:
    page = DEVICE_8841 + b" " * 200_000
    with PhoneWebServer(pages={PAGE: page}).running() as phone:
        with pytest.raises(TransportError) as caught:
            read_status(web(phone))
        assert caught.value.code == "too-large"


def test_a_phone_that_drips_does_not_hold_us_up() -> None:
    started = time.monotonic()
    with (
        PhoneWebServer(pages={PAGE: DEVICE_8841}, drip=0.02).running() as phone,
        pytest.raises(TransportError) as caught,
    ):
        read_status(web(phone), timeout=0.3)
    assert caught.value.code == "timeout"
    assert time.monotonic() - started < 10


def test_nobody_there_is_known_at_once() -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        with pytest.raises(TransportError) as caught:
            read_status(PhoneWeb("127.0.0.1", sock.getsockname()[1]))
    assert caught.value.code == "refused"


def test_a_silent_phone_is_a_timeout() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, pytest.raises(TransportError) as caught:
        read_status(PhoneWeb("127.0.0.1", server.getsockname()[1]), timeout=0.2)
    assert caught.value.code == "timeout"


def test_only_allowed_networks_are_spoken_to() -> None:
    with pytest.raises(TransportError) as caught:
        read_status(PhoneWeb("127.0.0.1", 9, networks=Networks.parse("192.0.2.0/24")))
    assert caught.value.code == "outside-networks"


@pytest.mark.parametrize(
    ("states", "in_call", "asked"),
    [
        (("Not Ready", "Not Ready", "Not Ready"), False, 3),
        (("Active",), True, 1),
        (("Not Ready", "active", "Not Ready"), True, 2),
        (("Not Ready",), False, 2),  # fewer streams than three
        ((), None, 1),
    ],
)
def test_an_active_stream_is_a_call(states: tuple[str, ...], in_call: bool | None, asked: int) -> None:
    with PhoneWebServer(pages=streams(*states)).running() as phone:
        assert read_streams(web(phone)) is in_call
        assert (len(phone.requests), phone.connections) == (asked, 1)


def test_a_phone_that_does_not_tell_is_not_called_idle() -> None:
    with PhoneWebServer(pages={"/StreamingStatisticsX?1": b"<StreamingStatistics/>"}).running() as phone:
        assert read_streams(web(phone)) is None
    with PhoneWebServer(pages=streams("Not Ready"), drip=0.02).running() as phone:
        assert read_streams(web(phone), timeout=0.2) is None
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        assert read_streams(PhoneWeb("127.0.0.1", sock.getsockname()[1])) is None
