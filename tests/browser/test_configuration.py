"""What files are made from, in a browser: keys in an order of their own, and a template beside its phone."""

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from profiles_app.phone.models import KeyLayout, PhoneTemplate
from tests.browser.window import Window
from tests.phones_app.configuration import data
from tests.phones_app.configuration.data import made_profile

pytestmark = pytest.mark.django_db(transaction=True)


def key(position: int, kind: str, target: str = "", label: str = "") -> dict[str, object]:
    return {"module": 0, "position": position, "kind": kind, "line": None, "target": target, "label": label}


def positions(layout: KeyLayout) -> dict[str, int]:
    layout.refresh_from_db()
    return {each["label"] or each["kind"]: each["position"] for each in layout.keys}


def save(desk: Window) -> None:
    desk.page.get_by_role("button", name="Save and continue editing").click()
    desk.page.get_by_text("was changed successfully").wait_for()


def test_keys_are_put_into_order_by_mouse_and_by_keyboard(window, acme):
    keys = [
        key(1, "line"),
        key(2, "speed-dial", "1002", "Bar"),
        key(3, "blf", "1003", "Porter"),
        key(5, "hold", label="Hold"),
    ]
    layout = KeyLayout.objects.create(account=acme, name="Reception", keys=keys)
    desk = window()
    page = desk.page
    desk.open(reverse("admin:profiles_app_keylayout_change", args=[layout.pk]))
    pictured = page.locator(".pb-keyboard-keys li")
    expect(pictured.nth(1)).to_have_text("2 Bar", use_inner_text=True)
    page.get_by_text("Key 5 (Hold) stays empty").wait_for()
    rows = page.locator("[data-rows]").first.locator("> [data-of-row]")
    expect(rows.nth(3).locator("[data-fault]"), "the row is marked as well").to_contain_text("knows no key")
    # By the mouse: Porter to the top. What was empty between the keys stays empty.
    rows.nth(2).locator("[data-handle]").drag_to(rows.nth(0))
    page.wait_for_function("document.querySelector('.pb-keyboard-keys li').innerText.includes('Porter')")
    # By the keyboard: Bar, which is third now, up by one, and the focus stays at its button.
    up = rows.nth(2).get_by_role("button", name="Move the key up")
    up.focus()
    page.keyboard.press("Enter")
    page.get_by_text("Moved to position 2.").wait_for()
    expect(page.locator(":focus")).to_have_attribute("data-move", "up")
    page.get_by_role("button", name="Add a key").first.click()
    added = rows.nth(4)
    added.get_by_label("Kind").select_option("do-not-disturb")
    expect(added.get_by_label("Position")).to_have_value("6")
    expect(added.get_by_label("Number or address"), "this kind takes none").not_to_be_visible()
    desk.fits("key-layout")
    save(desk)
    assert positions(layout) == {"Porter": 1, "Bar": 2, "line": 3, "Hold": 5, "do-not-disturb": 6}


def test_a_template_is_checked_on_a_phone_while_it_is_typed(window, acme, alice):
    profile = made_profile(alice)
    data.layer(acme, values={"pbx": "pbx.example.org", "ntp_servers": "10.0.0.1", "time_zone": "Europe/Berlin"})
    desk_phone = data.phone(acme, 1, profile)
    data.layer(acme, kind="phone", phone=desk_phone, lines=[data.line(acme)])
    template = PhoneTemplate.objects.get()
    desk = window()
    page = desk.page
    desk.open(reverse("admin:profiles_app_phonetemplate_change", args=[template.pk]))
    page.locator("#trial").get_by_text("pbx.example.org").wait_for()
    edit = "document.querySelector('.django-ace-widget').editor"
    page.evaluate(f"{edit}.setValue({edit}.getValue().replace('{{{{ pbx }}}}', '{{{{ nowhere }}}}'), -1)")
    page.locator("#trial").get_by_text("No layer gives a value for").wait_for()
    page.locator(".ace_gutter-cell.ace_error").wait_for()
    page.locator("#trial a[data-line]").click()
    row = page.evaluate(f"{edit}.getCursorPosition().row")
    assert "{{ nowhere }}" in page.evaluate(f"{edit}.getSession().getLine({row})")
    page.evaluate(f"{edit}.setValue({edit}.getValue().replace('{{{{ nowhere }}}}', 'other.example.org'), -1)")
    page.locator("#trial").get_by_text("other.example.org").wait_for()
    desk.fits("template")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_text("This changes the file of").wait_for()
    desk.fits("template-question")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("link", name="Roll out…").wait_for()
    template.refresh_from_db()
    assert "other.example.org" in template.text


