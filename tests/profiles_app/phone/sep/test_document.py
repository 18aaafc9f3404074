"""What is a SEP document at all: exactly what phones read, and nothing else."""

import gzip
from xml.parsers import expat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiles_app.phone.sep.document import MAX_BYTES, Refused, ensure_readable, parse
from tests.profiles_app.phone.sep.files import SIP, attempt

REFUSED = {
    "nothing": (b"", "empty"),
    "white space": (b" \r\n\t", "empty"),
    "a lone byte order mark": (b"\xef\xbb\xbf", "empty"),
    "a byte too many": (b"<device>" + b" " * (MAX_BYTES - 16) + b"</device>", "too-large"),
    "NUL": (b"<device>\0</device>", "utf-16"),
    "UTF-16": ("<device/>".encode("utf-16"), "utf-16"),
    "UTF-16 without NUL": (b"\xff\xfe\x3c\x26", "utf-16"),
    "a document type": (b"<!DOCTYPE device><device/>", "doctype"),
    "an entity": (b'<!DOCTYPE device [<!ENTITY a "b">]><device>&a;</device>', "doctype"),
    "a document type before another root": (b"<!DOCTYPE x><flat-profile/>", "doctype"),
    "flat-profile": (b"<flat-profile/>", "flat-profile"),
    "a broken flat-profile": (b"<flat-profile><a", "flat-profile"),
    "XMLDefault": (b"<Default/>", "xml-default"),
    "XMLDefault in lower case": (b"<default/>", "xml-default"),
    "another root": (b"<html/>", "not-a-device"),
    "a root in another case": (b"<Device/>", "not-a-device"),
    "a root with a prefix": (b"<axl:device/>", "not-a-device"),
    "plain text": (b"hello: 192.0.2.1", "not-well-formed"),
    "the text file of a 7960": (b"proxy1_address: 192.0.2.1", "plain-text-sip"),
    "one that begins with comments": (b"\xef\xbb\xbf# Reception\r\n\r\nline1_name : 1001\r\n", "plain-text-sip"),
    "the text of an ATA": (b"#txt\nUIPassword:0\n", "ata-text"),
    "gzip": (gzip.compress(b"<device/>"), "gzip"),
    "a ZIP archive": (b"PK\x03\x04\x14\0", "zip"),
    "a signed file": (
        b"\x01\x00\x02\x01\x05\x02\x00\x9c" + bytes(range(64)) + b"<?xml version='1.0'?><device/>",
        "signed",
    ),
    "a trust list": (b"\x01\x00\x02\x01\x02\x02\x00\x02", "signed"),
    "an encrypted file": (bytes(range(250, 0, -1)) * 8, "binary"),
    "an encrypted file with NUL": (b"Salted__\0\x8f\x03\x11", "binary"),
    "a page of a browser": (b"This XML file has no style.\n<device/>", "stray-text"),
    "the tree of a browser": (b"\xef\xbb\xbf- <device>\n- <a/></device>", "stray-text"),
    "a page of a web site": (b"<html><body/></html>", "not-a-device"),
    "a flat-profile in a device": (b"<device><flat-profile/></device>", "flat-profile"),
    "UTF-16 without a mark": ("<device/>".encode("utf-16-be"), "utf-16"),
    "an open tag": (b"<device>", "not-well-formed"),
    "two roots": (b"<device/><device/>", "not-well-formed"),
    "stray text after the root": (b"<device/>[", "not-well-formed"),
    "a raw ampersand": (b"<device>A & B</device>", "not-well-formed"),
    "an unknown entity": (b"<device>&nbsp;</device>", "not-well-formed"),
    "a forgotten slash": (b"<device><TVS><TVS></device>", "not-well-formed"),
    "a space before the declaration": (b' <?xml version="1.0"?><device/>', "not-well-formed"),
    "a comment before the declaration": (b'<!-- --><?xml version="1.0"?><device/>', "not-well-formed"),
    "an attribute given twice": (b'<device a="1" a="2"/>', "not-well-formed"),
    "a control character": (b"<device>\x01</device>", "not-well-formed"),
    "latin-1 without a declaration": (b"<device>Ren\xe9</device>", "undecodable"),
    "half a character at the end": (b"<device/>\xc3", "undecodable"),
    "an encoding phones do not read": (b'<?xml version="1.0" encoding="cp037"?><device/>', "unsupported-encoding"),
    "an encoding nobody knows": (b'<?xml version="1.0" encoding="x-y"?><device/>', "unsupported-encoding"),
}

