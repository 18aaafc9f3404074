"""What phones read beside their own file, in a browser: a number to try, soft keys, ring tones and backgrounds."""

from io import BytesIO

import pytest
from django.urls import reverse
from PIL import Image

from phones_app.shared_files.media import FilesOwner, add_background, add_ring_tone, entries_of
from phones_app.shared_files.models import SharedFile
from profiles_app.phone.companions.lists import RINGS
from tests.browser.window import Window
from tests.phones_app.shared_files.test_companions import page, sound, text_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def contents(settings, tmp_path):
    settings.SHARED_FILES_DIR = tmp_path / "shared-files"


def is_sound(desk: Window, name: str) -> None:
    """In both sizes and on dark ground: fits, has names, can be read; axe finds nothing serious."""
    desk.fits(name)
    assert desk.nameless() == []
    desk.become("desktop", "dark")
    desk.picture(f"{name}-dark")
    assert desk.faint() == []
    assert desk.serious() == []
    desk.become("desktop")


def test_a_dial_template_is_tried_while_it_is_typed_and_soft_keys_are_put_into_order(window):
    desk = window()
    tab = desk.page
    desk.open(page("edit", "dial-template", "new"))
    tab.get_by_text("No findings.").wait_for()
    tab.get_by_role("button", name="Add a rule").click()
    rows = tab.locator("[data-of-row]")
    rows.nth(1).get_by_label("Pattern").fill("9,...")
    rows.nth(1).get_by_label("Seconds").fill("0")
    rows.nth(1).get_by_label("Sent as").fill("00%1")
    tab.get_by_label("Try a number").fill("91234")
    tab.get_by_text("at once, after 9123").wait_for()
    told = " ".join(tab.locator("#content .pb-facts").inner_text().split())
    assert "Sent 00123 Tones Bellcore-Outside after digit 1 Not dialled 4: the call is already made" in told
    is_sound(desk, "dial-template")
    tab.get_by_role("button", name="Save").click()
    tab.get_by_text("dialplan.xml is stored.").wait_for()
    assert 'MATCH="9,..." Timeout="0" Rewrite="00%1"' in text_of("dialplan.xml")
    tab.get_by_role("link", name="Edit the text").click()
    tab.locator(".ace_content").wait_for()
    is_sound(desk, "dial-template-text")

    desk.open(page("edit", "soft-keys", "new"))
    tab.get_by_text("only 79xx phones have").first.wait_for()
    first = tab.locator("[data-rows]").first.locator("> [data-of-row]")
    up = first.nth(1).get_by_role("button", name="Move the key to the left")
    up.focus()
    tab.keyboard.press("Enter")
    is_sound(desk, "soft-keys")
    tab.get_by_role("button", name="Save").click()
    tab.get_by_text("softkeys.xml is stored.").wait_for()
    assert '"On Hook">\n      <softKey keyID="NewCall"/>\n      <softKey keyID="Redial"/>' in text_of("softkeys.xml")
    desk.open(page("editor", "soft-keys"))
    is_sound(desk, "editor")


def test_ring_tones_are_heard_and_ordered_and_backgrounds_looked_at(window, acme):
    add_ring_tone(FilesOwner(), "Old bell", sound())
    add_ring_tone(FilesOwner(), "Chimes", sound(1, 660))
    out = BytesIO()
    Image.effect_mandelbrot((640, 400), (-2, -1.2, 1, 1.2), 40).convert("RGB").save(out, "PNG")
    add_background(FilesOwner(), "hills", out.getvalue())
    desk = window()
    tab = desk.page
    desk.open(page("ring_tones"))
    length = "audio => new Promise(done => { audio.onloadedmetadata = () => done(audio.duration); audio.load(); })"
    assert tab.locator("audio").first.evaluate(length) == pytest.approx(1, abs=0.05)
    down = tab.get_by_role("button", name="Move Old bell down").first
    down.focus()
    tab.keyboard.press("Enter")
    is_sound(desk, "ring-tones")
    tab.get_by_role("button", name="Save the order").first.click()
    tab.get_by_text("The order of Ringlist.xml is stored.").wait_for()
    assert [entry.name for entry in entries_of(FilesOwner(), RINGS, "Ringlist.xml")] == ["Chimes", "Old bell"]

    desk.open(page("backgrounds", account=acme.pk))
    tab.locator("summary", has_text="hills").click()
    shown = tab.get_by_role("img", name="hills for 7975")
    shown.scroll_into_view_if_needed()
    tab.wait_for_function("document.querySelectorAll('.pb-pictures img')[3].naturalWidth === 320")
    is_sound(desk, "backgrounds")
    assert SharedFile.objects.filter(kind="background").count() == 16
    assert reverse("admin:phones_app_sharedfile_backgrounds") in tab.content()
