"""A folder of files becomes templates, layers and lines which give every file back byte for byte."""

import pytest

from profiles_app.phone import sep
from profiles_app.phone.adopting import Plan, SepFile, plan
from profiles_app.phone.rendering.values import LayerOf, LineOf
from tests.profiles_app.phone.adopting.fleet import fleet, mac_of, sip
from tests.profiles_app.phone.adopting.given_back import given_back

FILES = 60


@pytest.fixture(scope="module")
def files() -> list[SepFile]:
    return fleet(FILES)


@pytest.fixture(scope="module")
def planned(files: list[SepFile]) -> Plan:
    return plan(files)


def only(content: str) -> tuple[Plan, list[SepFile]]:
    files = [SepFile("one", mac_of(1), content.encode(), "8845", "SIP")]
    return plan(files), files


def test_files_of_six_authors_become_six_templates_and_come_back_byte_for_byte(files, planned):
    assert not any(f.severity is sep.Severity.ERROR for file in files for f in sep.check(file.content))
    assert planned.kept == {}
    assert len(planned.templates) == 6
    assert given_back(planned, files) == {file.mac: file.content for file in files}


def test_what_phones_share_goes_up_to_their_account_their_locations_or_their_models(planned):
    assert planned.layers.account["ssh_password"] == "shared-by-all"
    by_location = [list(values.values()) for _, values in sorted(planned.layers.locations.items())]
    assert by_location == [["192.0.2.2"], ["192.0.2.3"], ["192.0.2.1"]]
    assert "pbx-7975.example.org" in planned.layers.models["7975"].values()
    assert "Desk 3" in planned.layers.phones[mac_of(18)].values()


def test_lines_become_lines_and_what_phones_say_differently_of_one_stays_with_them(planned):
    first = planned.lines["2000"]
    assert (first.auth_name, first.auth_password, first.display_name) == ("2000", "secret-0&x", "Ida O'Brien")
    shared = next(template for template in planned.templates if "2 lines" in template.title)
    assert all(planned.phone_lines[mac][1] == "1999" for mac in shared.macs)
    assert "lines[1].display_name" in shared.text
    assert "lines[1].label" not in shared.text
    assert {planned.layers.phones[mac]["lines_2_feature_label"] for mac in shared.macs} >= {"Team 1", "Team 2"}


def test_no_password_stands_in_a_template_or_in_what_is_printed(planned):
    texts = "".join(template.text for template in planned.templates)
    assert "shared-by-all" not in texts
    assert "secret-" not in texts
    assert "secret-" not in repr(planned)
    assert "ssh_password" in planned.secrets


TEXTS = {
    "apostrophe": "O'Brien",
    "named": "O&apos;Brien &quot;x&quot;",
    "decimal": "&#65;&#039;",
    "hexadecimal": "&#x41;",
    "ampersand": "R&amp;D",
    "twice": "&amp;amp;lt;",
    "greater": "a > b",
    "cdata": "<![CDATA[a < b && {{ c }}]]>",
    "cdata inside": "a<![CDATA[<b>]]>c",
    "comment inside": "a<!-- {{ b }} -->c",
    "space": "  a\t\n ",
    "nothing": "",
    "jinja": "{{ 7 * 7 }}{% raw %}{# a #}",
    "ends in a brace": "{",
    "braces": "{{{}}}}",
    "private use": "\ue000 \ue001",
    "line end": "a\r\nb",
    "lone return": "a\rb",
    "no-break": "a\u00a0b\u2028c",
    "instruction": "<?php echo '>' ?>",
    "own address": f"SEP{mac_of(1)}{mac_of(1).lower()}",
    "beyond": "\U0001f4de",
    "long": "x" * 300,
}


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in TEXTS.items()])
def test_what_an_author_writes_comes_back(text):
    content = sip(1, label=text, name=text, location="Munich", load="sip88xx.14-2-1").replace("secret-1&amp;x", text)
    planned, files = only(content)
    assert given_back(planned, files) == {mac_of(1): files[0].content}
    # The same beside another phone, where it is a value.
    other = sip(2, label="Desk", name="Ida", location="Munich", load="sip88xx.14-2-1")
    both = [*files, SepFile("two", mac_of(2), other.encode(), "8845", "SIP")]
    assert given_back(plan(both), both) == {file.mac: file.content for file in both}


@pytest.mark.parametrize("attribute", ["a='\"'", 'a="it\'s"', 'a="&quot;&#10;"', 'a = "x>y/>"', "a='{{'", 'a="" b=""'])
def test_attributes_come_back(attribute):
    content = sip(1, label="Desk", name="Ida", location="Munich", load="x")
    content = content.replace("<phoneLabel>", f"<phoneLabel {attribute}>")
    planned, files = only(content)
    assert given_back(planned, files) == {mac_of(1): files[0].content}


def test_a_password_that_is_written_in_another_way_stays_in_the_encrypted_template():
    content = sip(1, label="Desk", name="Ida", location="Munich", load="x")
    files = [
        SepFile(str(n), mac_of(n), content.replace("secret-1&amp;x", password).encode(), "8845", "SIP")
        for n, password in enumerate(["it&apos;s", "it's", "plain", "<![CDATA[<&>]]>"], start=1)
    ]
    planned = plan(files)
    assert given_back(planned, files) == {file.mac: file.content for file in files}
    assert sorted(len(template.macs) for template in planned.templates) == [1, 1, 2]


def test_a_template_serves_the_next_handset_as_well_where_files_name_their_own():
    planned, _ = only(sip(1, label="Desk", name="Ida", location="Munich", load="x"))
    assert "name=SEP{{ device.mac }}&amp;lang=en" in planned.templates[0].text


def test_a_known_line_is_not_changed_and_the_file_still_comes_back():
    content = sip(1, label="Desk", name="Ida", location="Munich", load="x").encode()
    files = [SepFile("one", mac_of(1), content, "8845", "SIP")]
    known = LineOf("2001", auth_name="2001", auth_password="another", display_name="Ida", label="Ida", name="2001")
    planned = plan(files, known_lines={"2001": known})
    assert planned.lines["2001"] is known
    assert planned.layers.profiles["0"]["lines_1_auth_password"] == "secret-1&x"
    assert given_back(planned, files) == {mac_of(1): content}


def test_what_may_not_be_given_to_a_layer_stays_with_the_phones(files):
    planned = plan(files, may_give=lambda kind, _group, _name, _value: kind == "model")
    assert (planned.layers.account, planned.layers.locations) == ({}, {})
    assert given_back(planned, files) == {file.mac: file.content for file in files}


def test_a_file_that_does_not_come_back_is_kept_with_the_reason(files):
    # As a template it would be larger than a template may be.
    braces = sip(1, label="Desk", name="Ida", location="Munich", load="x").replace(
        "</device>", f"<!--{'{{' * 60_000}--></device>"
    )
    odd = SepFile("odd", mac_of(1000), braces.encode(), "8845", "SIP")
    planned = plan([*files[:2], odd])
    assert list(planned.kept) == [mac_of(1000)]
    assert "template" in planned.kept[mac_of(1000)]
    assert [template.macs for template in planned.templates] == [(mac_of(0),), (mac_of(1),)]
    assert not planned.lines.keys() & {"1"}


def test_layers_say_which_values_are_secret(planned, files):
    layers: list[LayerOf] = planned.layers_of(files[0])
    assert [layer.kind for layer in layers] == ["account", "location", "model", "profile", "phone"]
    assert all("ssh_password" in layer.secret for layer in layers)
