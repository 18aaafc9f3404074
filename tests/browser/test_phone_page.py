"""The page of a phone: how it stands and why on top, the form in tabs below, in both sizes."""

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from contacts_app.core.work.queue import run_queue
from phones_app.deployment.request import DEPLOYMENTS, deploy
from phones_app.servers.models import FileServer
from tests.browser.test_companions import is_sound
from tests.phones_app.site import ACTOR
from tests.servers import free_port

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_person_sees_why_a_phone_has_no_file_and_reaches_every_tab(window, site, no_inline_work):
    gone = FileServer.objects.create(name="Gone", host="127.0.0.1", port=free_port(), username="a", password="b")
    profile = site.profile("Lobby phone")
    phone = site.phone(name="Lobby", file_server=gone, current_profile=profile, software_version="sip8845.14-2-1")
    deploy(phone=phone, profile=profile, actor=ACTOR)
    run_queue(DEPLOYMENTS)
    desk = window()
    page = desk.page
    desk.open(reverse("admin:phones_app_phone_change", args=[phone.pk]))
    page.get_by_text("Nothing was uploaded for it yet.").wait_for()
    expect(page.locator(".pb-standing .pb-problem")).to_be_visible()
    expect(page.get_by_text("What to do:")).to_be_visible()
    expect(page.get_by_label("Location")).to_be_visible()
    record = page.get_by_role("button", name="Record", exact=True)
    record.focus()
    page.keyboard.press("Enter")
    expect(record).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_text("Serial number")).to_be_visible()
    expect(page.get_by_label("Location")).not_to_be_visible()
    is_sound(desk, "phone-standing")
    with page.expect_navigation():
        page.get_by_role("button", name="Check status now").click()
    phone.refresh_from_db()
    assert phone.looked_at
    expect(page.get_by_text(phone.look_error).first).to_be_visible()
    desk.open(reverse("admin:phones_app_phone_log_in", args=[phone.pk]))
    expect(page.get_by_role("button", name="Log in", exact=True)).to_be_visible()
    is_sound(desk, "log-in-on-a-phone")


def test_an_error_stands_beside_the_editor_in_both_sizes(window, site):
    profile = site.profile("Lobby phone")
    desk = window()
    desk.open(reverse("admin:profiles_app_phoneprofile_change", args=[profile.pk]))
    desk.page.locator(".pb-edited-findings").get_by_text("authenticationURL is empty").wait_for()
    is_sound(desk, "editor-with-findings")
