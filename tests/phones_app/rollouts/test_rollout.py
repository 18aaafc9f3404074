"""Rollouts to simulated phones: waves, limits, and how they stop."""

from datetime import timedelta

import pytest
from django.utils import timezone

from phones_app.models import Deployment, Phone, PhoneFile, RolloutState
from phones_app.models.deployment import State
from phones_app.services import rollout as rollouts
from phones_app.services.phone_profile import update_profile
from phones_app.simulator.orders import Fault
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
    firsts = [min(row.started_at for row in rollout.deployments.filter(wave=wave)) for wave in (1, 2, 3)]
    lasts = [max(row.finished_at for row in rollout.deployments.filter(wave=wave)) for wave in (1, 2, 3)]
    assert lasts[0] < firsts[1]
    assert lasts[1] < firsts[2]


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
    going = Deployment.objects.filter(next_attempt_at__isnull=False).values_list("site", flat=True)
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
    local = timezone.now().astimezone(rollouts.ZoneInfo("Asia/Tokyo"))
    later = [(local + timedelta(hours=hours)).time() for hours in (1, 2)]
    rollout = start([phone], site.profile(), window_start=later[0], window_end=later[1])
    carry_out(rollout, until=lambda rollout: True)
    assert states(rollout) == {State.QUEUED: 1}
    around = [(local + timedelta(hours=hours)).time() for hours in (-1, 1)]
    type(rollout).objects.update(window_start=around[0], window_end=around[1])
    carry_out(rollout)
    assert states(rollout) == {State.FAILED: 1}


def test_a_phone_in_a_call_is_not_restarted_and_holds_nobody_up(
    site, start, carry_out, settings, no_inline_work
):
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
