"""What ends a log-in by itself, and what brings a phone back whose log-out has failed."""

from datetime import UTC, datetime, time, timedelta

import pytest
from django.utils import timezone

from contacts_app.core.work.queue import run_queue
from contacts_app.people.models import User
from phones_app.deployment.models import CALL_TO_END, State
from phones_app.inventory.models import Phone, Presence
from phones_app.inventory.status_check import STATUS_CHECKS
from phones_app.mobility.login import log_in
from phones_app.mobility.logout import log_out
from phones_app.mobility.models import MobilityPolicy, MobilitySession, PersonMobility, SessionState, Why
from phones_app.mobility.policy import daily_logout_after
from phones_app.mobility.timers import MOBILITY
from phones_app.servers.models import FileServer
from phones_app.simulator.state import Fault
from profiles_app.events.models.outbox import Event
from tests.phones_app.hands import switch_off, switch_on
from tests.phones_app.site import ACTOR
from tests.servers import free_port

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def desk(mobile, people, device):
    device("Bob")
    return mobile()


def is_(session, *states):
    def holds() -> bool:
        session.refresh_from_db()
        return session.state in states

    return holds


def time_passes(session: MobilitySession, **time: int) -> None:
    """As if the log-in had been so long ago."""
    back, session = timedelta(**time), MobilitySession.objects.get(pk=session.pk)
    MobilitySession.objects.filter(pk=session.pk).update(
        since=session.since - back,
        until=session.until and session.until - back,
        used_at=session.used_at and session.used_at - back,
        next_attempt_at=session.next_attempt_at and session.next_attempt_at - back,
    )


def test_the_longest_log_in_ends_after_the_call(site, desk, people, work, settings):
    settings.CALL_POLL_SECONDS = 0.1
    with site.alive(desk) as fleet:
        session = log_in(desk, people["Bob"], actor=ACTOR)
        work(is_(session, SessionState.LOGGED_IN))
        # A fetch tells of the log-in before the phone has read what it fetched.
        assert fleet.wait_until(lambda: fleet[desk.mac].line_users == ("7301",))
        fleet[desk.mac].fault = Fault.IN_CALL
        time_passes(session, hours=7)
        run_queue(MOBILITY)
        assert is_(session, SessionState.LOGGED_IN)(), "eight hours are not over"
        time_passes(session, hours=1)
        work(lambda: is_(session, SessionState.LOGGING_OUT)() and session.logout.waiting_for == CALL_TO_END)
        assert session.why == Why.TIME_LIMIT
        assert fleet[desk.mac].line_users == ("7301",), "nobody is cut off"
        fleet[desk.mac].fault = Fault.NONE
        work(is_(session, SessionState.LOGGED_OUT))


def test_a_phone_without_power_is_whose_it_was_and_takes_the_base_profile_when_it_starts(
    site, desk, people, work, settings
):
    with site.alive(desk) as fleet:
        session = log_in(desk, people["Bob"], actor=ACTOR)
        work(is_(session, SessionState.LOGGED_IN))
        one = fleet[desk.mac]
        switch_off(fleet, desk.mac)
        assert is_(session, SessionState.LOGGED_IN)()
        switch_on(fleet, desk.mac)
        assert one.line_users == ("7301",)
        switch_off(fleet, desk.mac)
        settings.CONFIRM_SECONDS = 0.5
        log_out(session, why=Why.STAFF, actor=ACTOR)
        work(is_(session, SessionState.OUT_AT_RESTART))
        assert session.ended_at
        one.fault = Fault.NONE
        work(is_(session, SessionState.LOGGED_OUT))
        assert fleet.wait_until(lambda: one.line_users == ("1000",))


