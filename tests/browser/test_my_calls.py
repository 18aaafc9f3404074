"""A customer logs in to the portal, looks at their calls, and downloads the report of a day."""

import csv
from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from profiles_app.calls.services import record_call
from tests.profiles_app.visitors import grant

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def calls(acme):
    grant(acme, "myCallsEnabled", "myCallsDailyCDRAccess", "myCallsUseBackendDescriptions")
    for number in range(60):
        record_call(
            account=acme, call_id=f"c{number}", direction="inbound", caller=f"+49201555{number:03}", called="201",
            extension="201", started_at=timezone.now(), seconds=number, site="Berlin",
        )  # fmt: skip


@pytest.mark.parametrize("size", ["phone", "desktop"])
def test_the_report_of_a_day_is_downloaded(window, alice, calls, size, tmp_path):
    portal = window(size)
    page = portal.page
    portal.open("/my-account/calls/")
    page.fill("[name=username]", alice.email)
    page.fill("[name=password]", "correct horse")
    page.click("main button")
    page.wait_for_url(f"{portal.base}/my-account/calls/")
    expect(page.locator("h1")).to_have_text("My Calls")
    expect(page.locator("table.rows tbody tr", has_text="+49201555")).to_have_count(50)
    portal.picture(f"my-calls-{size}")
    seen = [(portal.sticks_out(), portal.nameless(), portal.faint(), portal.serious())]
    page.get_by_label("Number").fill("+49 201 555 007")
    page.get_by_role("button", name="Search").click()
    page.wait_for_url("**number=*")
    expect(page.get_by_text("1 call, 1 answered")).to_be_visible()
    page.get_by_role("link", name="Daily reports").click()
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Download").first.click()
    seen.append((portal.sticks_out(), portal.nameless(), portal.faint(), portal.serious()))
    waiting.value.save_as(path := Path(tmp_path) / "day.csv")
    lines = list(csv.DictReader(path.read_text("utf-8-sig").splitlines()))
    assert len(lines) == 60
    assert lines[0]["site"] == "Berlin"
    assert seen == [(0, [], [], [])] * 2
