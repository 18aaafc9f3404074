"""Rollouts to many phones are planned by workers: each phone has its one deployment, whenever a worker dies."""

from collections import Counter
from contextlib import suppress
from datetime import timedelta
from itertools import count

import pytest
from django.db import connection
from django.utils import timezone

from contacts_app.core.errors import Refusal
from contacts_app.core.work import clock
from contacts_app.core.work.claim import Claims
from contacts_app.core.work.queue import run_queue
from contacts_app.core.work.wake import sweep
from phones_app.deployment.models import Deployment
from phones_app.inventory.models import Phone
from phones_app.rollout import counting, planning
from phones_app.rollout import rollout as rollouts
from phones_app.rollout.models import ChosenPhone, Rollout, RolloutMember, RolloutPlanning, RolloutState
from phones_app.servers.models import FileServer
from profiles_app.phone.services import create_profile
from tests.admin_people import at_desk
from tests.phones_app.site import ACTOR, sip_file
from tests.processes import processes

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("no_inline_work")]
MANY = 1600


class Killed(BaseException):
    """What a worker meets that is killed."""


@pytest.fixture
def profile(alice):
    FileServer.objects.create(name="F", host="127.0.0.1", port=1, account=alice.account, is_default=True)
    return create_profile(actor=ACTOR, user=alice, name="Desk", content=sip_file("1002").encode())


@pytest.fixture
def fleet(acme):
    """Six phones that fit and one that does not."""
    return [*make_fleet(acme, 6), Phone.objects.create(mac="0200000000FF", account=acme, is_active=False)]


@pytest.fixture
def by_a_worker(monkeypatch):
    """However few the phones are, and two at a time; and their numbers are kept, as those of many are."""
    monkeypatch.setattr(counting, "FEW", 0)
    monkeypatch.setattr(planning, "AT_ONCE", 0)
    monkeypatch.setattr(planning, "BATCH", 2)


def make_fleet(account, number):
    return Phone.objects.bulk_create(
        Phone(mac=f"02{n:010X}", account=account, model="8845", software_type="SIP") for n in range(number)
    )


def not_now() -> dict[str, object]:
    """A window that is closed: the rollout begins with no phone."""
    now = timezone.localtime()
    return {"window_start": (now + timedelta(hours=3)).time(), "window_end": (now + timedelta(hours=4)).time()}


def check_planned(rollout, phones, waves):
    """Each phone has one deployment and its place, and nothing is left over."""
    rollout.refresh_from_db()
    assert (rollout.state, rollout.total, rollout.waves) == (RolloutState.RUNNING, phones, len(waves))
    assert Deployment.objects.count() == Deployment.objects.values("phone").distinct().count() == phones
    placed = Counter(RolloutMember.objects.values_list("wave", flat=True))
    assert placed == dict(enumerate(waves, 1))
    assert not ChosenPhone.objects.exists()
    assert not RolloutPlanning.objects.exists()
    rollouts.advance_all()
    rollout.refresh_from_db()
    assert rollout.state == RolloutState.RUNNING, "whoever looked while it was planned"


def test_over_rest_it_is_answered_before_it_is_planned(api, profile, fleet, by_a_worker):
    wanted = {"profile_uuid": str(profile.uuid), "all": True, "canary_size": 1, "wave_size": 3} | not_now_in_json()
    response = api.post("rollouts", wanted)
    assert response.status_code == 202, response.content
    assert response.json()["message"] == "Rollout to 7 phone(s) is being planned"
    told = response.json()["data"]["rollout"]
    assert (told["state"], told["is_open"], told["total"]) == ("planning", True, 7)
    assert told["planning"] == {"chosen": 7, "looked_at": 0}
    assert api.get(f"rollouts/{told['uuid']}").json()["data"] == told
    assert [row["uuid"] for row in api.get("rollouts?state=planning").json()["data"]] == [told["uuid"]]
    assert api.post(f"rollouts/{told['uuid']}/pause").status_code == 409
    run_queue(planning.ROLLOUTS)
    told = api.get(f"rollouts/{told['uuid']}").json()["data"]
    assert (told["state"], told["total"], told["planning"], told["refused_total"]) == ("running", 6, None, 1)
    assert told["progress"]["parts"]["held_back"] == 6
    check_planned(Rollout.objects.get(), 6, [1, 3, 2])


def test_a_rollout_that_reaches_no_phone_says_why(api, profile, acme, by_a_worker):
    Phone.objects.create(mac="0200000000FF", account=acme, is_active=False)
    uuid = api.post("rollouts", {"profile_uuid": str(profile.uuid), "all": True}).json()["data"]["rollout"]["uuid"]
    run_queue(planning.ROLLOUTS)
    told = api.get(f"rollouts/{uuid}").json()["data"]
    assert (told["state"], told["reason"]) == ("finished", "No phone gets a file: 0 had it already, 1 refused.")


def test_a_time_zone_that_is_none_holds_up_neither_the_rollout_nor_the_sweep(start, profile, acme):
    """Typed before its name was looked at: the window is one of UTC, and the work of all accounts goes on."""
    rollout = start(make_fleet(acme, 1), profile, **not_now())
    assert not rollout.deployments.exclude(next_attempt_at=None).exists()
    hours = [(timezone.now() + timedelta(hours=hours)).time() for hours in (-1, 1)]
    type(rollout).objects.update(window_start=hours[0], window_end=hours[1])
    type(acme).objects.update(time_zone="Europe/Lissabon")
    sweep()
    assert rollout.deployments.exclude(next_attempt_at=None).count() == 1


