"""The phone's web server, asked by a plain HTTP client: status pages and pushed keys."""

import base64
import http.client
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from lxml import etree

from phones_app.simulator.generations import generation_of
from phones_app.simulator.phone import SimulatedPhone
from tests.phones_app.simulator.conftest import MAC, Desk, PlacePhone, device_file

MENU_WALK = generation_of("8845").restart_keys
STAR_RESET = generation_of("7975").restart_keys


@dataclass
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def xml(self) -> etree._Element:
        return etree.fromstring(self.body)


def ask(phone: SimulatedPhone, path: str, method: str = "GET", body: str = "", user: str | None = None) -> Answer:
    connection = http.client.HTTPConnection(phone.config.host, phone.web_port, timeout=60)
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    if user is not None:
        headers["Authorization"] = "Basic " + base64.b64encode(user.encode()).decode()
    connection.request(method, path, body or None, headers)
    response = connection.getresponse()
    answer = Answer(response.status, response.msg, response.read())
    connection.close()
    return answer


def push(phone: SimulatedPhone, *uris: str, user: str | None = None) -> Answer:
    items = "".join(f'<ExecuteItem Priority="0" URL="{uri}"/>' for uri in uris)
    xml = f"<CiscoIPPhoneExecute>{items}</CiscoIPPhoneExecute>"
    return ask(phone, "/CGI/Execute", "POST", "XML=" + quote(xml, safe=""), user)


def outcome(answer: Answer) -> list[tuple[str | None, str | None]]:
    return [(item.get("Status"), item.get("Data")) for item in answer.xml.findall("ResponseItem")]


@dataclass
class Authenticator:
    """The portal's part: notes what phones ask and gives the answer it is told to."""

    url: str = ""
    answer: bytes = b"AUTHORIZED"
    asked: list[dict[str, list[str]]] = field(default_factory=list)


@pytest.fixture
def authenticator() -> Iterator[Authenticator]:
    state = Authenticator()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.asked.append(parse_qs(urlsplit(self.path).query))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(state.answer)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        state.url = f"http://127.0.0.1:{server.server_address[1]}/authenticate"
        yield state
        server.shutdown()


def test_the_device_page_tells_who_the_phone_is(desk: Desk) -> None:
    page = ask(desk.phone, "/DeviceInformationX").xml
    names = ("MACAddress", "HostName", "phoneDN", "modelNumber", "appLoadID")
    assert page.tag == "DeviceInformation"
    assert [page.findtext(name) for name in names] == [MAC, f"SEP{MAC}", "1001", "CP-8845", "sip8845_65.14-2-1-0001-14"]


def test_another_phone_may_have_taken_the_address(desk: Desk) -> None:
    desk.phone.fault = "wrong_mac"
    assert ask(desk.phone, "/DeviceInformationX").xml.findtext("MACAddress") == "0011223344AA"


def test_old_phones_speak_latin_1(place_phone: PlacePhone) -> None:
    named = device_file().replace(b"<name>1001</name>", "<name>Zoë</name>".encode())
    desk = place_phone(named, model="7975", load="SIP75.9-4-2SR3-1S")
    answer = ask(desk.phone, "/DeviceInformationX")
    assert b"iso-8859-1" in answer.body
    assert b"Zo\xeb" in answer.body
    assert answer.xml.findtext("appLoadID") == "SIP75.9-4-2SR3-1S"
    assert ask(desk.phone, "/DeviceLogX?0").body.count(b"<?xml") == 2


def test_the_streams_tell_whether_a_call_is_up(desk: Desk) -> None:
    def streams() -> list[str | None]:
        return [ask(desk.phone, f"/StreamingStatisticsX?{n}").xml.findtext("StreamStatus") for n in (1, 2, 3)]

    assert streams() == ["Not Ready"] * 3
    desk.phone.fault = "in_call"
    assert streams() == ["Active", "Not Ready", "Not Ready"]


def test_the_network_and_log_pages(place_phone: PlacePhone) -> None:
    desk = place_phone(device_file(authentication_url="http://192.0.2.1/auth"))
    network = ask(desk.phone, "/NetworkConfigurationX").xml
    assert network.findtext("CallManager1") == "192.0.2.1"
    assert network.findtext("AuthenticationURL") == "http://192.0.2.1/auth"
    assert "registers" in [line.text for line in ask(desk.phone, "/DeviceLogX?0").xml]


@pytest.mark.parametrize("path", ["/", "/deviceinformationx", "/StreamingStatisticsX?9", "/cgi/execute"])
def test_other_paths_are_not_found(path: str, desk: Desk) -> None:
    assert ask(desk.phone, path).status == 404


def test_without_an_authentication_url_anybody_may_push(desk: Desk) -> None:
    answer = push(desk.phone, "Init:Services")
    assert (answer.status, outcome(answer), desk.phone.executes) == (200, [("0", "Success")], 1)


