"""Lists that refresh themselves under the hands of somebody who works with them; saved filters and columns by mouse."""

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from contacts_app.core.lists.models import ListColumns, SavedFilter
from phones_app.deployment.models import Deployment
from phones_app.inventory.models import Phone

pytestmark = pytest.mark.django_db(transaction=True)
LIST = "admin:phones_app_deployment_changelist"


@pytest.fixture
def deployment(acme) -> Deployment:
    phone = Phone.objects.create(account=acme, mac="020000000001", name="Lobby", model="8851")
    return Deployment.objects.create(
        account=acme, phone=phone, mac=phone.mac, profile_name="Front desk", state="uploading", requested_by="ida",
        channel="admin", next_attempt_at=timezone.now(),
    )  # fmt: skip


def test_a_list_refreshes_itself_and_leaves_what_one_does_alone(window, deployment, acme):
    desk = window()
    desk.open(reverse(LIST))
    page = desk.page
    rows = page.locator("#result_list tbody")
    rows.filter(has_text="Uploading").wait_for()
    # Marks that a page loaded anew would not have; and somebody types a search.
    page.evaluate("document.querySelector('#result_list tbody').dataset.mine = 'here'; window.mine = true")
    page.locator("#searchbar").fill("half a wo")
    ticks = page.locator("input.action-select")
    if ticks.count():
        ticks.first.check()
    Deployment.objects.filter(pk=deployment.pk).update(state="failed", finished_at=timezone.now(), error_code="x")
    rows.filter(has_text="Failed").wait_for()
    other = Phone.objects.create(account=acme, mac="020000000002", name="Attic", model="8851")
    Deployment.objects.create(
        account=acme, phone=other, mac=other.mac, profile_name="Night", state="queued", requested_by="ida",
        channel="admin", next_attempt_at=timezone.now(),
    )  # fmt: skip
    rows.filter(has_text="Attic").wait_for()
    expect(rows).to_have_count(2)
    expect(rows.first, "the newer one is above").to_contain_text("Attic")
    assert page.evaluate("window.mine") is True
    expect(page.locator("tbody[data-mine=here]")).to_have_count(1)
    expect(page.locator("#searchbar")).to_have_value("half a wo")
    assert not ticks.count() or page.locator("tbody[data-mine=here] input.action-select").is_checked()


def test_a_filter_is_saved_and_columns_are_chosen_above_the_list(window, deployment):
    desk = window()
    page = desk.page
    desk.open(f"{reverse('admin:phones_app_phone_changelist')}?q=Lobby")
    page.get_by_text("Save filter…").click()
    page.get_by_label("Name of the filter").fill("The lobby")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_text("The filter “The lobby” is saved.").wait_for()
    assert SavedFilter.objects.get().query == "q=Lobby"
    page.get_by_role("link", name="The lobby", exact=True).click()
    page.locator("[data-present]").wait_for()
    desk.fits("list-saved-filter")
    cut = "Array.from(document.querySelectorAll('h1 *')).some((one) => one.scrollWidth > one.clientWidth + 1)"
    assert not page.evaluate(cut), "the title, beside how many were found"
    desk.become("desktop")
    page.get_by_role("link", name="Columns…").click()
    page.get_by_label("serial number").check()
    desk.fits("list-columns")
    desk.become("desktop")
    page.get_by_role("button", name="Save", exact=True).click()
    page.locator("th", has_text="Serial number").wait_for()
    assert ListColumns.objects.get().shown == {"serial_number": True}
    assert not desk.nameless()
