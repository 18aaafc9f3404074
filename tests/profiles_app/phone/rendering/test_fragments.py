"""Fragments change one place of a rendered file and no other byte (configuration spec §1.3)."""

import pytest

from profiles_app.phone.rendering.fragments import check_fragment
from profiles_app.phone.rendering.refusal import RenderRefused
from profiles_app.phone.rendering.render import render
from profiles_app.phone.rendering.values import Fragment, LayerOf
from tests.profiles_app.phone.rendering.conftest import DEVICE

TEXT = """<?xml version="1.0" encoding="iso-8859-1"?>
<!-- ü  -->
<device>
  <a  x="1>2" />
  <members>
    <member priority = "0">ü{{ ntp }}</member>
    <member priority='1'>y</member><!-- z -->
  </members>\t
  <d></d>
  <c><c/></c>
</device>
"""


def with_fragments(*fragments: Fragment, ntp: str = "10.0.0.1", text: str = TEXT) -> str:
    layer = LayerOf("location", "location Munich", values={"ntp": ntp}, fragments=fragments)
    return render(text, device=DEVICE, layers=[layer]).content.decode("iso-8859-1")


PLAIN = TEXT.replace("{{ ntp }}", "10.0.0.1")
CHANGES = [
    ("a", "replace", "<z>é</z>", '<a  x="1>2" />', "<z>é</z>"),
    ("/device/a", "replace", "\n <z/>\n", '<a  x="1>2" />', "<z/>"),
    ("a", "insert", "<z/>", '<a  x="1>2" />', '<a  x="1>2"><z/></a>'),
    ("a", "delete", "", '  <a  x="1>2" />\n', ""),
    ("members/member[1]", "delete", "", '    <member priority = "0">ü10.0.0.1</member>\n', ""),
    ("members/member[@priority='1']", "delete", "", "<member priority='1'>y</member>", ""),
    ("members", "insert", "<n/>", "y</member>", "y</member>\n    <n/>"),
    ("members", "delete", "", PLAIN[PLAIN.index("  <members>") : PLAIN.index("  <d>")], ""),
    ("d", "insert", "<e>1</e>", "<d></d>", "<d><e>1</e></d>"),
    ("c/c", "replace", "<c>1</c>", "<c><c/></c>", "<c><c>1</c></c>"),
    ("", "insert", "<end/>", "<c><c/></c>\n", "<c><c/></c>\n  <end/>\n"),
]


@pytest.mark.parametrize(("path", "action", "xml", "before", "after"), CHANGES)
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_only_that_place_changes(path, action, xml, before, after, line_end):
    changed = with_fragments(Fragment(path, action, xml), text=TEXT.replace("\n", line_end))
    assert PLAIN.count(before) == 1
    assert changed == PLAIN.replace(before, after).replace("\n", line_end)


def test_a_fragment_survives_a_change_of_its_layer():
    fragment = Fragment("d", "replace", "<d>by hand</d>", reason="firmware 14.2")
    one, other = with_fragments(fragment), with_fragments(fragment, ntp="10.0.0.2")
    assert "<d>by hand</d>" in one
    assert other == one.replace("10.0.0.1", "10.0.0.2")


def test_weak_layers_come_first():
    layers = [
        LayerOf("phone", "phone", fragments=(Fragment("a/b", "replace", "<c/>"),)),
        LayerOf("portal", "portal", fragments=(Fragment("a", "insert", "<b/>"),)),
    ]
    assert render("<device><a/></device>", device=DEVICE, layers=layers).content == b"<device><a><c/></a></device>"


REFUSED = [
    (Fragment("members/nobody", "delete"), "fragment-not-found", "device/members has no nobody in this file"),
    (Fragment("members/member[3]", "delete"), "fragment-not-found", "device/members has no member[3] in this file"),
    (Fragment("no/where/at/all", "insert", "<a/>"), "fragment-not-found", "device has no no in this file"),
    (Fragment("members/member", "delete"), "wrong-fragment", "device/members has 2 elements member; say which"),
    (Fragment("members//member", "delete"), "wrong-fragment", "its path is not of elements"),
    (Fragment("", "replace", "<a/>"), "wrong-fragment", "device itself cannot be replaced"),
    (Fragment("d", "replace", "<a>"), "wrong-fragment", "its XML is not well-formed: mismatched tag"),
    (Fragment("d", "replace", "</device><device>"), "wrong-fragment", "its XML is not well-formed"),
    (Fragment("d", "replace", "&nbsp;"), "wrong-fragment", "its XML is not well-formed: undefined entity"),
    (Fragment("d", "insert", "<!DOCTYPE d [<!ENTITY e 'x'>]>"), "wrong-fragment", "its XML is not well-formed"),
    (Fragment("d", "insert", " "), "wrong-fragment", "it has no XML to put in"),
    (Fragment("d", "insert", "<a><adminPassword>x</adminPassword></a>"), "wrong-fragment", "a password in it"),
    (Fragment("d", "insert", "<!-- <sshPassword>x</sshPassword> -->"), "wrong-fragment", "a password in it"),
    (Fragment("vendorConfig/sshPassword", "insert", "x"), "wrong-fragment", "a password in it"),
    (Fragment("d", "append", "<a/>"), "wrong-fragment", "it does not know the action “append”"),
    (
        Fragment("d", "insert", "<a>ł</a>"),
        "unencodable",
        "with the fragments of location Munich the file cannot be used",
    ),
    (Fragment("d", "insert", "<flat-profile/>" + "x" * 600_000), "too-large", "larger than 512 KB"),
]


@pytest.mark.parametrize(("fragment", "code", "words"), REFUSED)
def test_what_cannot_be_put_in_is_told(fragment, code, words):
    with pytest.raises(RenderRefused) as refusal:
        with_fragments(fragment)
    assert refusal.value.code == code
    assert words in refusal.value.message
    assert "location Munich" in refusal.value.message


def test_a_fragment_is_checked_before_it_is_stored():
    check_fragment(Fragment("vendorConfig/webAccess", "replace", "<webAccess>0</webAccess>"))
    check_fragment(Fragment("vendorConfig", "insert", "<sshPassword></sshPassword><adminPassword/>"))
    with pytest.raises(RenderRefused):
        check_fragment(Fragment("vendorConfig", "replace", "<webAccess>0"))


def test_a_fragment_is_no_template():
    assert "<d>{{ ntp }}</d>" in with_fragments(Fragment("d", "replace", "<d>{{ ntp }}</d>"))
