"""A person deploys a profile in the browser and watches it arrive on the phone.

The window changes its size on the way: one deployment and one rollout are seen in both.
"""

import re

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from phones_app.deployment.models import Deployment
from phones_app.inventory.models import Phone
from tests.phones_app.site import sip_file

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_profile_is_deployed_and_seen_to_be_confirmed(window, site, worker):
    phone = site.phone(name="Reception desk")
    profile = site.profile("Reception", sip_file("1002"))
    with site.alive(phone) as fleet:
        desk = window()
        page = desk.page
        desk.open(reverse("admin:phones_app_phone_change", args=[phone.pk]))
        link = page.get_by_role("link", name="Deploy…")
        rarer = page.get_by_role("link", name="Configuration…")
        expect(link).to_be_visible()
        expect(rarer).to_be_visible()
        desk.become("phone")
        expect(rarer).not_to_be_visible()
        page.get_by_text("more_horiz", exact=True).click()
        expect(rarer).to_be_visible()
        link.click()
        page.locator(".select2-selection").click()
        page.locator(".select2-search__field").fill("Recep")
        page.get_by_role("option", name="Reception").click()
        desk.picture("deploy-choose-phone")
        page.get_by_role("button", name="Show what would happen").click()
        page.get_by_text(f"SEP{phone.mac}.cnf.xml").wait_for()
        desk.fits("deploy-preview")
        assert not Deployment.objects.exists(), "nothing happens before the last yes"
        page.get_by_role("button", name="Deploy to 1 phone").click()
        page.wait_for_url(re.compile(r"/deployment/\d+/change/"))
        page.locator("#timeline[data-state=confirmed]").wait_for()
        assert fleet.wait_until(lambda: fleet[phone.mac].config_sha256 == profile.revision.sha256)
    expect(page.get_by_text("The phone fetched this very file after the upload.")).to_be_visible()
    expect(page.locator(".pb-step-done")).to_have_count(4)
    expect(page.locator("#timeline[hx-get]"), "an ended timeline asks no more").to_have_count(0)
    page.get_by_text("What was sent").nth(1).click()
    expect(page.get_by_text("Event: service-control")).to_be_visible()
    desk.fits("deployment-confirmed")


def test_a_restart_is_asked_for_and_done(window, site, worker):
    phone = site.phone(name="Reception desk")
    with site.alive(phone) as fleet:
        desk = window()
        desk.open(f"{reverse('admin:phones_app_phone_restart')}?phones={phone.pk}")
        desk.page.get_by_role("button", name="Restart 1 phone").click()
        desk.page.locator("#timeline[data-state=confirmed]").wait_for()
        assert fleet[phone.mac].restarts == 1


def test_a_selection_in_the_list_is_deployed_to(window, site, worker):
    phones = [site.phone(name=f"Room {number}") for number in (101, 102, 103)]
    site.profile("Hotel room", sip_file("1002"))
    with site.alive(*phones):
        desk = window()
        page = desk.page
        desk.open(reverse("admin:phones_app_phone_changelist"))
        for phone in phones[:2]:
            page.locator(f"input.action-select[value='{phone.pk}']").check()
        page.locator("select[name=action]").select_option("deploy_selected")
        page.get_by_role("button", name="Run").click()
        page.locator(".select2-selection").click()
        page.get_by_role("option", name="Hotel room").click()
        page.get_by_role("button", name="Show what would happen").click()
        page.get_by_role("button", name="Deploy to 2 phones").click()
        page.get_by_text("2 phones are being deployed.").wait_for()
        # The list refreshes itself.
        expect(page.locator("td").get_by_text("Confirmed", exact=True)).to_have_count(2)


def test_a_rollout_is_planned_and_watched_to_its_end(window, site, worker):
    phones = [site.phone(name=f"Room {number}") for number in (101, 102, 103)]
    profile = site.profile("Hotel room", sip_file("1002"))
    Phone.objects.filter(pk=phones[2].pk).update(phone_ip=None)
    with site.alive(*phones[:2]):
        desk = window()
        page = desk.page
        desk.open(reverse("admin:phones_app_rollout_add"))
        page.locator(".select2-selection").first.click()
        page.get_by_role("option", name="Hotel room").click()
        page.get_by_text("All phones").click()
        page.get_by_label("Wave size").fill("2")
        for name, text in (("Canary", "1"), ("Pause between waves", "0"), ("Jitter", "0"), ("Abort at per", "")):
            page.get_by_label(name).fill(text)
        page.get_by_role("button", name="Show what would happen").click()
        page.get_by_role("button", name="Roll out to 3 phones").wait_for()
        desk.fits("rollout-plan")
        assert not Deployment.objects.exists(), "nothing happens before the last yes"
        page.get_by_role("button", name="Roll out to 3 phones").click()
        page.wait_for_url(re.compile(r"/rollout/\d+/change/"))
        page.locator("#rollout[data-state=finished]").wait_for()
    expect(page.get_by_text("3 of 3")).to_be_visible()
    expect(page.locator("#rollout[hx-get]"), "an ended rollout asks no more").to_have_count(0)
    page.get_by_role("link", name="1 phone", exact=True).click()
    page.get_by_text("Failed: no-address").wait_for()
    page.wait_for_load_state()
    expect(page.get_by_role("link", name=phones[2].mac_with_colons)).to_be_visible()
    expect(page.get_by_role("link", name=phones[0].mac_with_colons)).to_have_count(0)
    desk.fits("rollout-ended")
    desk.open(reverse("admin:profiles_app_phoneprofile_history", args=[profile.pk]))
    desk.fits("history-with-rollout")
