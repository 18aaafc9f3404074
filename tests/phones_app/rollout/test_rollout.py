"""Rollouts to simulated phones: waves, limits, and how they stop."""

from contextlib import closing
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from contacts_app.core.errors import Refusal
from contacts_app.core.work.claim import Claims
from contacts_app.core.work.queue import run_queue
from phones_app.deployment.batch import upload_batch
from phones_app.deployment.models import Deployment, DeploymentStep, PhoneFile, State
from phones_app.deployment.request import DEPLOYMENTS
from phones_app.deployment.run import UploadBatches, run_one
from phones_app.drift.checks import check_files
from phones_app.drift.repair import adopt
from phones_app.inventory.models import Phone
from phones_app.rollout import rollout as rollouts
from phones_app.rollout.gate import in_window
from phones_app.rollout.models import Rollout, RolloutState
from phones_app.rollout.progress import progress_of
from phones_app.servers.models import FileServer
from phones_app.simulator.state import Fault
from phones_app.transports.ftp.pool import FtpPool
from profiles_app.phone.services import restore_revision, update_profile
from tests.phones_app.site import ACTOR, sip_file

pytestmark = pytest.mark.django_db(transaction=True)


def states(rollout) -> dict[str, int]:
    found: dict[str, int] = {}
    for state in rollout.deployments.values_list("state", flat=True):
        found[state] = found.get(state, 0) + 1
    return found


def test_every_phone_is_confirmed_wave_by_wave(site, start, carry_out, no_inline_work):
    phones, profile = [site.phone() for _ in range(7)], site.profile(content=sip_file("1002"))
    with site.alive(*phones):
        rollout = start(phones, profile, canary_size=1, wave_size=3)
        assert (rollout.total, rollout.waves) == (7, 3)
        carry_out(rollout)
    assert rollout.state == RolloutState.FINISHED
    assert states(rollout) == {State.CONFIRMED: 7}
    firsts = [min(row.started_at for row in rollout.deployments_where(wave=wave)) for wave in (1, 2, 3)]
    lasts = [max(row.finished_at for row in rollout.deployments_where(wave=wave)) for wave in (1, 2, 3)]
    assert lasts[0] < firsts[1]
    assert lasts[1] < firsts[2]
    [news] = [row for row in phones[0].history.all() if "current_profile" in row.history_changes]
    assert news.history_changes == {"current_profile": [None, str(profile)]}
    assert (news.history_actor, news.history_channel) == (ACTOR.label, "task")
    assert news.history_change_reason == f"Rollout {rollout}"


def test_phones_that_have_the_file_are_left_alone(site, start, carry_out, no_inline_work):
    phones, profile = [site.phone() for _ in range(2)], site.profile(content=sip_file("1002"))
    with site.alive(*phones) as fleet:
        carry_out(start(phones[:1], profile))
        second = start(phones, profile)
        assert (second.total, second.unchanged) == (1, 1)
        carry_out(second)
        assert states(second) == {State.CONFIRMED: 1}
        assert [fleet[phone.mac].restarts for phone in phones] == [1, 1]
        third = start(phones, profile)
        assert (third.state, third.total, third.unchanged) == (RolloutState.FINISHED, 0, 2)
        PhoneFile.objects.filter(phone=phones[0]).update(state="changed")
        assert start(phones, profile).total == 1, "a file that somebody changed is put in its place"
        profile = update_profile(profile, actor=ACTOR, content=sip_file("1003").encode())
        assert start(phones, profile).total == 2


