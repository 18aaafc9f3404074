"""Soft keys, feature policies, ring lists and background lists (boot server spec §11.2, §11.3, §11.4)."""

import pytest

from profiles_app.phone.companions.check import MOST_FINDINGS, check_companion, is_checked
from profiles_app.phone.companions.lists import IMAGES, MOST_ENTRIES, RINGS, FullList, ListEntry
from profiles_app.phone.companions.soft_keys import (
    MOST_KEYS,
    read_soft_keys,
    soft_key_states,
    soft_keys,
    usual_sets,
    write_soft_keys,
)

RING_LIST = b"""<CiscoIPPhoneRingList>
  <!-- ours -->
  <Ring><DisplayName>Old</DisplayName><FileName>old.raw</FileName><Note>kept</Note></Ring>
  <Ring><DisplayName>Bell &amp; whistle</DisplayName><FileName>bell.raw</FileName></Ring>
</CiscoIPPhoneRingList>
"""


def codes(kind, content, severity="error"):
    return [finding.code for finding in check_companion(kind, content) if finding.severity == severity]


def test_the_usual_soft_keys_are_in_order_and_come_back():
    written = write_soft_keys(usual_sets(), "3")
    assert codes("soft-keys", written) == []
    assert read_soft_keys(written) == usual_sets()


def test_the_table_of_soft_keys_agrees_with_itself():
    for state in soft_key_states().values():
        assert set(state.takes) <= set(soft_keys())
        assert set(state.usual) <= {*state.takes, "Undefined"}
        assert not state.needs or state.needs in state.usual


@pytest.mark.parametrize(
    ("state", "keys", "code"),
    [
        ("On Hook", ["Redial"], "missing"),
        ("On Hook", ["NewCall", "Hold"], "not-here"),
        ("On Hook", ["NewCall", "CFwdALL"], "unknown-key"),
        ("On Hook", ["NewCall", "NewCall"], "twice"),
        ("Ring In", ["Undefined"] * (MOST_KEYS + 1), "too-many"),
        ("Lunch", [], "unknown-state"),
    ],
)
def test_soft_keys_that_phones_do_not_show_are_errors(state, keys, code):
    assert codes("soft-keys", write_soft_keys({state: keys})) == [code]


def test_a_soft_key_that_is_not_defined_is_an_error_with_its_line():
    keys = b'<softKeySet id="On Hook"><softKey keyID="NewCall"/></softKeySet>'
    content = b"<softKeyCfg><softKeySets>\n" + keys + b"</softKeySets></softKeyCfg>"
    assert [(each.code, each.line) for each in check_companion("soft-keys", content) if each.severity == "error"] == [
        ("undefined", 2)
    ]
    assert codes("soft-keys", write_soft_keys({}).replace(b"<tag>2<", b"<tag>3<"), "warning") == [
        "absent",
        "definition",
    ]


def test_feature_policies_are_checked():
    good = b'<featurePolicy><featureDef name="Park"><id>2</id><enable>true</enable></featureDef></featurePolicy>'
    assert check_companion("feature-policy", good) == []
    assert codes("feature-policy", good.replace(b">2<", b">17<")) == ["unknown"]
    assert codes("feature-policy", good.replace(b"true", b"yes")) == ["enable"]
    assert codes("feature-policy", good.replace(b"Park", b"Barge"), "warning") == ["name"]


def test_an_entry_is_added_and_the_rest_is_untouched():
    added = RINGS.with_entry(RING_LIST, ListEntry("New <one>", "new.raw"))
    assert [entry.file for entry in RINGS.entries(added)] == ["old.raw", "bell.raw", "new.raw"]
    assert added.startswith(b'<?xml version="1.0" encoding="UTF-8"?>\n')
    assert RING_LIST.rpartition(b"</Cisco")[0].rstrip() in added
    # The same file again is the same entry.
    again = RINGS.with_entry(added, ListEntry("Newer", "old.raw"))
    assert RINGS.entries(again)[0] == ListEntry("Newer", "old.raw")
    assert b"<Note>kept</Note>" in again


def test_entries_are_put_in_order_and_taken_out():
    ordered = RINGS.in_order(RING_LIST, ["bell.raw", "old.raw"])
    assert [entry.name for entry in RINGS.entries(ordered)] == ["Bell & whistle", "Old"]
    assert b"<!-- ours -->" in ordered
    assert [entry.file for entry in RINGS.entries(RINGS.without(ordered, "bell.raw"))] == ["old.raw"]


def test_a_list_begins_with_nothing_and_is_full_at_fifty():
    content = b""
    for number in range(MOST_ENTRIES):
        content = RINGS.with_entry(content, ListEntry(f"Ring {number}", f"{number}.raw"))
    assert codes("ring-list", content) == []
    with pytest.raises(FullList):
        RINGS.with_entry(content, ListEntry("One more", "more.raw"))
    assert RINGS.with_entry(content, ListEntry("Other name", "7.raw"))
    over = content.replace(b"</Cisco", b"<Ring><DisplayName>a</DisplayName><FileName>a.rwb</FileName></Ring></Cisco")
    assert codes("ring-list", over) == ["too-many"]


def test_entries_that_phones_do_not_take_are_errors():
    long = RINGS.with_entry(b"", ListEntry("N" * 26, "a.raw"))
    assert codes("ring-list", long) == ["entry"]
    assert codes("ring-list", RINGS.with_entry(b"", ListEntry("N", "a" * 22 + ".raw"))) == ["entry"]
    assert codes("ring-list", RINGS.with_entry(b"", ListEntry("N", "a.wav"))) == ["entry"]
    assert codes("background-list", IMAGES.with_entry(b"", ListEntry("", "http://x/a.png", "TFTP:a.png"))) == ["entry"]
    assert codes(
        "background-list", b'<CiscoIPPhoneImageList><ImageItem URL="TFTP:a.png"/></CiscoIPPhoneImageList>'
    ) == ["entry"]
    assert codes("ring-list", b"<CiscoIPPhoneImageList/>") == ["wrong-root"]


def test_other_kinds_have_no_checker():
    assert not is_checked("firmware")
    assert check_companion("firmware", b"x") == []


def test_of_many_findings_the_first_are_told_with_what_keeps_phones_from_reading_it():
    ring = "<Ring><DisplayName>Bell</DisplayName><FileName>bell.raw</FileName></Ring>"
    told = check_companion("ring-list", f"<CiscoIPPhoneRingList>{ring * 1000}</CiscoIPPhoneRingList>".encode())
    assert (len(told), told[0].code, told[-1].message) == (MOST_FINDINGS + 1, "too-many", "There are 800 more.")
    rule = '<TEMPLATE MATCH="x"/>'
    told = check_companion("dial-template", f"<DIALTEMPLATE>{rule * 300}<Template/></DIALTEMPLATE>".encode())
    assert (told[0].code, len(told)) == ("lower-case", MOST_FINDINGS + 1)
