"""A person uploads a CSV of lines, sees what it would do, and takes the text for the PBX from the page of a phone."""

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from phones_app.inventory.models import Phone
from profiles_app.phone.models import Line
from tests.phones_app.site import sip_file

pytestmark = pytest.mark.django_db(transaction=True)


def test_lines_come_in_by_file_and_their_pbx_side_is_shown(window, site):
    phone = site.phone(name="Reception desk")
    Phone.objects.filter(pk=phone.pk).update(current_profile=site.profile(content=sip_file("301")))
    desk = window()
    desk.open(reverse("admin:profiles_app_line_changelist"))
    desk.page.click("text=Import…")
    rows = f"extension,auth_password,mailbox,phone\n301,{'x' * 32},301,{phone.mac_with_colons}\n"
    desk.page.set_input_files("input[type=file]", {"name": "l.csv", "mimeType": "text/csv", "buffer": rows.encode()})
    desk.fits("lines-upload")
    desk.page.click("text=Check the file")
    desk.page.wait_for_selector("text=the password has 32 characters")
    desk.fits("lines-check")
    desk.become("desktop")
    desk.page.get_by_role("button", name="Import", exact=True).click()
    desk.page.wait_for_selector("text=is imported")
    desk.fits("lines-list")
    expect(desk.page.locator("li .text-link").first, "what comes next").to_be_visible()
    desk.become("phone", "dark")
    assert not desk.faint()
    desk.become("phone")
    desk.open(reverse("admin:profiles_app_line_change", args=[Line.objects.get().pk]))
    desk.page.wait_for_selector(f"text=Phone {phone.mac_with_colons}")
    desk.fits("lines-form")
    desk.open(reverse("admin:phones_app_phone_change", args=[phone.pk]))
    desk.become("desktop")
    desk.page.click("summary:has-text('More')")
    desk.page.click("text=PBX side…")
    desk.page.select_option("select[name=dialect]", "chan_sip_22")
    desk.page.click("button:text-is('Compare with the PBX')")
    desk.page.wait_for_selector("text=Phones without a call manager")
    desk.page.wait_for_selector("text=mailbox = 301@default")
    desk.fits("lines-pbx")
    assert not desk.nameless()
    assert not desk.faint()
    with desk.page.expect_download() as file:
        desk.page.click("button:text-is('Download')")
    assert "[301]\ntype = peer" in file.value.path().read_text()
