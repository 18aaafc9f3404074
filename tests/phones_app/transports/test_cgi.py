"""Pushes to a phone's web server and key macros."""

import socket
import threading
import time
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from contacts_app.core.errors import TransportError
from contacts_app.core.net.wire import Networks
from phones_app.transports.phone_web import PhoneWeb
from phones_app.transports.restart.cgi import execute, run_macro
from phones_app.transports.restart.key_macros import Macro, Step, format_steps, load_macros, macro_for, parse_steps
from tests.peers.phone_web import BARE_RESPONSE, ITEM, RESPONSE, REVERSED_ITEM, PhoneWebServer

CLASSIC_RESET = [
    "Key:Settings",
    "Key:KeyPadStar",
    "Key:KeyPadStar",
    "Key:KeyPadPound",
    "Key:KeyPadStar",
    "Key:KeyPadStar",
]


def web(phone: PhoneWebServer, **changed: Any) -> PhoneWeb:
    account = {"username": "admin", "password": "push secret"}
    return PhoneWeb("127.0.0.1", phone.port, **{"timeout": 20.0, **account, **changed})


@pytest.mark.parametrize("response", [RESPONSE, BARE_RESPONSE, "\r\n" + RESPONSE])
@pytest.mark.parametrize("item", [ITEM, REVERSED_ITEM])
def test_success_is_read_in_every_spelling(response: str, item: str) -> None:
    with PhoneWebServer(response=response, item=item).running() as phone:
        result = execute(web(phone), "Init:Services")
    assert (result.status, result.data) == ("0", "Success")


def test_the_request_is_that_of_the_specification() -> None:
    with PhoneWebServer().running() as phone:
        result = execute(web(phone), "Init:Services")
        ((method, path, headers, body),) = phone.requests
    assert (method, path) == ("POST", "/CGI/Execute")
    assert headers == {
        "Host": f"127.0.0.1:{phone.port}",
        "Authorization": "Basic YWRtaW46cHVzaCBzZWNyZXQ=",
        "Content-Type": "application/x-www-form-urlencoded",
        "Content-Length": str(len(body)),
        "Connection": "close",
    }
    assert body == (
        b"XML=%3CCiscoIPPhoneExecute%3E%3CExecuteItem%20Priority%3D%220%22%20URL%3D%22Init%3AServices%22%2F%3E"
        b"%3C%2FCiscoIPPhoneExecute%3E"
    )
    assert result.exchange.request.endswith(body.decode())
    assert result.exchange.answer.startswith("HTTP/1.1 200 X\r\nContent-Type: text/xml\r\n")


def test_the_password_is_masked_in_the_evidence() -> None:
    with PhoneWebServer().running() as phone:
        result = execute(web(phone), "Init:Services")
        with pytest.raises(TransportError) as caught:
            execute(web(phone, password="wrong one"), "Init:Services")
    assert "Authorization: Basic ***" in result.exchange.request
    for secret in ("push secret", "YWRtaW46cHVzaCBzZWNyZXQ="):
        assert secret not in repr(result) + caught.value.request + repr(web(phone))


def test_an_item_that_failed_is_not_a_success() -> None:
    refused = {"Init:Reboot": ("6", "URI not found")}
    with PhoneWebServer(refused_uris=refused).running() as phone:
        assert execute(web(phone), "Key:Settings").status == "0"
        result = execute(web(phone), "Init:Reboot")
    assert (result.status, result.data) == ("6", "URI not found")


def test_data_in_latin_1_is_read() -> None:
    refused = {"Key:Settings": ("6", "Größe")}
    for response in (RESPONSE, BARE_RESPONSE):
        with PhoneWebServer(refused_uris=refused, response=response).running() as phone:
            assert execute(web(phone), "Key:Settings").data == "Größe"


def test_characters_of_xml_reach_the_phone_unchanged() -> None:
    with PhoneWebServer().running() as phone:
        for uri in ("SoftKey:<<", 'Play:a&b".raw'):
            execute(web(phone), uri)
        assert phone.pressed == ["SoftKey:<<", 'Play:a&b".raw']
        assert list(parse_qs(phone.requests[0][3].decode())) == ["XML"]


