"""A file's text and its bytes are one exactly for the other."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiles_app.phone.sep.document import Refused, decode, encode
from tests.profiles_app.phone.sep.files import attempt


def declaration(encoding: str) -> str:
    return f'<?xml version="1.0" encoding="{encoding}"?>'


FILES = {
    "UTF-8": "<device>René</device>\n".encode(),
    "CRLF, tabs and no last line end": b"<device>\r\n\t<a/>\r</device>",
    "a byte order mark": b"\xef\xbb\xbf<device/>",
    "a byte order mark that outranks the declaration": b"\xef\xbb\xbf"
    + f"{declaration('ISO-8859-1')}<device>é</device>".encode(),
    "latin-1": f"{declaration('ISO-8859-1')}<device>é</device>".encode("latin-1"),
    "latin-1 in single quotes": b"<?xml version='1.0'  encoding = 'latin1' ?><device>\xe9</device>",
    "windows": f"{declaration('windows-1252')}<device>€</device>".encode("cp1252"),
    "not even XML": b"proxy: 1\n",
    "nothing": b"",
}


@pytest.mark.parametrize("content", FILES.values(), ids=FILES)
def test_bytes_survive_the_way_through_text(content):
    assert encode(decode(content)) == content


def test_a_byte_order_mark_is_part_of_the_text():
    assert decode(b"\xef\xbb\xbf<device/>") == "\ufeff<device/>"


def test_a_byte_order_mark_outranks_the_declaration():
    content = b"\xef\xbb\xbf" + f"{declaration('ISO-8859-1')}<device>é</device>".encode()

    assert "<device>é</device>" in decode(content)


def test_latin_1_is_read_as_declared():
    assert "René" in decode(f"{declaration('ISO-8859-1')}René".encode("latin-1"))


def test_a_text_that_its_encoding_cannot_hold_is_refused_with_the_place():
    with pytest.raises(Refused) as refused:
        encode(declaration("ISO-8859-1") + "\n<device>\n  €</device>")

    assert refused.value.code == "unencodable"
    assert (refused.value.line, refused.value.column) == (3, 3)
    assert "U+20AC" in refused.value.message


def test_half_a_surrogate_pair_from_json_is_refused():
    with pytest.raises(Refused) as refused:
        encode("<device>\ud83d</device>")

    assert refused.value.code == "unencodable"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-7", "cp037", "rot13", "base64", "idna", "no-such"])
def test_encodings_which_phones_do_not_read_are_refused_both_ways(encoding):
    for convert, value in ((encode, declaration(encoding)), (decode, declaration(encoding).encode())):
        with pytest.raises(Refused) as refused:
            convert(value)
        assert refused.value.code == "unsupported-encoding"


HEADS = st.sampled_from(
    ["", "\ufeff", *(declaration(name) for name in ("UTF-8", "us-ascii", "ISO-8859-1", "windows-1252", "koi8-r"))]
)


@given(HEADS, st.text(st.characters(exclude_characters="\0")))
def test_text_comes_back_from_bytes(head, body):
    content, code = attempt(encode, head + body)

    if code:
        assert code == "unencodable"
    elif not content.startswith((b"\xff\xfe", b"\xfe\xff")):  # these are UTF-16 for every reader
        assert decode(content) == head + body


@given(HEADS, st.binary())
def test_bytes_come_back_from_text(head, body):
    text, code = attempt(decode, head.encode() + body)

    assert code in (None, "utf-16", "undecodable")
    if code is None:
        assert encode(text) == head.encode() + body