def not_now_in_json():
    return {name: value.strftime("%H:%M:%S") for name, value in not_now().items()}


def test_its_page_shows_how_far_it_is_and_cancels_it(root, profile, fleet, start, by_a_worker):
    rollout, desk = start(fleet, profile), at_desk(root)
    page = f"/admin/phones_app/rollout/{rollout.pk}/"
    shown = desk.get(f"{page}change/").content.decode()
    assert "0 of 7 phones looked at" in shown
    assert "phones done" not in shown, "nor what else is not known yet"
    desk.post(f"{page}cancel/now/", {"confirm": "yes"})
    rollout.refresh_from_db()
    assert rollout.state == RolloutState.CANCELLED
    assert run_queue(planning.ROLLOUTS) == 0
    assert not Deployment.objects.exists()


def test_killed_at_any_statement(profile, fleet, start, by_a_worker):
    """The same rollout again and again, each time with a worker that dies a few statements later."""
    for dies_at in count(1, 4):
        rollout = start(fleet, profile, canary_size=1, wave_size=3, **not_now())
        left = iter(range(dies_at))

        def statement(execute, sql, params, many, context, left=left):
            if next(left, None) is None:
                raise Killed
            return execute(sql, params, many, context)

        work = planning.RolloutPlannings("first")
        claim = Claims(work).take()
        with suppress(Killed), connection.execute_wrapper(statement):
            work.do(claim.keys)
        was_killed = next(left, None) is None
        RolloutPlanning.objects.update(lease_until=clock.now() - timedelta(seconds=1))
        run_queue(planning.ROLLOUTS)
        check_planned(rollout, 6, [1, 3, 2])
        assert (rollout.refused_total, rollout.unchanged) == (1, 0)
        if not was_killed:
            break
        rollout.delete()
        Deployment.objects.all().delete()
    assert dies_at > 30


def test_a_worker_whose_lease_was_taken_over_writes_nothing(profile, fleet, start, by_a_worker):
    rollout = start(fleet, profile, **not_now())
    stopped, other = planning.RolloutPlannings("stopped"), planning.RolloutPlannings("other")
    keys = Claims(stopped).take().keys
    [row] = stopped.held(keys).select_related("rollout__profile")
    RolloutPlanning.objects.update(lease_until=clock.now() - timedelta(seconds=1))
    other.do(Claims(other).take().keys)
    check_planned(rollout, 6, [6])
    with pytest.raises((planning.LeaseLost, Rollout.DoesNotExist)):
        planning._plan(row)
    check_planned(rollout, 6, [6])


def test_what_is_deleted_while_it_is_planned(profile, fleet, start, by_a_worker):
    """A phone is left out; without its profile the rollout would be one of each phone's own."""
    rollout = start(fleet, profile, **not_now())
    fleet[0].delete()
    run_queue(planning.ROLLOUTS)
    check_planned(rollout, 5, [5])
    again = start(fleet[1:], profile)
    profile.delete()
    run_queue(planning.ROLLOUTS)
    again.refresh_from_db()
    assert (again.state, Deployment.objects.count()) == (RolloutState.ABORTED, 5)
    assert again.reason == "The profile was deleted while the rollout was being planned."
    with pytest.raises(Refusal):
        rollouts.cancel(again)


def test_a_phone_that_goes_to_another_account_while_it_is_planned(
    profile, other, fleet, start, by_a_worker, monkeypatch
):
    """Its file would bring the credentials of one account to a phone of another."""
    rollout = start(fleet, profile, **not_now())
    lay_out = planning._lay_out

    def laid_out(*what):
        lay_out(*what)
        Phone.objects.filter(pk=fleet[0].pk).update(account=other)

    monkeypatch.setattr(planning, "_lay_out", laid_out)
    run_queue(planning.ROLLOUTS)
    check_planned(rollout, 5, [5])
    assert not Deployment.objects.filter(phone=fleet[0]).exists()
    assert {"phone-changed": 1}.items() <= {group["code"]: group["phones"] for group in rollout.refused}.items()


def test_a_restored_portal_plans_nothing_to_its_end(profile, fleet, start, by_a_worker):
    rollout = start(fleet, profile)
    rollouts.pause_running()
    rollout.refresh_from_db()
    assert (rollout.state, rollout.reason[:23]) == (RolloutState.CANCELLED, "The portal was restored")


def test_killed_workers(acme, profile, tmp_path, monkeypatch):
    """kill -9, once while it looks at phones or has just begun to store, and once in the middle of storing."""
    make_fleet(acme, MANY)
    rows = planning.Selection(Phone.objects.all())
    with processes(tmp_path) as running:
        if not running.environment["CELERY_BROKER_URL"].startswith("sqla"):
            running.start_broker()
        running.start_worker()
        running.start_sweep()
        pace = Rollout(canary_size=5, wave_size=800, **not_now())
        rollout = rollouts.start(selection=rows, profile=profile, actor=ACTOR, pace=pace)
        assert (rollout.state, rollout.total) == (RolloutState.PLANNING, MANY)
        for stored in (-1, 0):
            running.until(lambda stored=stored: is_claimed() and rollout.members.count() > stored)
            running.kill("worker")
            running.start_worker()
        running.until(lambda: Rollout.objects.get().state == RolloutState.RUNNING)
    check_planned(rollout, MANY, [5, 800, 795])


def is_claimed() -> bool:
    return RolloutPlanning.objects.exclude(lease_owner="").exists()
