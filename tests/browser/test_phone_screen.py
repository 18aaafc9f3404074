"""Somebody without a phone logs in on a simulated one with the mouse, and sees what a person would see there."""

import pytest
from django.urls import reverse

from contacts_app.accounts.models import Extension
from phones_app.inventory.models import ServiceSession
from phones_app.simulator.running import running_alone
from tests.phones_app.site import sip_file

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("model", ["7962", "8851"])
def test_a_visitor_logs_in_on_a_phone_with_the_mouse(window, site, alice, acme, live_server, settings, tmp_path, model):
    settings.DATA_DIR = tmp_path
    alice.phone = "+351 555 0100"
    alice.set_pin("1234")
    alice.save()
    Extension.objects.bulk_create(Extension(account=acme, number=100 + n, name=f"Büro {n:02}") for n in range(40))
    services = f"<servicesURL>{live_server.url}/cisco/services/dir?mac=#DEVICENAME#</servicesURL></device>"
    first = sip_file(label="Reception").replace("</device>", services)
    phone = site.phone(model=model, first_file=first, name="Reception desk", is_simulated=True)
    desk = window()
    page = reverse("admin:phones_app_phone_change", args=[phone.pk])
    desk.open(page)
    assert not desk.page.locator("text=Phone screen…").count(), "nobody plays the phone"
    with running_alone(tmp_path), site.alive(phone):
        desk.open(page)
        desk.page.click("summary:has-text('More')")
        desk.page.click("text=Phone screen…")
        desk.page.wait_for_selector(".pb-lcd >> text=Reception")
        look(desk, f"{model}-idle")
        desk.page.click("button:text-is('Services')")
        desk.page.wait_for_selector(".pb-lcd >> text=Personal directory")
        look(desk, f"{model}-menu")
        desk.page.click(".pb-lcd-choice:has-text('Personal directory')")
        desk.page.fill(".pb-lcd input[name='field.user']", "alice@acme.example")
        desk.page.fill(".pb-lcd input[name='field.pin']", "1234")
        look(desk, f"{model}-form")
        if model == "8851":
            desk.page.keyboard.press("Enter")
        else:
            desk.page.click("button[aria-label='Soft key Submit']")
            desk.page.click(".pb-lcd-choice:has-text('Personal directory')")
        desk.page.wait_for_selector(".pb-lcd >> text=Alice Archer")
        look(desk, f"{model}-directory")
    assert ServiceSession.objects.get().user == alice


def look(desk, name: str) -> None:
    for size in ("desktop", "phone"):
        desk.become(size, "light")
        desk.picture(f"phone-screen-{name}-{size}")
        assert not desk.sticks_out()
        assert not desk.nameless()
        assert not desk.faint()