LIMITS = [
    # policy, person, asked for: what holds, in minutes
    ({}, None, None, 480),
    ({"longest_minutes": 30}, None, None, 30),
    ({"longest_minutes": None}, None, None, None),
    ({"longest_minutes": None}, 20, None, 20),
    ({"longest_minutes": 30}, 60, None, 60),
    ({"longest_minutes": 30}, None, 10, 10),
    ({"longest_minutes": 30}, None, 90, 30),
]


@pytest.mark.parametrize(("policy", "person", "asked", "minutes"), LIMITS)
def test_how_long_a_log_in_lasts(desk, people, policy, person, asked, minutes):
    if policy:
        MobilityPolicy.objects.create(account=desk.account, **policy)
    if person:
        PersonMobility.objects.create(user=people["Bob"], longest_minutes=person)
    now = timezone.now()
    until = now + timedelta(minutes=asked) if asked else None
    session = log_in(desk, people["Bob"], until=until, actor=ACTOR)
    if minutes is None:
        assert session.until is None
    else:
        assert abs(session.until - now - timedelta(minutes=minutes)) < timedelta(seconds=30)


@pytest.mark.parametrize(
    ("zone", "moment", "expected"),
    [
        ("UTC", (10, 0), (20, 0, 29)),
        ("UTC", (20, 0), (20, 0, 30)),
        ("Europe/Lisbon", (21, 0), (20, 0, 30)),
        ("Asia/Tokyo", (10, 30), (11, 0, 29)),
        # Of before its name was looked at.
        ("Europe/Lissabon", (10, 0), (20, 0, 29)),
    ],
)
def test_the_daily_log_out_is_at_the_accounts_time_of_day(acme, zone, moment, expected):
    acme.time_zone = zone
    policy = MobilityPolicy(account=acme, daily_logout=time(20, 0))
    found = daily_logout_after(policy, acme, datetime(2026, 11, 29, *moment, tzinfo=UTC))
    hour, minute, day = expected
    assert found == datetime(2026, 11, day, hour, minute, tzinfo=UTC)


def test_a_daily_log_out_time_also_ends_what_began_before_it_was_set(desk, people):
    session = log_in(desk, people["Bob"], actor=ACTOR)
    MobilitySession.objects.update(state=SessionState.LOGGED_IN)
    time_passes(session, hours=2)
    hour_ago = (timezone.now() - timedelta(hours=1)).time()
    MobilityPolicy.objects.create(account=desk.account, daily_logout=hour_ago)
    run_queue(MOBILITY)
    session.refresh_from_db()
    assert (session.state, session.why) == (SessionState.LOGGING_OUT, Why.DAILY)