def test_a_fragment_is_checked_on_a_phone_while_it_is_typed(window, acme, alice):
    data.layer(acme, values={"pbx": "pbx.example.org", "ntp_servers": "10.0.0.1", "time_zone": "Europe/Berlin"})
    desk_phone = data.phone(acme, 1, made_profile(alice), name="Lobby")
    data.layer(acme, kind="phone", phone=desk_phone, lines=[data.line(acme)])
    there = {"path": "versionStamp", "action": "delete", "xml": "", "reason": "Not wanted"}
    munich = data.layer(acme, kind="location", name="Munich", fragments=[there])
    desk = window()
    page = desk.page
    desk.open(reverse("admin:phones_app_layer_change", args=[munich.pk]))
    told = page.locator("#fragments-checked")
    told.get_by_text("What they do to the file of").wait_for()
    page.get_by_role("button", name="Add a fragment").click()
    row = page.locator(".pb-fragment").nth(1)
    row.get_by_label("What is done").select_option("insert")
    row.get_by_label("Element path").fill("vendorConfig")
    row.get_by_label("Reason").fill("The switch asks for it")
    edit = "document.querySelectorAll('.pb-fragment .django-ace-widget')[1].editor"
    page.evaluate(f"{edit}.setValue('<garp>1</garp>\\n<pcPort>0', -1)")
    told.get_by_text("not well-formed").wait_for()
    page.locator(".pb-fragment").nth(1).locator(".ace_gutter-cell.ace_error").wait_for()
    assert not page.locator(".pb-fragment").nth(0).locator(".ace_gutter-cell.ace_error").count()
    told.locator("a[data-line]").click()
    assert page.evaluate(f"{edit}.getCursorPosition().row") == 1, "the link leads into the editor of this fragment"
    page.evaluate(f"{edit}.setValue('<garp>1</garp>\\n<pcPort>0</pcPort>', -1)")
    told.locator(".pb-diff").get_by_text("<pcPort>0</pcPort>").wait_for()
    assert not desk.nameless()
    desk.fits("fragments")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_text("This changes the file of").wait_for()
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("link", name="Roll out…").wait_for()
    munich.refresh_from_db()
    assert [each["path"] for each in munich.fragments] == ["versionStamp", "vendorConfig"]
    assert munich.fragments[1]["xml"] == "<garp>1</garp>\n<pcPort>0</pcPort>"


def test_keys_are_moved_between_a_phone_and_its_expansion_module(window, acme):
    keys = [key(1, "line"), key(2, "blf", "1003", "Porter"), key(1, "speed-dial", "1", "Taxi") | {"module": 1}]
    layout = KeyLayout.objects.create(account=acme, name="Reception", keys=keys, modules=["BEKEM"])
    desk = window()
    page = desk.page
    desk.open(reverse("admin:profiles_app_keylayout_change", args=[layout.pk]))
    phone, module = (page.locator("[data-rows]").nth(number).locator("> [data-of-row]") for number in (0, 1))
    # By the keyboard: beyond the last key of the phone begins the module, whose keys make room.
    phone.nth(1).get_by_role("button", name="Move the key down").focus()
    page.keyboard.press("Enter")
    page.get_by_text("Moved to expansion module 1, position 1.").wait_for()
    assert page.evaluate("document.activeElement.dataset.move") == "down"
    pictured = page.locator(".pb-keyboard-part").nth(1).locator(".pb-keyboard-keys li")
    page.wait_for_function(
        "document.querySelectorAll('.pb-keyboard-part')[1].querySelector('li').innerText.includes('Porter')"
    )
    assert pictured.nth(1).inner_text().split() == ["2", "Taxi"]
    # By the mouse: Taxi to the top of the phone.
    module.nth(1).locator("[data-handle]").drag_to(phone.nth(0))
    page.get_by_text("Moved to the phone, position 1.").wait_for()
    save(desk)
    layout.refresh_from_db()
    found = [(each["module"], each["position"], each["label"] or each["kind"]) for each in layout.keys]
    assert found == [(0, 1, "Taxi"), (0, 2, "line"), (1, 1, "Porter")]
