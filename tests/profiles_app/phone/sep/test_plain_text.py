"""SIP<MAC>.cnf, the text file of 7940 and 7960 with SIP firmware, and the names of files of every format."""

import time

import pytest

from profiles_app.phone import sep

E, W = sep.Severity.ERROR, sep.Severity.WARNING
TEXT = b"""# Reception
image_version: P0S3-8-12-00   ; a comment
line1_name: 1001
line1_shortname: "Desk: left"
line1_authname: "1001"
line1_password: "pa;ss word"
line2_name: UNPROVISIONED
proxy1_address: 192.0.2.10
proxy1_port: 5060
dial_template: dialplan
phone_password : "cisco"
"""


def found(content: bytes, **phone: str) -> dict[str, tuple[sep.Severity, int | None]]:
    return {one.code: (one.severity, one.line) for one in sep.check(content, **phone)}


def test_a_sound_text_has_no_findings_and_says_what_an_xml_file_says():
    assert found(TEXT, model="7960", software_type="SIP", file_name="SIP0011223344AA.cnf") == {}
    facts = sep.facts_of(TEXT).as_dict()
    assert (facts["format"], facts["protocol"], facts["load"]) == ("sip-text", "SIP", "P0S3-8-12-00")
    assert facts["load_models"] == ["7940", "7960"]
    assert (facts["registration_user"], facts["files"]) == ("1001", ["dialplan.xml"])
    assert [(line.button, line.name, line.label) for line in sep.facts_of(TEXT).lines] == [(1, "1001", "Desk: left")]
    assert [(server.host, server.sip_port) for server in sep.facts_of(TEXT).servers] == [("192.0.2.10", 5060)]


@pytest.mark.parametrize(
    ("old", "new", "code", "severity", "line"),
    [
        (b"line1_name: 1001", b"", "no-line", E, None),
        (b"P0S3-8-12-00", b"P0030801SR02", "load-protocol", E, 2),
        (b"P0S3-8-12-00", b"SIP42.9-4-2SR3-1S", "load-model", W, 2),
        (b"P0S3-8-12-00 ", b"P0S3-8-12-00.loads ", "load-name", W, 2),
        (b"proxy1_address: 192.0.2.10", b"", "no-server", W, None),
        (b"192.0.2.10", b"sip:192.0.2.10:5060", "address", W, 8),
        (b"192.0.2.10", b"{{ proxy }}", "placeholder", W, 8),
        (b"5060", b"fifty", "port", W, 9),
        (b"proxy1_port", b"proxy1_prot", "spelling", W, 9),
        (b"line1_authname:", b"line1_name:", "repeated", W, 5),
        (b'line1_authname: "1001"', b"", "auth-name", W, 6),
        (b"dial_template: dialplan", b"dial_template dialplan", "not-a-setting", W, 10),
        (b"Desk", "Büro".encode(), "not-ascii", W, None),
        (b"Desk", b"B\xfcro", "undecodable", E, 4),
        (b"line2_name: UNPROVISIONED", b"line3_name: 1003", "line-keys", W, 7),
    ],
)
def test_what_is_wrong_is_told_with_its_line(old, new, code, severity, line):
    model = "7940" if code == "line-keys" else "7960"
    assert found(TEXT.replace(old, new, 1), model=model, software_type="SIP")[code] == (severity, line)


@pytest.mark.parametrize(
    ("phone", "code"),
    [
        ({"model": "8845"}, "model-format"),
        ({"model": "ATA191"}, "model-format"),
        ({"model": "7960", "software_type": "SCCP"}, "software-mismatch"),
        ({"file_name": "SEP0011223344AA.cnf.xml"}, "file-name"),
        ({"file_name": "sip0011223344aa.cnf"}, "file-name"),
    ],
)
def test_what_reads_no_text_is_told(phone, code):
    assert found(TEXT, **phone)[code][0] is E


def test_the_file_for_all_needs_no_line_and_should_have_none():
    of_all = b"image_version: P0S3-8-12-00\nproxy1_address: 192.0.2.10\n"
    assert found(of_all, file_name="SIPDefault.cnf") == {}
    assert set(found(TEXT, file_name="SIPDefault.cnf")) == {"line-for-all"}


def test_passwords_are_masked_and_nothing_else_is_changed():
    shown = sep.redact(TEXT)
    secret = (b'"pa;ss word"', b'"cisco"')
    assert shown == TEXT.replace(secret[0], b"********").replace(secret[1], b"********")
    assert "(changed)" in sep.diff(TEXT, TEXT.replace(b"pa;ss", b"other"))
    crlf = TEXT.replace(b"\n", b"\r\n")
    assert sep.redact(crlf) == shown.replace(b"\n", b"\r\n")
    text, masked = (each.partition(b"\n")[2].replace(b"\n", b"\r") for each in (TEXT, shown))
    assert sep.redact(text) == masked
    first = b'\xef\xbb\xbfline1_password: "secret"\r\rphone_password: secret\x0bline1_name: 1\n'
    assert sep.redact(first) == b"\xef\xbb\xbfline1_password: ********\r\rphone_password: ********\n"
    assert sep.facts_of(first).lines == (), "nor is there a line where none was looked for"


@pytest.mark.parametrize(
    ("model", "content", "name"),
    [
        ("7960", TEXT, "SIP0011223344AA.cnf"),
        ("", TEXT, "SIP0011223344AA.cnf"),
        ("7960", b"<device/>", "SEP0011223344AA.cnf.xml"),
        ("ATA 187", b"<device/>", "ATA0011223344AA.cnf.xml"),
        ("8845", b"<device/>", "SEP0011223344AA.cnf.xml"),
        ("", b"<device/>", "SEP0011223344AA.cnf.xml"),
    ],
)
def test_a_file_has_the_name_that_its_phone_asks_for(model, content, name):
    file_format = sep.format_of_content(model, content)
    assert sep.file_name("0011223344AA", file_format) == name
    assert sep.named(name) == (file_format, "0011223344AA")
    assert sep.device_name("0011223344AA", file_format) == name.partition(".")[0]


def test_long_lines_and_many_strange_keys_take_no_longer_than_they_are_long():
    begun = time.process_time()
    blanks = b" " * 200_000
    facts = sep.facts_of(TEXT.replace(b"1001", b"1" + blanks + b"001", 1).replace(b"dialplan", b'"dialplan' + blanks))
    assert facts.lines[0].name == "1" + blanks.decode() + "001"
    keys = b"".join(b"proxy_registe%dr: 1\n" % number for number in range(20_000))
    assert len(sep.check(TEXT + keys)) == 20_000
    assert time.process_time() - begun < 5, "a fifteenth of the blanks took longer"