ACCEPTED = {
    "the undeclared xsi prefix of CUCM": b'<device xsi:type="axl:XIPPhone" ctiid="1" uuid="{2}"/>',
    "an undeclared prefix of an element": b"<device><axl:a/></device>",
    "a byte order mark": b'\xef\xbb\xbf<?xml version="1.0"?><device/>',
    "comments before the root": b"<!-- made by hand --><!-- twice --><device/>",
    "latin-1 with a declaration": b'<?xml version="1.0" encoding="ISO-8859-1"?><device>Ren\xe9</device>',
    "white space around the root": b"\r\n\t<device/>\r\n\r\n",
    "CDATA": b"<device><![CDATA[<<&>>]]></device>",
    "the largest size": b"<device>" + b" " * (MAX_BYTES - 17) + b"</device>",
}


@pytest.mark.parametrize(("content", "code"), REFUSED.values(), ids=REFUSED)
def test_what_no_phone_reads_is_refused(content, code):
    with pytest.raises(Refused) as refused:
        parse(content)

    assert refused.value.code == code
    assert refused.value.message == str(refused.value) != ""
    assert attempt(ensure_readable, content)[1] == code


@pytest.mark.parametrize("content", ACCEPTED.values(), ids=ACCEPTED)
def test_what_phones_read_is_accepted(content):
    document = parse(content)

    assert document.root.tag == "device"
    assert document.content == content
    assert ensure_readable(content) is None


def test_a_stray_line_is_named_with_its_place():
    with pytest.raises(Refused) as refused:
        parse(b"\n\nCopied from a page\nand more\n<device/>")

    assert "“Copied from a page”" in refused.value.message
    assert (refused.value.line, refused.value.column) == (3, 1)


@pytest.mark.parametrize(("root", "words"), [("Device", "spelt device"), ("dialTemplate", "dial template")])
def test_a_root_that_is_known_is_named_for_what_it_is(root, words):
    with pytest.raises(Refused, match=words):
        parse(f"<{root}/>".encode())


def test_a_mismatched_tag_is_told_with_its_place_and_the_open_element():
    with pytest.raises(Refused) as refused:
        parse(b"<device>\n  <sipLines>\n    </line>\n</device>")

    assert (refused.value.line, refused.value.column) == (3, 7)
    assert "mismatched tag (inside sipLines, opened in line 2)" in refused.value.message


def test_a_wrong_byte_is_told_with_its_place():
    with pytest.raises(Refused) as refused:
        parse("<device>\n é".encode() + b"\xe9</device>")

    assert (refused.value.line, refused.value.column) == (2, 3)
    assert "0xE9" in refused.value.message


def test_elements_know_where_they_start():
    element = parse("<device>\n  é<phoneLabel/></device>".encode()).find("phoneLabel")

    assert element is not None
    assert (element.line, element.column) == (2, 4)


def test_a_hundred_thousand_levels_do_no_harm():
    depth = 70_000

    assert parse(b"<device>" + b"<a>" * depth + b"</a>" * depth + b"</device>").root.tag == "device"


def _expat_accepts(text: str) -> bool:
    """The oracle: a bare expat without namespaces, as the Cisco phones spec §4.7 asks for."""
    try:
        expat.ParserCreate().Parse(text, True)
    except expat.ExpatError:
        return False
    return True


def _broken(text: str, edits: list[tuple[int, int, str]]) -> str:
    for place, length, inserted in edits:
        place %= len(text) + 1
        text = text[:place] + inserted + text[place + length :]
    return text


MARKUP = ["<", ">", "/", "&", "'", '"', ":", "=", "[", "--", "]]>", "<!--", "-->", "<![CDATA[", "</device>"]
ODDITIES = ["<?xml?>", "<a:b:c/>", ' xmlns:x=""', ' a:b:c="1"', "&#0;", "&#x1;", "&a;", "é", "\ufffe", "\ufeff"]
FRAGMENTS = st.text(max_size=3) | st.sampled_from(MARKUP) | st.sampled_from(ODDITIES)
EDITS = st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 5), FRAGMENTS), max_size=3)


@given(EDITS)
def test_well_formed_means_what_expat_without_namespaces_says(edits):
    text = _broken(SIP, edits)
    _, code = attempt(parse, text.encode("utf-8", "replace"))

    if code in (None, "not-well-formed"):
        assert (code is None) == _expat_accepts(text)


@given(st.binary(max_size=200) | EDITS.map(lambda edits: _broken(SIP, edits).encode("utf-8", "surrogatepass")))
def test_arbitrary_bytes_are_read_or_refused(content):
    document, code = attempt(parse, content)

    assert code or document.content == content
    assert attempt(ensure_readable, content)[1] == code
