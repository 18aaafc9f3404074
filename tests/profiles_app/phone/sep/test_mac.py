"""MAC addresses as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiles_app.phone import sep


@pytest.mark.parametrize(
    "text",
    [
        "AA:BB:CC:DD:EE:01",
        "aa-bb-cc-dd-ee-01",
        "aabb.ccdd.ee01",
        "aa bb cc dd ee 01",
        "  AABBCCDDEE01\n",
        "SEPAABBCCDDEE01",
        "sep aabbccddee01",
        "SEP-AA:BB:CC:DD:EE:01",
    ],
)
def test_every_common_form_is_understood(text):
    assert sep.parse_mac(text) == "AABBCCDDEE01"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "12 hexadecimal digits"),
        ("zz", "12 hexadecimal digits"),
        ("AABBCCDDEE0", "12 hexadecimal digits"),
        ("AABBCCDDEE012", "12 hexadecimal digits"),
        ("SEPSEPAABBCCDDEE01", "12 hexadecimal digits"),
        ("٠٠١١٢٢٣٣٤٤٥٥", "12 hexadecimal digits"),
        ("00:00:00:00:00:00", "all-zero"),
        ("FF:FF:FF:FF:FF:FF", "broadcast"),
        ("01:00:5E:00:00:01", "multicast"),
    ],
)
def test_what_belongs_to_no_phone_is_refused_with_the_reason(text, words):
    with pytest.raises(ValueError, match=words):
        sep.parse_mac(text)


def test_the_form_for_people_has_colons():
    assert sep.colons("AABBCCDDEE01") == "AA:BB:CC:DD:EE:01"


@pytest.mark.parametrize(
    "name",
    [
        "SEPaabbccddee01.cnf.xml",
        "sepAABBCCDDEE01.cnf.xml",
        "SEPAABBCCDDEE01.cnf.xml.bak",
        "SEPAABBCCDDEE01.CNF.XML",
        "SEPAABBCCDDEE01.cnf.xml\n",
        "SEP000000000000.cnf.xml",
        "XMLDefault.cnf.xml",
        "../SEPAABBCCDDEE01.cnf.xml",
        "",
    ],
)
def test_a_file_name_no_phone_asks_for_gives_no_mac(name):
    assert sep.mac_of_file_name(name) is None


@given(st.integers(1, 2**48 - 2).filter(lambda number: not number >> 40 & 1))
def test_every_phone_has_its_file(number):
    address = f"{number:012X}"

    assert sep.parse_mac(sep.colons(address).lower()) == address
    assert sep.mac_of_file_name(sep.file_name(address)) == address