def test_a_phone_whose_file_lies_elsewhere_or_is_another_gets_it(site, start, carry_out, no_inline_work):
    """Moved to another server, or after somebody's own file was adopted, it has not what was uploaded last."""
    moved, adopted = site.phone(), site.phone()
    profile = site.profile(content=sip_file("1002"))
    with site.alive(moved, adopted):
        carry_out(start([moved, adopted], profile))
    assert start([moved, adopted], profile).unchanged == 2
    other = FileServer.objects.create(name="Other", host="127.0.0.1", port=1, account=site.account)
    Phone.objects.filter(pk=moved.pk).update(file_server=other)
    (site.folder / f"SEP{adopted.mac}.cnf.xml").write_text(sip_file("1003"))
    list(check_files(PhoneFile.objects.filter(phone=adopted)))
    adopt(PhoneFile.objects.get(phone=adopted), actor=ACTOR)
    back = restore_revision(profile.revisions.get(number=1), actor=ACTOR)
    again = start([moved, adopted], back)
    assert (again.total, again.unchanged) == (2, 0)


def test_a_failing_canary_ends_it(site, start, carry_out, no_inline_work):
    phones = [site.phone() for _ in range(6)]
    Phone.objects.update(phone_ip=None)
    rollout = start(phones, site.profile(), canary_size=2, abort_count=2)
    carry_out(rollout)
    assert rollout.state == RolloutState.ABORTED
    assert "2 phones failed" in rollout.reason
    assert states(rollout) == {State.FAILED: 2, State.CANCELLED: 4}


def test_a_share_of_failures_ends_it(site, start, carry_out, no_inline_work):
    phones = [site.phone() for _ in range(4)]
    Phone.objects.update(phone_ip=None)
    rollout = carry_out(start(phones, site.profile(), wave_size=2, abort_percent=60))
    assert rollout.state == RolloutState.ABORTED
    assert states(rollout) == {State.FAILED: 2, State.CANCELLED: 2}


def test_failures_end_it_in_the_middle_of_a_wave(site, start, carry_out, no_inline_work):
    phones = [site.phone() for _ in range(5)]
    Phone.objects.update(phone_ip=None)
    rollout = carry_out(start(phones, site.profile(), server_limit=1, abort_count=2))
    assert (rollout.state, rollout.waves) == (RolloutState.ABORTED, 1)
    assert states(rollout) == {State.FAILED: 2, State.CANCELLED: 3}


def test_only_phones_that_failed_are_tried_again(site, start, carry_out, no_inline_work):
    phones, profile = [site.phone() for _ in range(3)], site.profile(content=sip_file("1002"))
    with site.alive(*phones) as fleet:
        Phone.objects.filter(pk=phones[0].pk).update(phone_ip=None)
        rollout = carry_out(start(phones, profile, canary_size=1))
        assert states(rollout) == {State.FAILED: 1, State.CONFIRMED: 2}
        Phone.objects.update(phone_ip="127.0.0.1")
        again = carry_out(rollouts.retry_failed(rollout, actor=ACTOR))
        assert [fleet[phone.mac].restarts for phone in phones] == [1, 1, 1]
    assert (again.canary_size, states(again)) == (1, {State.CONFIRMED: 1})
    with pytest.raises(Refusal, match="No phone of this rollout failed"):
        rollouts.retry_failed(again, actor=ACTOR)


def test_the_pause_between_waves_has_its_jitter(site, start, carry_out, no_inline_work):
    phones = [site.phone() for _ in range(2)]
    Phone.objects.update(phone_ip=None)
    pauses = set()
    for _ in range(3):
        rollout = start(phones, site.profile(), wave_size=1, wave_pause=600, wave_jitter=60)
        carry_out(rollout, until=lambda rollout: rollout.next_wave_at)
        ended = rollout.deployments_where(wave=1).get().finished_at
        pauses.add(pause := (rollout.next_wave_at - ended).total_seconds())
        assert 600 <= pause <= 665
        rollouts.cancel(rollout)
    assert len({round(pause, 1) for pause in pauses}) > 1, "phones of all rollouts would come at once"


