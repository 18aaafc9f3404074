"""The simulated phone and the transports were written apart; here they must understand each other."""

import pytest

from contacts_app.core.net.wire import Networks
from phones_app.transports.phone_web import PhoneWeb, read_status, read_streams
from phones_app.transports.restart.cgi import run_macro
from phones_app.transports.restart.key_macros import load_macros, macro_for
from phones_app.transports.restart.sip_notify import NotifyTarget, send_notify
from tests.phones_app.simulator.conftest import MAC, Desk, PlacePhone, device_file

LOOPBACK = Networks.parse("127.0.0.0/8")


def web_of(desk: Desk) -> PhoneWeb:
    return PhoneWeb(desk.phone.config.host, desk.phone.web_port, networks=LOOPBACK)


@pytest.mark.parametrize(
    ("model", "software"),
    [("7962", "SCCP"), ("7975", "SCCP"), ("7961GE", "SIP"), ("6945", "SCCP"), ("8845", "SIP"), ("7841", "SIPE")],
)
def test_the_shipped_key_macro_restarts_each_generation(model: str, software: str, place_phone: PlacePhone) -> None:
    desk = place_phone(device_file("SCCP" if software == "SCCP" else "SIP"), model=model, software_type=software)
    macro = macro_for(model, load_macros())
    assert macro is not None
    run_macro(web_of(desk), macro, sleep=lambda _: None)
    desk.wait_until(lambda phone: phone.registered and phone.restarts == 1)


@pytest.mark.parametrize("transport", ["udp", "tcp"])
@pytest.mark.parametrize("action", ["restart", "reset"])
def test_the_sip_transport_restarts_a_phone(transport: str, action: str, desk: Desk) -> None:
    target = NotifyTarget(desk.phone.config.host, desk.phone.sip_port, transport, user="1001", networks=LOOPBACK)
    assert send_notify(target, action=action, register_call_id=desk.phone.call_id).status == 200
    desk.wait_until(lambda phone: phone.registered and phone.restarts == 1)
    assert send_notify(target, register_call_id="an-old-one").status == 400


@pytest.mark.parametrize(
    ("model", "software"), [("7975", "SCCP"), ("6945", "SIP"), ("8845", "SIP"), ("7841", "SIP"), ("9971", "SIP")]
)
def test_the_status_reader_knows_each_generation(model: str, software: str, place_phone: PlacePhone) -> None:
    desk = place_phone(device_file(software), model=model, software_type=software)
    status = read_status(web_of(desk))
    assert (status.mac, status.model, status.software) == (MAC, model, software)
    assert read_streams(web_of(desk)) is False
    desk.phone.fault = "in_call"
    assert read_streams(web_of(desk)) is True
