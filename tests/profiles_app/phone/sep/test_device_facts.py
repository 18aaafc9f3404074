"""What a file says about its phone."""

import json

import pytest

from profiles_app.phone.sep.device_facts import Facts, LineFacts, Server, facts
from profiles_app.phone.sep.document import parse
from tests.profiles_app.phone.sep.files import CONVERSION, SERVER, SIP, SIP_LINE, sccp, sip


def facts_of(content: bytes) -> Facts:
    return facts(parse(content))


def test_a_sip_file_is_read():
    read = facts_of(sip(("<versionStamp>", "<loadInformation>SIP42.9-4-2</loadInformation><versionStamp>")))

    assert (read.protocol, read.protocol_source, read.bootstrap) == ("SIP", "deviceProtocol", False)
    assert read.lines == (LineFacts(1, "1001", "5f3c2a91", "Reception", "Alice", source_line=19),)
    assert read.servers == (Server("192.0.2.1", 0, 5060, 5061, None, source_line=9),)
    assert (read.transport, read.web_access, read.version_stamp) == ("udp", "enabled", "1")
    assert (read.load, read.load_software, read.load_models) == ("SIP42.9-4-2", "SIP", ("7942", "7962"))
    assert read.authentication_url == "http://192.0.2.1/authenticate"
    assert read.services_url == "http://192.0.2.1/services"
    assert read.registration_user == "5f3c2a91"


def test_an_sccp_file_has_a_server_and_no_lines():
    read = facts_of(sccp())

    assert (read.protocol, read.protocol_source, read.lines) == ("SCCP", "callManager", ())
    assert [(server.host, server.sccp_port) for server in read.servers] == [("192.0.2.1", 2000)]


@pytest.mark.parametrize(
    ("content", "protocol", "source"),
    [
        (b"<device><deviceProtocol> sip </deviceProtocol></device>", "SIP", "deviceProtocol"),
        (b"<device><deviceProtocol>SCCP</deviceProtocol><sipProfile/></device>", "SCCP", "deviceProtocol"),
        (b"<device><deviceProtocol>H323</deviceProtocol><sipProfile/></device>", "SIP", "sipProfile"),
        (CONVERSION, "SIP", "loadInformation"),
        (b"<device><loadInformation>SCCP42.9</loadInformation></device>", "SCCP", "loadInformation"),
        (b"<device/>", "", ""),
    ],
)
def test_the_protocol_is_told_by_the_best_sign_there_is(content, protocol, source):
    read = facts_of(content)

    assert (read.protocol, read.protocol_source) == (protocol, source)


@pytest.mark.parametrize(
    ("number", "transport"), [("1", "tcp"), ("2", "udp"), ("3", "tls"), ("4", "tcp"), ("9", ""), ("", "")]
)
def test_the_transport_has_a_name(number, transport):
    assert facts_of(sip(("<transportLayerProtocol>2", f"<transportLayerProtocol>{number}"))).transport == transport


@pytest.mark.parametrize(("number", "access"), [("0", "enabled"), ("1", "disabled"), ("2", "read-only"), ("yes", "")])
def test_web_access_is_read_the_right_way_round(number, access):
    assert facts_of(sip(("<webAccess>0", f"<webAccess>{number}"))).web_access == access


def test_speed_dials_are_no_lines():
    speed_dial = '<line button="2"><featureID>2</featureID><name>x</name></line>'

    assert len(facts_of(sip((SIP_LINE, speed_dial + SIP_LINE))).lines) == 1


def test_the_phone_registers_as_its_lowest_button():
    second = SIP_LINE.replace('button="1"', 'button="2"').replace("5f3c2a91", "other")

    assert facts_of(sip((SIP_LINE, second + SIP_LINE))).registration_user == "5f3c2a91"


def test_without_a_contact_the_name_registers():
    assert facts_of(sip(("<contact>5f3c2a91</contact>", "<contact/>"))).registration_user == "1001"


def test_the_load_of_an_add_on_module_is_not_the_phone_s():
    module = "<addOnModules><addOnModule><loadInformation>B016</loadInformation></addOnModule></addOnModules>"

    assert facts_of(sip(("<versionStamp>", module + "<versionStamp>"))).load == ""


def test_servers_keep_their_priorities_and_blank_ones_are_left_out():
    second = SERVER.replace('priority="0"', 'priority="1"').replace("192.0.2.1", "192.0.2.2")
    blank = SERVER.replace("192.0.2.1", " ")

    servers = facts_of(sip((SERVER, SERVER + second + blank))).servers

    assert [(server.priority, server.host) for server in servers] == [(0, "192.0.2.1"), (1, "192.0.2.2")]


def test_facts_are_json_and_hold_no_secrets():
    content = sip(("http://192.0.2.1/services", "http://clerk:wool-gathering@192.0.2.1/services"))

    as_json = json.dumps(facts_of(content).as_dict())

    assert "wool-gathering" in SIP
    assert "wool-gathering" not in as_json
    assert "open-sesame" not in as_json
    assert json.loads(as_json)["lines"][0]["name"] == "1001"