def test_paused_it_begins_nothing_and_resumed_it_goes_on(site, start, carry_out, no_inline_work):
    phones = [site.phone() for _ in range(3)]
    Phone.objects.update(phone_ip=None)
    rollout = start(phones, site.profile(), wave_size=1, wave_pause=3600)
    carry_out(rollout, until=lambda rollout: rollout.next_wave_at)
    rollouts.pause(rollout)
    type(rollout).objects.update(next_wave_at=timezone.now() - timedelta(seconds=1))
    carry_out(rollout, until=lambda rollout: True)
    assert states(rollout) == {State.FAILED: 1, State.QUEUED: 2}
    rollouts.resume(rollout)
    carry_out(rollout, until=lambda rollout: rollout.wave == 2 and rollout.next_wave_at)
    assert states(rollout) == {State.FAILED: 2, State.QUEUED: 1}
    rollouts.cancel(rollout)
    assert states(rollout) == {State.FAILED: 2, State.CANCELLED: 1}
    assert not Deployment.objects.filter(finished_at=None).exists()


def test_no_more_at_once_than_the_limits_allow(site, start, no_inline_work):
    phones = [site.phone(location=place) for place in ("north", "north", "north", "south")]
    rollout = start(phones, site.profile(), site_limit=2)
    rollouts.advance_all()
    going = Deployment.objects.filter(next_attempt_at__isnull=False).values_list("in_rollout__site", flat=True)
    assert sorted(going) == ["north", "north", "south"]
    rollouts.cancel(rollout)
    start(phones, site.profile(), server_limit=1)
    rollouts.advance_all()
    rollouts.advance_all()
    assert Deployment.objects.filter(next_attempt_at__isnull=False, finished_at=None).count() == 1


def test_outside_its_window_it_waits(site, start, carry_out, acme, no_inline_work):
    acme.time_zone = "Asia/Tokyo"
    acme.save()
    phone = site.phone()
    Phone.objects.update(phone_ip=None)
    local = timezone.now().astimezone(ZoneInfo("Asia/Tokyo"))
    later = [(local + timedelta(hours=hours)).time() for hours in (1, 2)]
    rollout = start([phone], site.profile(), window_start=later[0], window_end=later[1])
    carry_out(rollout, until=lambda rollout: True)
    assert states(rollout) == {State.QUEUED: 1}
    around = [(local + timedelta(hours=hours)).time() for hours in (-1, 1)]
    type(rollout).objects.update(window_start=around[0], window_end=around[1])
    carry_out(rollout)
    assert states(rollout) == {State.FAILED: 1}


@pytest.mark.parametrize(
    ("window", "inside", "outside"),
    [
        (("08:00", "17:00"), ["08:00", "16:59"], ["07:59", "17:00", "23:00"]),
        (("22:00", "05:30"), ["22:00", "23:59", "00:00", "05:29"], ["05:30", "12:00", "21:59"]),
        (("00:00", "00:00"), ["00:00", "12:00", "23:59"], []),
    ],
)
def test_a_window_may_lie_over_midnight(acme, window, inside, outside):
    acme.time_zone = "Asia/Tokyo"
    start, end = map(time.fromisoformat, window)
    rollout = Rollout(account=acme, window_start=start, window_end=end)
    for moments, expected in ((inside, True), (outside, False)):
        for clock in moments:
            there = datetime.fromisoformat(f"2026-03-01T{clock}:00+09:00")
            assert in_window(rollout, there.astimezone(UTC)) is expected, clock


def test_a_phone_in_a_call_is_not_restarted_and_holds_nobody_up(site, start, carry_out, settings, no_inline_work):
    settings.CALL_POLL_SECONDS = 0.2
    phones, profile = [site.phone() for _ in range(3)], site.profile(content=sip_file("1002"))
    with site.alive(*phones) as fleet:
        talking = fleet[phones[0].mac]
        talking.fault = Fault.IN_CALL
        rollout = start(phones, profile, wave_size=1, server_limit=1)
        carry_out(rollout, until=lambda _: states(rollout).get(State.CONFIRMED) == 2)
        assert (talking.restarts, rollout.state) == (0, RolloutState.RUNNING)
        talking.fault = Fault.NONE
        carry_out(rollout)
        assert talking.restarts == 1
    assert states(rollout) == {State.CONFIRMED: 3}