@pytest.mark.parametrize(
    ("answer", "code", "text"),
    [
        (b'<CiscoIPPhoneError Number="1"/>', "phone-error", "could not read"),
        (b'<?xml version="1.0"?><CiscoIPPhoneError Number="2">x</CiscoIPPhoneError>', "phone-error", "answer"),
        (b'<CiscoIPPhoneError Number="3" />', "phone-error", "file error"),
        (b'<CiscoIPPhoneError Number="4"/>', "authentication", "authentication URL"),
        (b'<CiscoIPPhoneError Number="77"/>', "phone-error", "77"),
        (b"<html><body>Welcome<br></body></html>", "unexpected-answer", "<html>"),
        (b"\x00\xff\xfe garbage", "unexpected-answer", "nothing readable"),
        (b"", "unexpected-answer", "nothing readable"),
        (b"<!DOCTYPE x [<!ENTITY a 'b'>]><CiscoIPPhoneResponse/>", "unexpected-answer", "nothing readable"),
    ],
)
def test_a_refusal_as_a_whole_says_why(answer: bytes, code: str, text: str) -> None:
    with PhoneWebServer(whole_answer=answer).running() as phone, pytest.raises(TransportError) as caught:
        execute(web(phone), "Init:Services")
    assert caught.value.code == code
    assert text in caught.value.message
    assert "XML=" in caught.value.request
    assert "HTTP/1.1 200" in caught.value.answer


def test_an_answer_without_items_is_not_a_success() -> None:
    with PhoneWebServer(whole_answer=b"<CiscoIPPhoneResponse/>").running() as phone:
        assert execute(web(phone), "Init:Services").status == ""


def test_wrong_credentials_are_told_apart() -> None:
    with PhoneWebServer().running() as phone:
        for changed in ({"password": "wrong"}, {"username": ""}):
            with pytest.raises(TransportError) as caught:
                execute(web(phone, **changed), "Init:Services")
            assert (caught.value.code, caught.value.permanent) == ("authentication", True)
        assert "Authorization" not in phone.requests[1][2]


def test_a_phone_without_cgi_is_told_apart() -> None:
    answers = {"whole_answer": b"<html>404</html>", "whole_status": 404}
    with PhoneWebServer(**answers).running() as phone, pytest.raises(TransportError) as caught:
        execute(web(phone), "Init:Services")
    assert caught.value.code == "no-cgi"


def test_redirects_are_not_followed() -> None:
    with PhoneWebServer().running() as elsewhere:
        location = (("Location", f"http://127.0.0.1:{elsewhere.port}/CGI/Execute"),)
        phone = PhoneWebServer(whole_answer=b"", whole_status=302, headers=location)
        with phone.running(), pytest.raises(TransportError) as caught:
            execute(web(phone), "Init:Services")
        assert elsewhere.requests == []
    assert caught.value.code == "unexpected-answer"


def test_a_huge_answer_is_cut_off() -> None:
    with PhoneWebServer(whole_answer=b"x" * 3_000_000).running() as phone, pytest.raises(TransportError) as caught:
        execute(web(phone), "Init:Services")
    assert caught.value.code == "too-large"
    assert len(caught.value.answer) < 10_000


def test_a_phone_that_drips_does_not_hold_us_up() -> None:
    started = time.monotonic()
    with PhoneWebServer(drip=0.2).running() as phone, pytest.raises(TransportError) as caught:
        execute(web(phone, timeout=0.3), "Init:Services")
    assert caught.value.code == "timeout"
    assert time.monotonic() - started < 10


def test_nobody_there_is_known_at_once() -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        with pytest.raises(TransportError) as caught:
            execute(PhoneWeb("127.0.0.1", sock.getsockname()[1]), "Init:Services")
    assert caught.value.code == "refused"
    assert "XML=" in caught.value.request


@pytest.mark.parametrize(("greeting", "code"), [(b"SSH-2.0-OpenSSH\r\n\r\n", "unexpected-answer"), (b"", "closed")])
def test_what_is_no_web_server_is_named_so(greeting: bytes, code: str) -> None:
    def serve() -> None:
        connection = server.accept()[0]
        with connection:
            connection.recv(65536)
            connection.sendall(greeting)

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=serve, daemon=True).start()
        with pytest.raises(TransportError) as caught:
            execute(PhoneWeb("127.0.0.1", server.getsockname()[1]), "Init:Services")
    assert caught.value.code == code


@pytest.mark.parametrize("uri", ["Key:" + "x" * 300, "Key:Settings\r\n", ""])
def test_what_a_phone_would_not_take_is_not_sent(uri: str) -> None:
    with PhoneWebServer().running() as phone:
        with pytest.raises(TransportError) as caught:
            execute(web(phone), uri)
        assert (caught.value.code, phone.requests) == ("invalid-value", [])