def test_a_phone_without_use_is_logged_out_and_one_that_is_used_is_not(site, desk, people, work, screen):
    MobilityPolicy.objects.create(account=desk.account, idle_minutes=30)
    with site.alive(desk) as fleet:
        session = log_in(desk, people["Bob"], actor=ACTOR)
        work(is_(session, SessionState.LOGGED_IN))

        def later(minutes: int) -> str:
            """Looks every five minutes, and the state after them."""
            for _ in range(minutes // 5):
                time_passes(session, minutes=5)
                run_queue(MOBILITY)
                run_queue(STATUS_CHECKS)
            session.refresh_from_db()
            return session.state

        assert later(25) == SessionState.LOGGED_IN
        fleet[desk.mac].fault = Fault.IN_CALL
        assert later(40) == SessionState.LOGGED_IN
        fleet[desk.mac].fault = Fault.NONE
        assert later(25) == SessionState.LOGGED_IN, "the last call was less than half an hour ago"
        screen("em/status", desk)
        screen("em", desk)
        assert later(25) == SessionState.LOGGED_IN
        assert later(10) == SessionState.LOGGING_OUT
        assert session.why == Why.NO_USE
        work(is_(session, SessionState.LOGGED_OUT))


UNKNOWN_USE = {
    "no status page": {"presence": Presence.UNREACHABLE, "in_call": False},
    "another phone there": {"presence": Presence.ANOTHER, "in_call": False},
    "it does not tell of calls": {"in_call": None},
    "not looked at lately": {"last_seen_at": timezone.now() - timedelta(hours=1)},
}


@pytest.mark.parametrize("known", [None, *UNKNOWN_USE])
def test_only_who_is_known_not_to_use_the_phone_is_logged_out(desk, people, known):
    MobilityPolicy.objects.create(account=desk.account, idle_minutes=30)
    session = log_in(desk, people["Bob"], actor=ACTOR)
    found = {"presence": Presence.REACHABLE, "in_call": False, "last_seen_at": timezone.now()}
    Phone.objects.update(**found | UNKNOWN_USE.get(known, {}))
    an_hour_ago = timezone.now() - timedelta(hours=1)
    MobilitySession.objects.update(state=SessionState.LOGGED_IN, used_at=an_hour_ago, next_attempt_at=an_hour_ago)
    run_queue(MOBILITY)
    assert is_(session, SessionState.LOGGED_IN if known else SessionState.LOGGING_OUT)()


def test_a_log_out_that_fails_is_tried_again_until_the_base_profile_is_back(site, desk, people, work):
    with site.alive(desk):
        session = log_in(desk, people["Bob"], actor=ACTOR)
        work(is_(session, SessionState.LOGGED_IN))
        FileServer.objects.update(port=free_port(), is_embedded=False)
        session = log_out(session, why=Why.STAFF, actor=ACTOR)
        work(lambda: type(session.logout).objects.get(pk=session.logout_id).state == State.FAILED)
        assert is_(session, SessionState.LOGGING_OUT)(), "the person's file is still there"
        for _ in range(2):
            time_passes(session, minutes=5)
            run_queue(MOBILITY)
        session.refresh_from_db()
        assert (session.state, session.why) == (SessionState.LOGGING_OUT, Why.STAFF)
        assert session.tries
        FileServer.objects.update(port=site.files.ftp_port, is_embedded=True)
        time_passes(session, hours=1)
        work(is_(session, SessionState.LOGGED_OUT))
        assert site.file_of(desk) == session.phone.base_profile.content
    assert sum("em-failed" in event.tags for event in Event.objects.all()) == 1


def test_without_a_base_profile_it_waits_for_one(desk, people, mobile):
    session = log_in(desk, people["Bob"], actor=ACTOR)
    desk.base_profile = None
    desk.save()
    session = log_out(session, why=Why.STAFF, actor=ACTOR)
    assert (session.state, session.note) == (SessionState.LOGGING_OUT, "The phone has no base profile.")
    desk.base_profile = mobile.base
    desk.save()
    run_queue(MOBILITY)
    session.refresh_from_db()
    assert session.logout.profile == mobile.base
    assert session.note == ""


def test_what_nobody_told_of_is_found(site, desk, people, work, monkeypatch):
    """A worker that dies after the commit of a deployment's state tells no session."""
    monkeypatch.setattr("phones_app.deployment.outcome._followers", [])
    with site.alive(desk):
        session = log_in(desk, people["Bob"], actor=ACTOR)
        work(lambda: not type(session.login).objects.get(pk=session.login_id).is_open)
        assert is_(session, SessionState.LOGGING_IN)()
        time_passes(session, minutes=1)
        work(is_(session, SessionState.LOGGED_IN))


def test_a_person_without_a_permission_is_refused_in_services_too(desk, people, charlie):
    from phones_app.mobility.switch import EmRefusal

    PersonMobility.objects.create(user=people["Bob"], is_allowed=False)
    for person in (people["Bob"], charlie):
        with pytest.raises(EmRefusal) as refused:
            log_in(desk, person, actor=ACTOR)
        assert refused.value.number == 4
    User.objects.filter(pk=charlie.pk).update(is_active=False)
    with pytest.raises(EmRefusal) as refused:
        log_in(desk, charlie, actor=ACTOR)
    assert refused.value.number == 23
