"""What phones ignore, refuse or take for something else without a word is told, with its line and what was meant."""

import pytest

from profiles_app.phone.sep.checks import check
from profiles_app.phone.sep.elements import TABLES, Severity
from tests.profiles_app.phone.sep.files import SERVER, SIP_LINE, sccp, sip

BEFORE_THE_STAMP = "<versionStamp>"
SECOND_LINE = (
    SIP_LINE.replace('button="1" lineIndex="1"', 'button="2" lineIndex="2"')
    .replace("1001", "1002")
    .replace("5f3c", "7a1b")
)


def with_element(element: str, *others: tuple[str, str]) -> bytes:
    return sip((BEFORE_THE_STAMP, element + BEFORE_THE_STAMP), *others)


def server(address: str, *others: tuple[str, str]) -> bytes:
    return sip((">192.0.2.1<", f">{address}<"), *others)


def said(content: bytes, code: str, **phone: str) -> list[str]:
    return [finding.message for finding in check(content, **phone) if finding.code == code]


def errors(content: bytes, **phone: str) -> set[str]:
    return {finding.code for finding in check(content, **phone) if finding.severity is Severity.ERROR}


ADDRESSES = {
    "198.51.100.256": "“198.51.100.256” is no address of a host",
    "198.51.100": "“198.51.100” is no address of a host",
    "pbx example": "“pbx example” is no address of a host",
    "0.0.0.0": "“0.0.0.0” is no address of a host",
    "198.51.100.1, 198.51.100.2": "“198.51.100.1, 198.51.100.2” is no address of a host",
    "198.51.100.1:5062": "the port goes to ports/sipPort",
    "pbx.example:5060": "the port goes to ports/sipPort",
    "sip:pbx.example": "phones take a host only",
    "http://pbx.example/": "phones take a host only",
    "[2001:db8::1]": "phones take a host only",
    "198.051.100.001": "leading zeros",
}
HOSTS = ["198.51.100.1", "pbx", "pbx.example.", "sip_1.example", "2001:db8::1", "VOIP", "sip", "127.0.0.1"]


@pytest.mark.parametrize(("text", "words"), ADDRESSES.items())
def test_a_server_that_is_no_plain_host_is_told(text, words):
    (message,) = said(server(text), "address")

    assert words in message
    assert message.startswith("processNodeName: ")


@pytest.mark.parametrize("text", HOSTS)
def test_names_and_addresses_of_hosts_are_sound(text):
    assert check(server(text)) == []


def test_a_file_none_of_whose_servers_can_be_reached_is_refused():
    assert "no-server" in errors(server("198.51.100.256"))
    assert errors(server("198.51.100.1:5062")) == set()
    two = sip((SERVER, SERVER + SERVER.replace("192.0.2.1", "198.51.100.256")))
    assert errors(two) == set()
    assert said(two, "address")


@pytest.mark.parametrize(
    ("element", "code"),
    [
        ("<natAddress>300.1.1.1</natAddress>", "address"),
        ("<loadServer>tftp.example:69</loadServer>", "address"),
        ("<directoryURL>http://a host/menu</directoryURL>", "address"),
        ("<idleURL>http://192.0.2.1:99999/idle</idleURL>", "address"),
        ("<voipControlPort>0</voipControlPort>", "port"),
        ("<sshPort>ssh</sshPort>", "port"),
        ("<startMediaPort>70000</startMediaPort>", "port"),
        ("<capfList><capf><phonePort>-1</phonePort></capf></capfList>", "port"),
    ],
)
def test_other_addresses_and_ports_are_judged_too(element, code):
    (finding,) = [finding for finding in check(with_element(element)) if finding.code == code]

    assert (finding.severity, finding.line) == (Severity.WARNING, 32)


@pytest.mark.parametrize(
    "element",
    [
        "<logServer>192.0.2.9:9001</logServer>",
        "<sipProxies><outboundProxy>USECALLMANAGER</outboundProxy><outboundProxyPort>0</outboundProxyPort></sipProxies>",
        "<messagesURL>*97</messagesURL>",
        "<idleURL>https://user@[2001:db8::1]:8443/idle?mac=#DEVICENAME#</idleURL>",
        "<loadServer/>",
    ],
)
def test_what_phones_take_is_left_alone(element):
    assert check(with_element(element)) == []