def test_cancelled_a_phone_in_a_call_is_never_restarted(site, start, carry_out, settings, no_inline_work):
    settings.CALL_POLL_SECONDS = 0.1
    phone = site.phone()
    with site.alive(phone) as fleet:
        fleet[phone.mac].fault = Fault.IN_CALL
        rollout = start([phone], site.profile(content=sip_file("1002")))
        carry_out(rollout, until=lambda rollout: rollout.deployments.exclude(waiting_for="").exists())
        rollouts.cancel(rollout)
        fleet[phone.mac].fault = Fault.NONE
        for _ in range(3):
            run_queue(DEPLOYMENTS)
        assert (fleet[phone.mac].notifies, fleet[phone.mac].restarts) == (0, 0)
    assert states(rollout) == {State.CANCELLED: 1}


@pytest.mark.parametrize("closed", ["by a pause", "by its window"])
def test_a_call_that_ends_while_nothing_may_begin_is_followed_by_no_restart(
    site, start, carry_out, settings, no_inline_work, closed
):
    settings.CALL_POLL_SECONDS = 0.1
    phone = site.phone()
    with site.alive(phone) as fleet:
        fleet[phone.mac].fault = Fault.IN_CALL
        rollout = start([phone], site.profile(content=sip_file("1002")))
        carry_out(rollout, until=lambda rollout: rollout.deployments.exclude(waiting_for="").exists())
        if closed == "by a pause":
            rollouts.pause(rollout)
        else:
            hours = [(timezone.now() + timedelta(hours=hours)).time() for hours in (1, 2)]
            Rollout.objects.update(window_start=hours[0], window_end=hours[1])
        fleet[phone.mac].fault = Fault.NONE
        rollouts.advance_all()
        Deployment.objects.exclude(next_attempt_at=None).update(next_attempt_at=timezone.now())
        carry_out(rollout, until=lambda rollout: True)
        assert fleet[phone.mac].notifies == 0
        assert progress_of(rollout).parts["in_call"] == 1
        if closed == "by a pause":
            rollouts.resume(rollout)
        Rollout.objects.update(window_start=None, window_end=None)
        carry_out(rollout)
        assert fleet[phone.mac].restarts == 1
    assert states(rollout) == {State.CONFIRMED: 1}


@pytest.mark.parametrize("stopped", ["paused", "cancelled"])
def test_what_a_worker_has_just_uploaded_is_not_restarted_any_more(site, start, carry_out, no_inline_work, stopped):
    phones, owner = [site.phone() for _ in range(2)], "worker"
    with site.alive(*phones) as fleet, closing(FtpPool()) as pool:
        rollout = start(phones, site.profile(content=sip_file("1002")))
        rollouts.advance_all()
        claim = Claims(UploadBatches(owner)).take()
        keys = [key for batch in upload_batch(claim.keys, owner, pool) for key in batch]
        (rollouts.pause if stopped == "paused" else rollouts.cancel)(rollout)
        assert states(rollout) == {State.SESSION_CLEARED: 2}, "the worker holds them"
        for key in keys:
            run_one(key, owner, pool)
        assert [fleet[phone.mac].notifies for phone in phones] == [0, 0]
        if stopped == "cancelled":
            assert states(rollout) == {State.CANCELLED: 2}
            assert not DeploymentStep.objects.filter(finished_at=None).exists()
            return
        assert states(rollout) == {State.SESSION_CLEARED: 2}
        rollouts.resume(rollout)
        carry_out(rollout)
        assert [fleet[phone.mac].restarts for phone in phones] == [1, 1]
    assert states(rollout) == {State.CONFIRMED: 2}
