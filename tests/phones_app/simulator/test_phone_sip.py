"""What a phone answers to a NOTIFY, and what it does afterwards."""

import re
import shutil
import socket
import subprocess
from pathlib import Path
from typing import Any

import pytest

from phones_app.simulator.state import Fault
from tests.phones_app.simulator.conftest import Desk, PlacePhone, device_file
from tests.phones_app.simulator.sip_client import ZERO, by_tcp, by_udp, notify, status_of, udp_socket


def test_call_ids_are_those_of_real_phones(desk: Desk) -> None:
    """The MAC as 8 digits, a dash, 4 digits and a counter; each registration has its own (Asterisk spec §A)."""
    first = desk.phone.call_id
    assert re.fullmatch(r"00112233-44550001-[0-9a-f]{8}-[0-9a-f]{8}@127\.0\.0\.1", first)
    by_udp(desk.phone, notify(desk.phone))
    desk.wait_until(lambda phone: phone.registered and phone.call_id != first)
    assert desk.phone.call_id.startswith("00112233-44550002-")
    assert "unregisters" in desk.phone.history


def test_a_power_cut_ends_a_registration_without_a_word(desk: Desk) -> None:
    desk.phone.fault = Fault.POWERED_OFF
    desk.wait_until(lambda phone: not phone.is_up)
    desk.phone.fault = Fault.NONE
    desk.wait_until(lambda phone: phone.registered)
    assert "unregisters" not in desk.phone.history


def test_strict_firmware_refuses_a_notify_that_names_no_registration(place_phone: PlacePhone) -> None:
    desk = place_phone(device_file(), strict_call_id=True)
    assert status_of(by_udp(desk.phone, notify(desk.phone, call_id=""))) == 400
    assert status_of(by_udp(desk.phone, notify(desk.phone))) == 200


def test_a_restart_is_answered_first_and_then_brings_a_new_registration(desk: Desk) -> None:
    before = desk.phone.call_id
    answer = by_udp(desk.phone, notify(desk.phone))
    assert status_of(answer) == 200
    assert b"CSeq: 1 NOTIFY" in answer
    assert b";rport=" in answer
    desk.wait_until(lambda phone: phone.registered and phone.call_id != before)
    assert (desk.phone.restarts, desk.phone.fetches, desk.phone.notifies) == (1, 2, 1)


def test_retransmissions_get_the_same_answer_and_act_once(desk: Desk) -> None:
    message = notify(desk.phone)
    with udp_socket(desk.phone) as client:
        answers = []
        for _ in range(3):
            client.send(message)
            answers.append(client.recv(65536))
    assert len(set(answers)) == 1
    desk.wait_until(lambda phone: phone.registered and phone.restarts)
    assert by_udp(desk.phone, notify(desk.phone, "prt-report")).startswith(b"SIP/2.0 200")
    assert (desk.phone.restarts, desk.phone.notifies) == (1, 2)


def test_a_retransmission_before_a_slow_answer_changes_nothing(place_phone: PlacePhone) -> None:
    desk = place_phone(device_file(), fault="slow", slow_seconds=2)
    message = notify(desk.phone)
    with udp_socket(desk.phone) as client:
        client.send(message)
        client.send(message)
        assert client.recv(65536).startswith(b"SIP/2.0 200")
        desk.wait_until(lambda phone: phone.registered and phone.restarts)
        client.settimeout(0.2)
        with pytest.raises(TimeoutError):
            client.recv(65536)
    assert (desk.phone.restarts, desk.phone.notifies) == (1, 1)


@pytest.mark.parametrize(
    ("status", "changes"),
    [
        (200, {"call_id": ""}),
        (200, {"body": "action=restart\r\n"}),
        (200, {"event": "check-sync"}),
        (200, {"event": None, "o": "service-control"}),
        (400, {"call_id": "of-an-earlier-registration@127.0.0.1"}),
        (400, {"event": None}),
        (400, {"event": "resync"}),
        (400, {"user": ""}),
        (400, {"host": "192.0.2.9"}),
        (400, {"from": "<sip:asterisk@127.0.0.1>;tag=1"}),
        (400, {"content_length": "900"}),
        (400, {"body": "action=explode\r\n"}),
        (400, {"cseq": "1 INVITE", "event": None, "max_forwards": "70", "call_id": None, "to": None}),
        (404, {"user": "2002"}),
        (405, {"cseq": "1 INVITE"}),
        (481, {"to": "<sip:1001@127.0.0.1>;tag=unknown"}),
        (483, {"max_forwards": "0"}),
    ],
)
def test_each_fault_of_a_request_has_its_answer(status: int, changes: dict[str, Any], desk: Desk) -> None:
    assert status_of(by_udp(desk.phone, notify(desk.phone, **changes))) == status


def test_a_refused_request_restarts_nothing(desk: Desk) -> None:
    for changes in ({"user": "2002"}, {"call_id": "wrong"}, {"event": "check-sync"}, {"content_length": "900"}):
        by_udp(desk.phone, notify(desk.phone, **changes))
    assert (desk.phone.restarts, desk.phone.registered) == (0, True)