def test_media_ports_that_end_before_they_begin_are_told():
    content = sip(
        ("<sipLines>", "<startMediaPort>20000</startMediaPort><stopMediaPort>10000</stopMediaPort><sipLines>")
    )

    assert said(content, "port") == [
        "the media ports end (stopMediaPort 10000) before they begin (startMediaPort 20000)"
    ]


@pytest.mark.parametrize(
    ("element", "message"),
    [
        ("<sshAccess>yes</sshAccess>", "sshAccess takes 0 or 1 (0 is on), not “yes”"),
        ("<bluetooth>true</bluetooth>", "bluetooth takes 0 or 1 (1 is on), not “true”"),
        ("<webProtocol>http</webProtocol>", None),
        ("<encrConfig>0</encrConfig>", "encrConfig takes true or false, not “0”"),
        (
            "<transportLayerProtocol>TLS</transportLayerProtocol>",
            "transportLayerProtocol takes 1, 2, 3 or 4, not “TLS”",
        ),
        ("<ipAddressMode>3</ipAddressMode>", "ipAddressMode takes 0, 1 or 2, not “3”"),
        ("<capfAuthMode>on</capfAuthMode>", "capfAuthMode takes 0, 1, 2, 3 or 4, not “on”"),
        ("<fullConfig>TRUE</fullConfig>", None),
        ("<pcPort></pcPort>", None),
        ("<pcPort>{$pc}</pcPort>", None),
    ],
)
def test_a_value_that_an_element_does_not_take_is_told_with_those_it_takes(element, message):
    content = with_element(element, ("<transportLayerProtocol>2</transportLayerProtocol>", ""))

    assert said(content, "value") == ([message] if message else [])


@pytest.mark.parametrize(
    ("zone", "meant"),
    [
        ("GMT Standard", "GMT Standard/Daylight Time"),
        ("gmt standard/daylight time", "GMT Standard/Daylight Time"),
        ("India Standard/Daylight Time", "India Standard Time"),
        ("W Europe Standard/Daylight Time", "W. Europe Standard/Daylight Time"),
        ("Europe/Vienna", "W. Europe Standard/Daylight Time"),
        ("america/new_york", "Eastern Standard/Daylight Time"),
    ],
)
def test_an_unknown_time_zone_is_told_with_the_one_that_was_meant(zone, meant):
    (message,) = said(with_element(f"<dateTimeSetting><timeZone>{zone}</timeZone></dateTimeSetting>"), "time-zone")

    assert message.endswith(f"; did you mean “{meant}”?")


def test_a_time_zone_like_no_other_is_told_without_a_guess():
    assert said(with_element("<timeZone>12345</timeZone>"), "time-zone") == [
        "“12345” is none of the time zones that phones know"
    ]


@pytest.mark.parametrize("zone", [*TABLES["time_zones"], "", "{$zone}"])
def test_the_time_zones_of_the_list_are_sound(zone):
    assert said(with_element(f"<timeZone>{zone}</timeZone>"), "time-zone") == []


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("featureLabel", "featurelabel"),
        ("authName", "AuthName"),
        ("sipLines", "SipLines"),
        ("webAccess", "webaccess"),
        ("securedSipPort", "securedsipport"),
    ],
)
def test_an_element_in_other_letters_is_told_with_its_right_spelling(right, wrong):
    content = sip((f"<{right}>", f"<{wrong}>"), (f"</{right}>", f"</{wrong}>"))

    assert f"phones ignore the element {wrong}; it is spelt {right}" in said(content, "spelling")


def test_what_the_tables_do_not_know_is_no_misspelling():
    assert said(with_element("<somethingOfMine/><softkeyControl>0</softkeyControl>"), "spelling") == []


def test_an_element_that_stands_twice_is_told_once_with_its_second_place():
    content = with_element("<idleTimeout>0</idleTimeout>\n<idleTimeout>0</idleTimeout>\n<idleTimeout>0</idleTimeout>")

    (finding,) = [finding for finding in check(content) if finding.code == "repeated"]
    assert finding.message.startswith("idleTimeout stands 3 times in device")
    assert finding.line == 33


