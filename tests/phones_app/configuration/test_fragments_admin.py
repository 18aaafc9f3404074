"""Fragments of a layer in the admin: judged while they are typed, on the file of a phone, and nothing is stored."""

import json
import re

import pytest
from django.urls import reverse

from phones_app.configuration.models import Layer
from tests.admin_people import at_desk, clerk
from tests.phones_app.configuration.data import layer, line, made_profile, phone

pytestmark = pytest.mark.django_db

CHECK = reverse("admin:phones_app_layer_fragments")


def rows(*fragments: tuple[str, str, str]) -> dict[str, str]:
    """The table as a browser sends it."""
    names = ("action", "path", "xml")
    return {
        f"fragment_rows-{number}-{name}": text
        for number, fragment in enumerate(fragments, 1)
        for name, text in zip(names, fragment, strict=True)
    }


def marks_in(page: str) -> list[dict[str, object]]:
    [marks] = re.findall(r'<script id="editor-marks" type="application/json">(.*?)</script>', page)
    return json.loads(marks)


@pytest.fixture
def munich(acme, alice) -> Layer:
    """A location with a phone whose file is made from a template."""
    layer(acme, values={"pbx": "pbx.example.org", "time_zone": "Europe/Berlin", "ntp_servers": "10.0.0.1"})
    desk = phone(acme, 1, made_profile(alice), name="Lobby")
    layer(acme, kind="phone", phone=desk, lines=[line(acme)])
    return layer(acme, kind="location", name="Munich")


def test_what_is_wrong_with_the_xml_is_marked_in_its_own_editor(root_desk, munich):
    posted = rows(
        ("insert", "vendorConfig", "<a>1</a>"), ("insert", "vendorConfig", "<b>1</b>\n<c>"), ("delete", "x", "")
    )
    page = root_desk.post(f"{CHECK}?layer={munich.pk}", posted).content.decode()
    assert "not well-formed: mismatched tag in its line 2" in page
    [mark] = marks_in(page)
    assert (mark["box"], mark["row"]) == ("fragment_rows-2-xml", 1)
    assert 'data-line="2"' in page


def test_a_fault_in_the_first_line_is_marked_where_it_is(root_desk, munich):
    page = root_desk.post(CHECK, rows(("insert", "vendorConfig", "<a>R&D</a>"))).content.decode()
    [mark] = marks_in(page)
    assert (mark["row"], mark["column"]) == (0, 6), "where the reference is no reference any more"


def test_a_phone_of_the_layer_shows_what_they_do_and_nothing_is_stored(root_desk, munich):
    posted = rows(("insert", "vendorConfig", "<settingsAccess>7</settingsAccess>"), ("delete", "versionStamp", ""))
    page = root_desk.post(f"{CHECK}?layer={munich.pk}", posted).content.decode()
    assert "Lobby" in page
    assert "&lt;settingsAccess&gt;7" in page
    assert "versionStamp" in page
    assert "pb-warning" in page, "the checker knows no such value of the setting"
    munich.refresh_from_db()
    assert munich.fragments == []


def test_an_element_that_the_phone_does_not_have_is_told(root_desk, munich):
    page = root_desk.post(f"{CHECK}?layer={munich.pk}", rows(("delete", "vpnGroup", ""))).content.decode()
    assert "has no vpnGroup in this file" in page


def test_a_layer_that_is_new_or_has_no_phone_is_judged_without_one(root_desk, munich, acme):
    elsewhere = layer(acme, kind="location", name="Oslo")
    for url in (CHECK, f"{CHECK}?layer={elsewhere.pk}"):
        assert "Well-formed" in root_desk.post(url, rows(("delete", "vpnGroup", ""))).content.decode()
    assert marks_in(root_desk.post(CHECK, {}).content.decode()) == []


def test_no_password_is_shown_and_no_layer_of_another_account(root_desk, munich, acme, other):
    one = rows(("replace", "sipProfile/sipLines/line/displayName", "<displayName>x</displayName>"))
    page = root_desk.post(f"{CHECK}?layer={munich.pk}", one).content.decode()
    assert "&lt;displayName&gt;x" in page
    assert "secret-1001" not in page
    other = layer(other, kind="location", name="Munich")
    desk = at_desk(clerk(acme))
    assert desk.post(f"{CHECK}?layer={other.pk}", one).status_code == 404
    assert desk.get(CHECK).status_code == 405
    assert at_desk(clerk(acme, "blind@acme.example", without="view_layer")).post(CHECK, one).status_code == 403


def test_who_may_only_look_sees_the_xml(acme, munich):
    munich.fragments = [{"path": "vendorConfig", "action": "insert", "xml": "<garp>1</garp>", "reason": "Asked for"}]
    munich.save()
    desk = at_desk(clerk(acme, without="change_layer"))
    page = desk.get(reverse("admin:phones_app_layer_change", args=[munich.pk])).content.decode()
    assert "&lt;garp&gt;1" in page


def test_the_lines_of_a_fragment_end_as_those_of_files(root_desk, munich):
    one = rows(("insert", "vendorConfig", "\r\n<garp>1</garp>\r\n<pcPort>0</pcPort>\r\n")) | {
        "fragment_rows-1-reason": "x"
    }
    url = reverse("admin:phones_app_layer_change", args=[munich.pk])
    assert "1 phone" in root_desk.post(url, one).content.decode()
    [kept] = re.findall(r'name="_kept" value="([^"]+)"', root_desk.post(url, one).content.decode())
    root_desk.post(url, {"_kept": kept, "_confirmed": "yes"})
    munich.refresh_from_db()
    assert munich.fragments[0]["xml"] == "<garp>1</garp>\n<pcPort>0</pcPort>"
