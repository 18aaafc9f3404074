"""Each check reports its trap, with severity and place, and stays silent on a sound file."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiles_app.phone.sep.checks import CHECKS
from profiles_app.phone.sep.elements import Severity
from profiles_app.phone.sep.files import check
from tests.profiles_app.phone.sep.files import CONVERSION, SERVER, SIP_LINE, sccp, sip

E, W = Severity.ERROR, Severity.WARNING
LOAD = "<loadInformation>{}</loadInformation><versionStamp>"
SEED = b"<device>\n  <deviceType>...</deviceType>...\n</device>"


def loaded(load: str) -> tuple[str, str]:
    return "<versionStamp>", LOAD.format(load)


TRAPS = {
    "a blank template": ("no-server", E, sip((">192.0.2.1<", "> <")), 11),
    "no call manager": ("no-server", E, b"<device><devicePool/></device>", None),
    "a CAPF address only": (
        "no-server",
        E,
        b"<device><devicePool/><capf><processNodeName>x</processNodeName></capf></device>",
        None,
    ),
    "SIP without lines": ("no-line", E, sip((SIP_LINE, "")), 18),
    "SIP with a speed dial only": ("no-line", E, sip(("<featureID>9", "<featureID>2")), 18),
    "SCCP firmware for SIP": ("load-protocol", E, sip(loaded("SCCP42.9-4-2")), 32),
    "SIP firmware for SCCP": (
        "load-protocol",
        E,
        sccp(loaded("P0S3-8-12-00"), ("<device>", "<device><deviceProtocol>SCCP</deviceProtocol>")),
        12,
    ),
    "a byte order mark": ("byte-order-mark", W, b"\xef\xbb\xbf" + sip(), None),
    "leading white space": ("leading-white-space", W, b"\n " + sccp(), None),
    "latin-1": ("not-utf-8", W, sip(('"UTF-8"', '"ISO-8859-1"')), None),
    "a conversion file": ("bootstrap-file", W, CONVERSION, None),
    "an address for a proxy": ("proxy", W, sip(("USECALLMANAGER", "192.0.2.1")), 22),
    "no proxy": ("proxy", W, sip(("<proxy>USECALLMANAGER</proxy>", "")), 19),
    "a line without a name": ("line-without-name", W, sip(("<name>1001</name>", "<name/>")), 19),
    "two lines on one button": ("shared-button", W, sip((SIP_LINE, SIP_LINE * 2)), 29),
    "lineindex": ("line-index-spelling", W, sip(("lineIndex", "lineindex")), 19),
    "webAccess 1": ("web-access-off", W, sip(("<webAccess>0", "<webAccess>1")), 31),
    "no authentication URL": ("authentication-url-empty", W, sip((">http://192.0.2.1/authenticate<", "><")), 34),
    "no version stamp": ("no-version-stamp", W, sip(("<versionStamp>1</versionStamp>", "")), None),
    "a long name": ("too-long", W, sip(("<name>1001<", f"<name>{'1' * 31}<")), 23),
    "a long phone label": ("too-long", W, sip(("<phoneLabel>Reception", "<phoneLabel>Reception desk")), 17),
    "a long server name": ("too-long", W, sip((">192.0.2.1<", f">{'a' * 51}<")), 11),
    "a long URL": ("too-long", W, sip(("/services<", f"/{'a' * 255}<")), 35),
    "six call managers": ("too-many", W, sip((SERVER, SERVER * 6)), 7),
    "four modules": (
        "too-many",
        W,
        sip(("<versionStamp>", f"<addOnModules>{'<addOnModule/>' * 4}</addOnModules><versionStamp>")),
        32,
    ),
}

PLACEHOLDERS = [
    *("{$label}", "{{ label }}", "[== LABEL ==]", "&lt;&lt;LABEL", "${label}", "%LABEL%", "__label__", "[% label %]"),
    *("###LABEL###", "## your label ##", "***YOUR LABEL***", "@@label@@", "&lt;label&gt;"),
]
NO_PLACEHOLDERS = [
    "{label}",
    "%20a%20",
    "%%sAMAccountName%%",
    "%%ACCOUNT%%",
    "a%LABEL%",
    "50%",
    "a__b__c",
    "$5",
    "[1]",
    "&lt;",
    "_x_",
]

FOR_A_PHONE = {
    "another model's load": ("load-model", W, sip(loaded("SIP42.9-4-2")), {"model": "CP-8845"}),
    "a phone that reads flat-profile": ("model-format", E, sip(), {"model": "6841"}),
    "a phone sold with MPP firmware": ("model-format", E, sip(), {"model": "CP-8841-3PCC-K9"}),
    "a phone that reads plain text": ("model-format", E, sip(), {"model": "7960"}),
    "an ATA of MPP": ("model-format", E, sip(), {"model": "ATA 192"}),
    "an ATA with a conversion": ("model-format", E, CONVERSION, {"model": "ATA186"}),
    "a small-business phone": ("model-format", E, sip(), {"model": "SPA504G"}),
    "a protocol the model never had": ("model-protocol", E, sip(), {"model": "7921"}),
    "an SCCP file for a phone with SIP only": ("model-protocol", E, sccp(), {"model": "9971"}),
    "more calls than the model takes": (
        "too-many",
        W,
        sip(("<name>1001", "<maxNumCalls>13</maxNumCalls><name>1001")),
        {"model": "7821"},
    ),
    "a line beyond the last key": ("line-keys", W, sip(('button="1"', 'button="5"')), {"model": "7841"}),
    "SIP for an SCCP phone": ("software-mismatch", E, sip(), {"software_type": "SCCP"}),
    "SCCP for a SIP phone": ("software-mismatch", E, sccp(), {"software_type": "SIP"}),
    "SCCP for a SIPE phone": ("software-mismatch", E, sccp(), {"software_type": "SIPE"}),
    "a conversion to the other protocol": ("software-mismatch", E, CONVERSION, {"software_type": "SCCP"}),
    "a file name in lower case": ("file-name", E, sip(), {"file_name": "SEPaabbccddee01.cnf.xml"}),
}


def test_a_sound_file_has_no_findings():
    phone = {"file_name": "SEPAABBCCDDEE01.cnf.xml", "model": "7962"}

    assert check(sip(), software_type="SIP", **phone) == []
    assert check(sip(), software_type="SIPE", **phone) == []
    assert check(sccp(), software_type="SCCP", **phone) == []
    assert check(sccp(), software_type=None, **phone) == []


@pytest.mark.parametrize(("code", "severity", "content", "line"), TRAPS.values(), ids=TRAPS)
def test_a_trap_is_reported_with_its_line(code, severity, content, line):
    found = [finding for finding in check(content) if finding.code == code]

    assert [(finding.severity, finding.line) for finding in found] == [(severity, line)]


@pytest.mark.parametrize(("code", "severity", "content", "phone"), FOR_A_PHONE.values(), ids=FOR_A_PHONE)
def test_what_does_not_fit_the_phone_is_reported(code, severity, content, phone):
    assert [finding.severity for finding in check(content, **phone) if finding.code == code] == [severity]
    assert not [finding for finding in check(content) if finding.code == code]


@pytest.mark.parametrize("text", PLACEHOLDERS)
def test_an_unfilled_placeholder_is_reported(text):
    for content in (sip(("Alice", text)), sip(('button="1"', f'button="{text}"'))):
        found = [finding for finding in check(content) if finding.code == "placeholder"]
        assert [finding.severity for finding in found] == [W]


@pytest.mark.parametrize("text", NO_PLACEHOLDERS)
def test_what_only_looks_like_a_placeholder_is_not(text):
    assert check(sip(("Alice", text))) == []


def test_a_placeholder_in_a_comment_does_not_count():
    assert check(sip(("Alice", "Alice<!-- {$name} {{name}} %NAME% -->"))) == []


@pytest.mark.parametrize(
    "content", [SEED, CONVERSION, b"<device><deviceProtocol>SIP</deviceProtocol></device>", b"<device/>"]
)
def test_a_bootstrap_file_is_warned_about_and_let_through(content):
    findings = check(content)

    assert "bootstrap-file" in {finding.code for finding in findings}
    assert {finding.severity for finding in findings} == {W}


def test_exactly_the_limit_is_allowed():
    content = sip(
        ("<name>1001", f"<maxNumCalls>12</maxNumCalls><name>{'1' * 30}"),
        (SERVER, SERVER * 5),
        (">192.0.2.1<", f">{'a' * 50}<"),
    )

    assert check(content, model="7821") == []


def test_the_last_line_key_and_a_module_are_allowed():
    on_button_5, module = ('button="1"', 'button="5"'), "<addOnModules><addOnModule/></addOnModules>"
    assert check(sip(('button="1"', 'button="4"')), model="7841") == []
    assert check(sip(on_button_5, ("<versionStamp>", f"{module}<versionStamp>")), model="7841") == []


def test_a_phone_that_reads_flat_profile_is_warned_about_once():
    assert [finding.code for finding in check(sip(), model="6841")] == ["model-format"]


def test_a_refused_file_is_the_single_error():
    (finding,) = check(b"<device>\n <a></b></device>", model="8845", software_type="SIP")

    assert (finding.code, finding.severity, finding.line, finding.column) == ("not-well-formed", E, 2, 7)


def test_errors_come_first():
    severities = [finding.severity for finding in check(b"\xef\xbb\xbf" + sip((SIP_LINE, "")), software_type="SCCP")]

    assert severities == sorted(severities)
    assert set(severities) == {E, W}


def test_findings_are_json_and_tell_no_secrets():
    content = sip(("wool-gathering", "wool-gathering-" + "x" * 40), ("open-sesame", "{$wool-gathering"))

    findings = check(content)

    assert {finding.code for finding in findings} == {"placeholder", "too-long"}
    assert "wool" not in json.dumps([finding.as_dict() for finding in findings])


def test_codes_are_unique():
    codes = [code for code, _, _ in CHECKS]

    assert len(set(codes)) == len(codes)


@given(
    st.binary() | st.text().map(lambda text: f"<device>{text}</device>".encode("utf-8", "surrogatepass")),
    st.none() | st.text(),
    st.text(),
    st.sampled_from([None, "", "SIP", "SIPE", "SCCP", "H323"]),
)
def test_no_input_makes_the_check_raise(content, file_name, model, software_type):
    for finding in check(content, file_name=file_name, model=model, software_type=software_type):
        assert finding.code
        assert finding.message
