"""The bell above the pages of the admin: status checks of a selection of phones that somebody has asked for."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.timezone import now

from contacts_app.core.admin.models import AskedRow, AskedWork
from contacts_app.core.work.queue import run_queue
from phones_app.inventory.models import Phone
from phones_app.inventory.status_check import STATUS_CHECKS
from tests.admin_people import at_desk, clerk
from tests.bell import BELL, HOME, bell_of, told

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("no_inline_work")]
LIST = reverse("admin:phones_app_phone_changelist")
TITLE = "status check → 2 phones"


@pytest.fixture
def two(new_phone):
    """At which nothing answers."""
    return [new_phone(f"AABBCCDDEE0{number}", phone_ip=f"127.0.5.{number}", web_port=1) for number in (1, 2)]


def ask(desk, *phones: Phone) -> None:
    desk.post(LIST, {"action": "check_selected", "_selected_action": [phone.pk for phone in phones]})


def test_they_are_running_until_the_last_phone_was_checked(clerk_desk, two, new_phone):
    ask(clerk_desk, *two, new_phone("AABBCCDDEE09"))
    assert bell_of(clerk_desk) == "Your long work: 1 running, 0 new"
    assert told(clerk_desk) == {TITLE: (f"{TITLE} Running 0 %", LIST)}, "without the phone that has no address"
    Phone.objects.filter(pk=two[0].pk).update(next_check_at=now() + timedelta(hours=1))
    assert run_queue(STATUS_CHECKS) == 1
    assert "Running 50 %" in told(clerk_desk)[TITLE][0]
    Phone.objects.filter(pk=two[0].pk).update(next_check_at=now())
    assert run_queue(STATUS_CHECKS) == 1
    assert bell_of(clerk_desk) == "Your long work: 0 running, 1 new"
    assert "Finished, 2 failed, " in told(clerk_desk)[TITLE][0]
    assert "pb-badge-bad" in clerk_desk.get(HOME).text
    assert not AskedRow.objects.exists()
    clerk_desk.post(BELL)
    assert bell_of(clerk_desk) == "Your long work: 0 running, 0 new"


def test_what_needs_no_check_any_more_is_not_waited_for(clerk_desk, two):
    ask(clerk_desk, *two)
    two[0].delete()
    Phone.objects.filter(pk=two[1].pk).update(is_active=False)
    assert "Finished, " in told(clerk_desk)[TITLE][0]


def test_nobody_hears_of_anothers_or_of_what_they_may_not_see(clerk_desk, acme_clerk, acme, other, root, two):
    ask(clerk_desk, *two)
    for person in (root, clerk(acme, "second@acme.example"), clerk(other, "clerk@other.example")):
        assert not told(at_desk(person))
    acme_clerk.user_permissions.clear()
    assert not told(clerk_desk)


def test_after_a_week_it_is_forgotten(clerk_desk, two):
    ask(clerk_desk, *two)
    AskedWork.objects.update(asked_at=now() - timedelta(days=8))
    assert not told(clerk_desk)
    ask(clerk_desk, *two)
    assert AskedWork.objects.count() == 1


def test_a_page_asks_once_whatever_has_ended(clerk_desk, two):
    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            clerk_desk.get(BELL)
        return len(queries)

    clerk_desk.get(BELL)
    none = asked()
    for _ in range(12):
        ask(clerk_desk, *two)
    run_queue(STATUS_CHECKS)
    for _ in range(2):
        assert clerk_desk.get(BELL).status_code == 200, "which finds out what has ended, of so many as it shows"
    assert asked() == none
    assert clerk_desk.get(BELL).text.count("<li>") == 8