def test_only_allowed_networks_are_spoken_to() -> None:
    networks = Networks.parse("192.0.2.0/24")
    with PhoneWebServer().running() as phone:
        with pytest.raises(TransportError) as caught:
            execute(web(phone, networks=networks), "Init:Services")
        assert (caught.value.code, phone.connections) == ("outside-networks", 0)


def test_a_macro_presses_key_after_key_with_its_pauses() -> None:
    pauses: list[float] = []
    macro = macro_for("7962", load_macros())
    assert macro is not None
    with PhoneWebServer().running() as phone:
        exchange = run_macro(web(phone), macro, sleep=pauses.append)
        assert phone.pressed == CLASSIC_RESET
        assert len(phone.requests) == len(CLASSIC_RESET)
    assert pauses == [step.pause for step in macro.steps]
    assert exchange.request.count("POST /CGI/Execute") == len(CLASSIC_RESET)
    assert exchange.answer.count("Success") == len(CLASSIC_RESET)


def test_a_macro_stops_at_the_key_that_fails() -> None:
    macro = Macro("m", ("*",), parse_steps("Key:Settings\nKey:KeyPadStar\nKey:KeyPadPound"))
    refused = {"Key:KeyPadStar": ("6", "Application is not Active")}
    with PhoneWebServer(refused_uris=refused).running() as phone:
        with pytest.raises(TransportError, match=r"Step 2 of 3, Key:KeyPadStar: Application is not Active") as caught:
            run_macro(web(phone), macro)
        assert phone.pressed == ["Key:Settings", "Key:KeyPadStar"]
    assert caught.value.code == "item-refused"
    assert caught.value.request.count("POST") == 2
    assert caught.value.answer.count("HTTP/1.1 200") == 2


def test_a_phone_may_restart_before_it_answers_the_last_key() -> None:
    macro = Macro("m", ("*",), parse_steps("Key:Settings\nKey:KeyPadStar"))
    with PhoneWebServer(hang_up_on="Key:KeyPadStar").running() as phone:
        assert "went away" in run_macro(web(phone), macro).answer
    with PhoneWebServer(hang_up_on="Key:Settings").running() as phone, pytest.raises(TransportError) as caught:
        run_macro(web(phone), macro)
    assert caught.value.code == "closed"


def test_macros_of_the_project_cover_every_model() -> None:
    macros = load_macros()
    assert macro_for("7962", macros).name == macro_for("CP-7941G-GE", macros).name == "classic"
    assert macro_for("8841", macros).name == macro_for("CP-7821", macros).name == "menu-walk"
    assert macro_for("6941", macros).name == macro_for("", macros).name == "fallback"
    assert macro_for("6941", macros[:2]) is None
    assert tuple(step.uri for step in macro_for("7962", macros).steps) == tuple(CLASSIC_RESET)
    assert all("unverified" in macro_for(model, macros).evidence for model in ("8841", "6941"))


def test_steps_survive_being_written_and_read() -> None:
    steps = (Step("Key:Settings", 0.5), Step("SoftKey:<<"), Step("Key:KeyPadStar", 2.0))
    assert format_steps(steps) == "Key:Settings\npause 0.5\nSoftKey:<<\nKey:KeyPadStar\npause 2"
    assert parse_steps(format_steps(steps)) == steps
    for macro in load_macros():
        assert parse_steps(format_steps(macro.steps)) == macro.steps


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "this one has 0"),
        ("Key:Settings\npress star", "line 2: 'press star'"),
        ("pause 1\nKey:Settings", "line 1"),
        ("Key:Settings\npause 1\npause 1", "line 3"),
        ("Key:Settings\npause 11", "line 2"),
        ("Key:Settings\npause -1", "line 2"),
        ("http://192.0.2.1/x", "line 1"),
        ("Key:Settings\n" * 41, "this one has 41"),
    ],
)
def test_steps_that_are_wrong_say_where(text: str, fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        parse_steps(text)


def test_macros_are_read_from_text_and_file(tmp_path: Path) -> None:
    text = '[[macro]]\nname = "mine"\nmodels = ["8841"]\nsteps = "Key:Settings"\n'
    (tmp_path / "macros.toml").write_text(text)
    assert (
        load_macros(text)
        == load_macros(tmp_path / "macros.toml")
        == [Macro("mine", ("8841",), (Step("Key:Settings"),))]
    )
    with pytest.raises(ValueError, match="macro 'mine': line 1"):
        load_macros(text.replace("Key:Settings", "nonsense"))
    with pytest.raises(ValueError, match="macro 'mine'"):
        load_macros('[[macro]]\nname = "mine"\nmodels = ["8841"]\n')