def test_the_phone_asks_the_portal_about_the_credentials(place_phone: PlacePhone, authenticator: Authenticator) -> None:
    desk = place_phone(device_file(authentication_url=authenticator.url))
    assert outcome(push(desk.phone, "Init:Services", user="push:se&cret")) == [("0", "Success")]
    expected = {"UserID": ["push"], "Password": ["se&cret"], "devicename": [f"SEP{MAC}"]}
    assert authenticator.asked == [expected]
    assert push(desk.phone, "Init:Services").status == 401


@pytest.mark.parametrize("answer", [b"UN-AUTHORIZED", b"AUTHORIZED\n", b"", b"<AUTHORIZED/>"])
def test_anything_but_the_exact_word_is_a_refusal(
    answer: bytes, place_phone: PlacePhone, authenticator: Authenticator
) -> None:
    authenticator.answer = answer
    desk = place_phone(device_file(authentication_url=authenticator.url))
    refusal = push(desk.phone, "Key:Settings", user="push:secret")
    assert (refusal.status, refusal.xml.tag, refusal.xml.get("Number")) == (200, "CiscoIPPhoneError", "4")
    assert desk.phone.executes == 0


def test_an_unreachable_portal_is_a_refusal(place_phone: PlacePhone) -> None:
    desk = place_phone(device_file(authentication_url="http://127.0.0.1:1/authenticate"))
    assert push(desk.phone, "Init:Services", user="push:secret").xml.get("Number") == "4"


def test_each_item_has_its_own_outcome(desk: Desk) -> None:
    answer = push(desk.phone, "Init:Reboot", "Key:Settings", "nonsense")
    assert outcome(answer) == [("6", "URI not found"), ("0", "Success"), ("1", "Invalid URI")]


@pytest.mark.parametrize(
    "body",
    ["XML=%3Cbroken", "xml=%3CCiscoIPPhoneExecute%2F%3E", "", "XML=%3CCiscoIPPhoneExecute%2F%3E", "XML=%3Cother%2F%3E"],
)
def test_what_is_not_an_execute_object_is_error_1(body: str, desk: Desk) -> None:
    assert ask(desk.phone, "/CGI/Execute", "POST", body).xml.get("Number") == "1"


def test_no_more_than_three_items(desk: Desk) -> None:
    assert push(desk.phone, *["Key:Soft1"] * 4).xml.get("Number") == "1"


@pytest.mark.parametrize(("model", "order"), [("7975", ["Status", "Data", "URL"]), ("8845", ["URL", "Data", "Status"])])
def test_the_order_of_attributes_differs_by_generation(model: str, order: list[str], place_phone: PlacePhone) -> None:
    desk = place_phone(device_file(), model=model)
    [item] = push(desk.phone, "Key:Info").xml
    assert list(item.attrib) == order


@pytest.mark.parametrize(
    ("model", "software", "keys"),
    [("7975", "SCCP", STAR_RESET), ("8845", "SIP", MENU_WALK), ("6945", "SCCP", STAR_RESET)],
)
def test_the_right_keys_one_by_one_restart_the_phone(
    model: str, software: str, keys: tuple[str, ...], place_phone: PlacePhone
) -> None:
    desk = place_phone(device_file("SCCP" if software == "SCCP" else "SIP"), model=model, software_type=software)
    for key in keys:
        assert outcome(push(desk.phone, key)) == [("0", "Success")]
    desk.wait_until(lambda phone: phone.restarts == 1 and phone.registered)
    assert desk.phone.fetches == 2


def test_keys_in_one_push_are_not_taken_in_their_order(place_phone: PlacePhone) -> None:
    desk = place_phone(device_file("SCCP"), model="7975", software_type="SCCP")
    push(desk.phone, *STAR_RESET[:3])
    push(desk.phone, *STAR_RESET[3:])
    assert desk.phone.restarts == 0


@pytest.mark.parametrize("reason", ["in a call", "locked", "wrong generation"])
def test_keys_do_not_restart_a_phone(reason: str, place_phone: PlacePhone) -> None:
    locked = "<vendorConfig><settingsAccess>0</settingsAccess></vendorConfig>" if reason == "locked" else ""
    desk = place_phone(device_file("SCCP", extra=locked), model="7975", software_type="SCCP")
    if reason == "in a call":
        desk.phone.fault = "in_call"
    for key in MENU_WALK if reason == "wrong generation" else STAR_RESET:
        push(desk.phone, key)
    assert (desk.phone.restarts, desk.phone.executes) == (0, len(STAR_RESET) - (reason == "wrong generation"))


def test_web_access_1_in_the_file_closes_the_door(place_phone: PlacePhone) -> None:
    desk = place_phone(device_file(extra="<vendorConfig><webAccess>1</webAccess></vendorConfig>"))
    with pytest.raises(ConnectionRefusedError):
        ask(desk.phone, "/DeviceInformationX")


def test_web_access_off_in_the_phone_closes_the_door(place_phone: PlacePhone) -> None:
    desk = place_phone(device_file(), web_access=False, web_port=1)
    with pytest.raises(ConnectionRefusedError):
        ask(desk.phone, "/DeviceInformationX")