def test_what_may_stand_several_times_is_sound():
    assert check(sip((SIP_LINE, SIP_LINE + SECOND_LINE), (SERVER, SERVER * 2))) == []


UNFILLED_SERVERS = [
    *("{$server}", "{{ server }}", "${server}", "[== SERVER ==]", "[SIP Server]", "[pbx-ip]", "###SERVER###"),
    *("%SERVER%", "__server__", "_SERVER_", "$server", "{server}", "&lt;server&gt;", "[% server %]", "@@server@@"),
    *("x.x.x.x", "a.b.c.d", "192.168.x.x", "XXX.XXX.XXX.XXX", "[x.x.x.x]", "xxxx"),
    *("SERVERIP", "SERVER_IP", "IP ADDRESS", "SIP SERVER ADDRESS", "YOUR PBX IP", "FREEPBXIPHERE", "MYCALLSERVERIP"),
    *(
        "your-server.example",
        "your server",
        "server-ip",
        "pbx_address",
        "changeme",
        "****** PBX HERE ******",
        "HOSTNAME",
    ),
]


@pytest.mark.parametrize("text", UNFILLED_SERVERS)
def test_a_server_that_was_not_filled_in_is_an_error(text):
    content = server(text)

    assert errors(content) == {"no-server"}
    assert "processNodeName seems to hold an unfilled placeholder" in said(content, "placeholder")
    assert said(content, "address") == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("<name>1001<", "<name>EXTENSION<"),
        ("<authName>1001<", "<authName>[AUTH USER]<"),
        (">wool-gathering<", ">_PASSWORD_<"),
        (">wool-gathering<", ">SIP PASSWORD<"),
        (">USECALLMANAGER<", ">$proxy<"),
        ("http://192.0.2.1/services", "http://SERVERIP/services"),
        ("http://192.0.2.1/services", "http://x.x.x.x/services"),
    ],
)
def test_other_texts_that_were_not_filled_in_are_told_and_nothing_else_is_said_of_them(old, new):
    assert {finding.code for finding in check(sip((old, new)))} == {"placeholder"}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (">wool-gathering<", ">$ecret<"),
        (">Alice<", ">[Sales]<"),
        (">Alice<", ">IP Phone USER NAME<"),
        ("http://192.0.2.1/services", "http://192.0.2.1/services?name=#DEVICENAME#&amp;x=#EMCC#"),
        ("<contact>5f3c2a91<", "<contact>***97<"),
        ("<versionStamp>1<", "<versionStamp>1.2.3.4a-b<"),
        ("<versionStamp>1<", "<versionStamp>{F47AC10B-58CC-4372-A567-0E02B2C3D479}<"),
        ("<versionStamp>1<", "<versionStamp>{fade0000-0000-0000-0000-000000000000}<"),
    ],
)
def test_what_people_and_phones_write_is_no_placeholder(old, new):
    assert check(sip((old, new))) == []


def test_the_length_of_what_was_not_filled_in_is_not_told():
    assert said(sip(("Reception<", "{{ the label of this very telephone }}<")), "too-long") == []


def test_a_file_of_sccp_is_judged_by_the_same_tables():
    content = sccp((">192.0.2.1<", ">192.0.2.1:2000<"), (">2000<", ">twothousand<"))

    assert [finding.code for finding in check(content)] == ["port", "address"]


@pytest.mark.parametrize(
    "part", ["[g", "##a", "***a", "&lt;a", "@@a", "__a", "%AA", " ", "1.", "x.", "EXT ", "your ", "a@", "A_"]
)
@pytest.mark.parametrize("tag", ["processNodeName", "timeZone", "servicesURL", "sipPort", "authPassword"])
def test_hostile_repetition_takes_linear_time(tag, part):
    """Quadratic work on so long a text would take minutes, so that the test run itself would tell."""
    text = ("http://" if tag == "servicesURL" else "") + part * (200_000 // len(part))

    check(with_element(f"<{tag}>{text}!</{tag}>"))


def test_hostile_comments_before_a_text_file_take_linear_time():
    check(b"# " * 100_000)