def test_garbage_is_ignored(desk: Desk) -> None:
    with udp_socket(desk.phone) as client:
        for rubbish in (
            b"",
            b"\r\n\r\n",
            b"SIP/2.0 200 OK\r\nVia: x\r\n\r\n",
            b"\xff" * 500,
            b"NOTIFY x SIP/2.0\r\n\r\n",
        ):
            client.send(rubbish)
        client.send(notify(desk.phone))
        assert client.recv(65536).startswith(b"SIP/2.0 200")


def test_without_rport_the_answer_goes_where_the_via_says(desk: Desk) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.settimeout(60)
        via = f"SIP/2.0/UDP 127.0.0.1:{listener.getsockname()[1]};branch=z9hG4bK-elsewhere"
        with udp_socket(desk.phone) as client:
            client.send(notify(desk.phone, via=via))
            assert listener.recv(65536).startswith(b"SIP/2.0 200")


def test_two_requests_on_one_tcp_connection(desk: Desk) -> None:
    answers = by_tcp(desk.phone, notify(desk.phone, "prt-report"), b"\r\n\r\n" + notify(desk.phone))
    assert [status_of(answer) for answer in answers] == [200, 200]
    desk.wait_until(lambda phone: phone.registered and phone.restarts)


def test_a_tcp_request_without_a_length_is_refused(desk: Desk) -> None:
    assert [status_of(a) for a in by_tcp(desk.phone, notify(desk.phone, content_length=None))] == [400]


def test_a_reset_takes_the_phone_away_for_a_while(place_phone: PlacePhone) -> None:
    desk = place_phone(device_file(), boot_seconds=3)
    ports = (desk.phone.sip_port, desk.phone.web_port)
    by_udp(desk.phone, notify(desk.phone, "reset"))
    desk.wait_until(lambda phone: phone.restarts)
    for port in ports:
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((desk.phone.config.host, port))
    desk.wait_until(lambda phone: phone.registered)
    assert (desk.phone.sip_port, desk.phone.web_port) == ports
    assert list(desk.phone.history).count("is up") == 2


@pytest.mark.parametrize(("stamp", "restarts"), [("{v1}", 0), ("{v2}", 1), (ZERO, 1)])
def test_check_version_acts_on_a_difference_only(stamp: str, restarts: int, place_phone: PlacePhone) -> None:
    desk = place_phone(device_file(extra="<versionStamp>{v1}</versionStamp>"))
    body = f"action=check-version\r\nConfigVersionStamp={stamp}\r\n"
    assert status_of(by_udp(desk.phone, notify(desk.phone, body=body))) == 200
    by_udp(desk.phone, notify(desk.phone, "prt-report", call_id=""))
    desk.wait_until(lambda phone: phone.registered)
    assert desk.phone.restarts == restarts


def test_a_restart_waits_for_the_end_of_a_call(desk: Desk) -> None:
    desk.phone.fault = "in_call"
    assert status_of(by_udp(desk.phone, notify(desk.phone))) == 200
    by_udp(desk.phone, notify(desk.phone, "prt-report"))
    assert (desk.phone.restarts, desk.phone.registered) == (0, True)
    desk.phone.fault = ""
    desk.wait_until(lambda phone: phone.registered and phone.restarts == 1)


def test_a_sipe_phone_listens_and_a_sccp_phone_does_not(place_phone: PlacePhone) -> None:
    desk = place_phone(device_file(), software_type="SIPE")
    assert status_of(by_udp(desk.phone, notify(desk.phone))) == 200
    sccp = place_phone(device_file("SCCP"), software_type="SCCP", mac="001122334466", model="7975", sip_port=0)
    assert (sccp.phone.sip_port, sccp.phone.call_id, sccp.phone.registered) == (0, "", True)


_SCENARIO = """<?xml version="1.0" encoding="ISO-8859-1" ?>
<scenario name="notify">
  <send retrans="500"><![CDATA[
NOTIFY sip:1001@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
Max-Forwards: 70
From: <sip:[local_ip]:[local_port]>;tag=[call_number]
To: <sip:1001@[remote_ip]:[remote_port]>
Call-ID: [call_id]
CSeq: 1 NOTIFY
Event: service-control
Subscription-State: active
Content-Type: text/plain
Content-Length: [len]

action=restart
RegisterCallId={}
  ]]></send>
  <recv response="200"/>
</scenario>
"""


@pytest.mark.skipif(shutil.which("sipp") is None, reason="sip-tester is not installed")
@pytest.mark.parametrize("transport", ["u1", "t1"])
def test_sipp_can_restart_the_phone(transport: str, desk: Desk, tmp_path: Path) -> None:
    scenario = tmp_path / "notify.xml"
    scenario.write_text(_SCENARIO)
    target = f"{desk.phone.config.host}:{desk.phone.sip_port}"
    options = ["-i", "127.0.0.1", "-t", transport, "-m", "1", "-nostdin", "-timeout", "60s", "-timeout_error"]
    result = subprocess.run(
        ["sipp", target, "-sf", str(scenario), *options], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr
    desk.wait_until(lambda phone: phone.registered and phone.restarts == 1)
