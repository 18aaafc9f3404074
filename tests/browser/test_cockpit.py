"""A person sees a phone's screen, presses a key with the mouse, and sees what it did."""

import pytest
from django.urls import reverse

from phones_app.simulator.state import Fault
from tests.servers import wait_for

pytestmark = pytest.mark.django_db(transaction=True)
DRAWN = "document.querySelector('#phone-screen img')?.naturalWidth"


def test_a_key_is_pressed_and_the_screen_read_again(window, site):
    phone = site.phone(name="Reception desk")
    with site.alive(phone, asks_around=False) as running:
        one = running[phone.mac]
        one.fault = Fault.IN_CALL
        desk = window()
        desk.open(reverse("admin:phones_app_phone_change", args=[phone.pk]))
        desk.page.click("summary:has-text('More')")
        desk.picture("phone-more")
        desk.page.click("text=Cockpit…")
        desk.page.wait_for_function(f"{DRAWN} === 800")
        desk.page.wait_for_selector("text=Worst jitter (ms)")
        desk.page.click("button:has(code:text-is('/FS/messages'))")
        desk.page.wait_for_selector("pre[aria-label='/FS/messages']:has-text('NOT SEP')")
        with desk.page.expect_response(lambda answer: "/cockpit/screen.png" in answer.url):
            desk.page.click("button[aria-label='Down']")
        desk.page.wait_for_function(f"{DRAWN} === 800")
        # It answers before it does what it was told.
        wait_for(lambda: one.shown[-1] == "Pressed last: Key:NavDwn")
        for size in ("desktop", "phone"):
            desk.become(size, "light")
            desk.picture(f"cockpit-{size}")
            assert not desk.sticks_out()
            assert not desk.nameless()
            assert not desk.faint()
