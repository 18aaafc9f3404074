"""The bell above the pages of the admin: deployments and restarts of a selection that somebody has started."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.timezone import now

from phones_app.deployment.admin import own_work
from phones_app.deployment.models import Deployment
from tests.admin_people import at_desk, clerk
from tests.bell import BELL, HOME, bell_of, told
from tests.phones_app.deployment.admin.test_deploy import DEPLOY, LIST, RESTART, confirmed

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shared_server")]


@pytest.fixture
def three(new_phone):
    return [new_phone(f"AABBCCDDEE0{number}") for number in (1, 2, 3)]


def end(rows, state: str, ago: timedelta = timedelta()) -> None:
    rows.update(state=state, finished_at=now() - ago)


def test_a_selection_that_is_deployed_to_is_one_piece_of_work(clerk_desk, three, new_profile):
    profile = new_profile(name="Desk")
    clerk_desk.post(DEPLOY, confirmed(profile, *three))
    rows = Deployment.objects.order_by("pk")
    assert bell_of(clerk_desk) == "Your long work: 1 running, 0 new"
    assert "Running 0 %" in told(clerk_desk)["Desk → 3 phones"][0]
    end(rows.filter(pk=rows[0].pk), "confirmed")
    assert "Running 33 %" in told(clerk_desk)["Desk → 3 phones"][0]
    end(rows.filter(pk=rows[1].pk), "failed")
    end(rows.filter(pk=rows[2].pk), "restart_acknowledged")
    assert "Finished, 1 failed, 1 not confirmed, " in told(clerk_desk)["Desk → 3 phones"][0]
    assert bell_of(clerk_desk) == "Your long work: 0 running, 1 new"
    assert "pb-badge-bad" not in clerk_desk.get(HOME).text, "one of them went right"
    end(rows, "failed")
    assert "pb-badge-bad" in clerk_desk.get(HOME).text
    clerk_desk.post(BELL)
    assert bell_of(clerk_desk) == "Your long work: 0 running, 0 new"


def test_it_leads_to_its_own_deployments(clerk_desk, three, new_phone, new_profile):
    profile, other = new_profile(name="Desk"), new_phone("AABBCCDDEE09")
    clerk_desk.post(DEPLOY, confirmed(profile, *three))
    clerk_desk.post(DEPLOY, confirmed(profile, other))
    page = clerk_desk.get(told(clerk_desk)["Desk → 3 phones"][1]).text
    assert all(f"AA:BB:CC:DD:EE:0{number}" in page for number in (1, 2, 3))
    assert "AA:BB:CC:DD:EE:09" not in page
    alone = Deployment.objects.get(phone=other)
    text, url = told(clerk_desk)["Desk → SEPAABBCCDDEE09"]
    assert "Queued" in text
    assert url == reverse("admin:phones_app_deployment_change", args=[alone.pk])


def test_restarts_and_files_that_are_put_back_are_told_too(clerk_desk, three, new_profile):
    clerk_desk.post(RESTART, {"phones": ",".join(str(phone.pk) for phone in three[:2]), "confirm": "yes"})
    assert list(told(clerk_desk)) == ["restart → 2 phones"]
    clerk_desk.post(DEPLOY, confirmed(new_profile(name="Desk"), *three))
    assert "Finished, 2 superseded, " in told(clerk_desk)["restart → 2 phones"][0]
    rows = Deployment.objects.filter(finished_at=None).order_by("pk")
    rows.filter(pk=rows[0].pk).update(profile_name="Lobby")
    assert "files → 3 phones" in told(clerk_desk)


def test_nobody_hears_of_anothers(clerk_desk, root, acme, other, three, new_profile):
    clerk_desk.post(DEPLOY, confirmed(new_profile(), *three))
    assert "1 running" in bell_of(clerk_desk)
    for person in (root, clerk(acme, "second@acme.example"), clerk(other, "clerk@other.example")):
        assert "0 running" in bell_of(at_desk(person))
        assert not told(at_desk(person))


def test_who_has_left_the_account_or_lost_the_right_hears_no_more(clerk_desk, acme_clerk, other, three, new_profile):
    clerk_desk.post(DEPLOY, confirmed(new_profile(), *three))
    acme_clerk.account = other
    acme_clerk.save()
    assert not told(clerk_desk)
    acme_clerk.account = three[0].account
    acme_clerk.save()
    assert told(clerk_desk)
    acme_clerk.user_permissions.clear()
    assert not told(clerk_desk)


def test_what_programs_rollouts_and_last_month_asked_for_is_not_told(clerk_desk, three, new_profile):
    clerk_desk.post(DEPLOY, confirmed(new_profile(), *three))
    rows = Deployment.objects.order_by("pk")
    for number, values in enumerate(({"channel": "rest"}, {"in_batch": True}, {"created_at": now() - timedelta(8)})):
        rows.filter(pk=rows[number].pk).update(**values)
    assert not told(clerk_desk)


def test_of_very_many_the_newest_are_told_of(clerk_desk, three, new_phone, new_profile, monkeypatch):
    profile, earlier = new_profile(name="Desk"), new_phone("AABBCCDDEE09")
    clerk_desk.post(DEPLOY, confirmed(profile, earlier))
    Deployment.objects.update(created_at=now() - timedelta(hours=1))
    clerk_desk.post(DEPLOY, confirmed(profile, *three))
    monkeypatch.setattr(own_work, "LOOKED_AT", 2)
    assert set(told(clerk_desk)) == {"Desk → 3 phones"}, "which were stored at one moment"
    monkeypatch.setattr(own_work, "LOOKED_AT", 4)
    assert set(told(clerk_desk)) == {"Desk → 3 phones", "Desk → SEPAABBCCDDEE09"}


def test_of_a_selection_that_is_not_looked_at_as_a_whole_it_is_said_that_there_are_more(
    clerk_desk, three, new_profile, monkeypatch
):
    clerk_desk.post(DEPLOY, confirmed(new_profile("Desk"), *three))
    Deployment.objects.filter(phone=three[0]).update(created_at=now() - timedelta(hours=1))
    monkeypatch.setattr(own_work, "LOOKED_AT", 2)
    assert set(told(clerk_desk)) == {"Desk → 2+ phones"}


def test_a_page_asks_once_whatever_there_is(clerk_desk, three, new_profile):
    clerk_desk.get(LIST)
    profile = new_profile()

    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            clerk_desk.get(BELL)
        return len(queries)

    none = asked()
    for _ in range(12):
        clerk_desk.post(DEPLOY, confirmed(profile, *three))
    assert asked() == none
    assert clerk_desk.get(BELL).text.count("<li>") == 8


def test_both_the_bell_and_its_list_are_answered_from_an_index(clerk_desk, three, new_profile):
    if connection.vendor != "postgresql":
        pytest.skip("only PostgreSQL tells its plans so")
    clerk_desk.post(DEPLOY, confirmed(new_profile(), *three))
    url = next(iter(told(clerk_desk).values()))[1]
    with connection.cursor() as cursor:
        # Of so few rows it would read all, or sort those of another index.
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_sort = off")
    for page in (BELL, url):
        with CaptureQueriesContext(connection) as captured:
            clerk_desk.get(page)
        plans = []
        with connection.cursor() as cursor:
            for query in captured:
                if "in_batch" in query["sql"] and "request_id" in query["sql"] and query["sql"].startswith("SELECT"):
                    cursor.execute("EXPLAIN " + query["sql"])
                    plans.append("\n".join(row[0] for row in cursor.fetchall()))
        # Of so few rows another index will do as well: which one it is of many is measured.
        assert plans, page
        assert not any("Seq Scan on phones_app_deployment" in plan for plan in plans), plans
        if page == BELL:
            assert not any("Join" in plan for plan in plans), "all deployments would be looked through"
