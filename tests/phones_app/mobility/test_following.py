"""A session says what is true of its phone, whatever happens to the deployment, the person or the phone meanwhile."""

from itertools import count

import pytest
from django.utils import timezone

from contacts_app.people.models import User
from contacts_app.people.pins import SET_COLUMNS, set_pin
from phones_app.deployment.models import Deployment, State
from phones_app.inventory.models import Phone
from phones_app.mobility.following import follow, settle
from phones_app.mobility.login import log_in
from phones_app.mobility.logout import log_out
from phones_app.mobility.models import MobilitySession, PersonMobility, Why
from phones_app.mobility.models import SessionState as Is
from phones_app.mobility.replacement import Handset, replace_handset
from profiles_app.events.models.outbox import Event
from profiles_app.phone.services import create_profile
from tests.phones_app.site import ACTOR, sip_file

pytestmark = pytest.mark.django_db
# How a deployment may stand: its state, whether its file is in its place, whether it has ended.
QUEUED = (State.QUEUED, False, False)
UPLOADING = (State.UPLOADING, False, False)
WAITS_FOR_CALL = (State.SESSION_CLEARED, True, False)
CONFIRMED = (State.CONFIRMED, True, True)
UPLOAD_FAILED = (State.FAILED, False, True)
RESTART_FAILED = (State.FAILED, True, True)
NO_EVIDENCE = (State.RESTART_ACKNOWLEDGED, True, True)
NOTHING_RESTARTS_IT = (State.UPLOADED, True, True)
REJECTED = (State.REJECTED, True, True)
CANCELLED_EARLY = (State.CANCELLED, False, True)
CANCELLED_LATE = (State.CANCELLED, True, True)
SUPERSEDED = (State.SUPERSEDED, False, True)

LOGIN = {
    QUEUED: Is.LOGGING_IN,
    UPLOADING: Is.LOGGING_IN,
    WAITS_FOR_CALL: Is.LOGGING_IN,
    CONFIRMED: Is.LOGGED_IN,
    UPLOAD_FAILED: Is.FAILED,
    RESTART_FAILED: Is.AT_RESTART,
    NO_EVIDENCE: Is.AT_RESTART,
    NOTHING_RESTARTS_IT: Is.AT_RESTART,
    REJECTED: Is.LOGGING_OUT,
    CANCELLED_EARLY: Is.FAILED,
    CANCELLED_LATE: Is.AT_RESTART,
    SUPERSEDED: Is.FAILED,
}
LOGOUT = {
    QUEUED: Is.LOGGING_OUT,
    UPLOADING: Is.LOGGING_OUT,
    WAITS_FOR_CALL: Is.LOGGING_OUT,
    CONFIRMED: Is.LOGGED_OUT,
    UPLOAD_FAILED: Is.LOGGING_OUT,
    RESTART_FAILED: Is.OUT_AT_RESTART,
    NO_EVIDENCE: Is.OUT_AT_RESTART,
    NOTHING_RESTARTS_IT: Is.OUT_AT_RESTART,
    REJECTED: Is.OUT_AT_RESTART,
    CANCELLED_EARLY: Is.LOGGING_OUT,
    SUPERSEDED: Is.LOGGING_OUT,
}


@pytest.fixture
def session(mobile, people, device) -> MobilitySession:
    device("Bob")
    return log_in(mobile(), people["Bob"], actor=ACTOR)


def put(deployment: Deployment | None, standing, **more: object) -> None:
    """As if workers had brought it there."""
    state, is_in_place, has_ended = standing
    now = timezone.now()
    Deployment.objects.filter(pk=deployment.pk).update(
        state=state, uploaded_at=now if is_in_place else None, finished_at=now if has_ended else None, **more
    )


def fresh(session: MobilitySession) -> MobilitySession:
    rows = MobilitySession.objects.select_related("login", "logout", "account", "phone", "user", "profile")
    return rows.get(pk=session.pk)


@pytest.mark.parametrize(("standing", "state"), LOGIN.items())
def test_a_log_in_is_as_its_deployment(session, standing, state):
    put(session.login, standing, error="So it was.")
    follow([session.login_id])
    session = fresh(session)
    assert session.state == state
    assert bool(session.ended_at) is (state == Is.FAILED)
    if state == Is.LOGGING_OUT:
        assert (session.why, session.logout) == (Why.REJECTED, None), "a worker brings the base profile back"
    assert not settle(fresh(session)), "there is nothing more to say"


@pytest.mark.parametrize(("standing", "state"), LOGOUT.items())
def test_a_log_out_is_as_its_deployment(session, standing, state):
    put(session.login, CONFIRMED)
    session = log_out(session, why=Why.STAFF, actor=ACTOR)
    put(session.logout, standing)
    follow([session.logout_id])
    session = fresh(session)
    assert session.state == state
    assert bool(session.ended_at) is (state in (Is.LOGGED_OUT, Is.OUT_AT_RESTART))


def test_late_evidence_says_what_the_phone_has_taken(session):
    """As of a phone that was switched off, and takes the file that is there when it starts."""
    put(session.login, RESTART_FAILED)
    follow([session.login_id])
    put(session.login, CONFIRMED)
    follow([session.login_id])
    assert fresh(session).state == Is.LOGGED_IN
    session = log_out(session, why=Why.STAFF, actor=ACTOR)
    put(session.logout, NO_EVIDENCE)
    follow([session.logout_id])
    put(session.logout, CONFIRMED)
    follow([session.logout_id])
    assert fresh(session).state == Is.LOGGED_OUT
    events = [tag for event in Event.objects.order_by("pk") for tag in event.tags if tag.startswith("em-")]
    assert events == ["em-login", "em-logout"]


def deployed(session: MobilitySession, profile, standing) -> Deployment:
    """Somebody in the admin has deployed this profile to the phone meanwhile."""
    row = Deployment.objects.create(
        account=session.account, phone=session.phone, mac=session.mac, profile=profile, requested_by="x", channel="x"
    )
    put(row, standing)
    return row


def test_another_profile_on_the_phone_ends_the_session(session, mobile):
    put(session.login, CONFIRMED)
    follow([session.login_id])
    row = deployed(session, mobile.base, CONFIRMED)
    follow([row.pk])
    session = fresh(session)
    assert (session.state, session.why, session.logout) == (Is.LOGGED_OUT, Why.DEPLOYED, row)


def test_the_persons_file_deployed_anew_does_not(session):
    put(session.login, CONFIRMED)
    follow([session.login_id])
    for standing in (UPLOADING, RESTART_FAILED, CONFIRMED):
        row = deployed(session, session.profile, standing)
        follow([row.pk])
        assert fresh(session).state == Is.LOGGED_IN, standing
        put(row, CONFIRMED)


MIDDLES = (QUEUED, UPLOADING, WAITS_FOR_CALL, (State.RESTARTING, True, False), CONFIRMED)


def deactivate(session, other):
    session.user.is_active = False
    session.user.save()


def delete_person(session, other):
    session.user.delete()


def move_person(session, other):
    session.user.account = other
    session.user.save()


def forbid(session, other):
    PersonMobility.objects.create(user=session.user, is_allowed=False)


def remove_pin(session, other):
    set_pin(session.user, "", actor=ACTOR)
    session.user.save(update_fields=SET_COLUMNS)


def set_another_pin(session, other):
    set_pin(session.user, "13579", actor=ACTOR)
    session.user.save(update_fields=SET_COLUMNS)


def delete_phone(session, other):
    session.phone.delete()


def move_phone(session, other):
    session.phone.account = other
    session.phone.save()


def change_mac(session, other):
    session.phone.mac = "0200000000FE"
    session.phone.save()


def replace_phone(session, other):
    replace_handset(session.phone, Handset("0200000000FE", "8851"), actor=ACTOR)


CHANGES = {
    deactivate: (Is.LOGGING_OUT, Why.PERSON_GONE),
    delete_person: (Is.LOGGING_OUT, Why.PERSON_GONE),
    move_person: (Is.LOGGING_OUT, Why.PERSON_GONE),
    forbid: (Is.LOGGING_OUT, Why.FORBIDDEN),
    remove_pin: (Is.LOGGING_OUT, Why.FORBIDDEN),
    set_another_pin: None,
    delete_phone: (Is.ABANDONED, Why.PHONE_GONE),
    move_phone: (Is.ABANDONED, Why.PHONE_GONE),
    change_mac: (Is.ABANDONED, Why.PHONE_GONE),
    replace_phone: (Is.ABANDONED, Why.PHONE_GONE),
}


@pytest.fixture
def somebody(mobile, people):
    """A person who is logging in on a phone, for each call another one."""
    numbers = count(1)

    def log_in_somebody() -> MobilitySession:
        name, account = f"b{next(numbers)}@acme.example", people["Bob"].account
        person = User(email=name, username=name, account=account)
        person.set_pin("2580")
        person.save()
        create_profile(actor=ACTOR, user=person, name="Own", content=sip_file("7777").encode())
        return log_in(mobile(), person, actor=ACTOR)

    return log_in_somebody


def moved_on(session: MobilitySession) -> list[str]:
    """What there is at the handset that has taken the phone's place, if one has."""
    rows = MobilitySession.objects.filter(mac="0200000000FE", phone__mac="0200000000FE")
    states = list(rows.values_list("state", flat=True))
    Phone.objects.filter(mac="0200000000FE").delete()
    return states


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_in_the_middle_of_a_log_in_leaves_a_true_state(mobile, somebody, other, change):
    for middle in MIDDLES:
        session = somebody()
        put(session.login, middle)
        follow([session.login_id])
        before = fresh(session)
        change(fresh(session), other)
        session = fresh(session)
        assert (session.state, session.why) == (CHANGES[change] or (before.state, before.why)), middle
        if session.state == Is.LOGGING_OUT:
            assert session.logout.profile == mobile.base
            assert session.person_name == before.person_name
        assert bool(session.ended_at) is (session.state == Is.ABANDONED)
        # Who was at the old handset is at the new one.
        assert moved_on(session) == ([Is.LOGGING_IN] if change is replace_phone else [])


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_in_the_middle_of_a_log_out_leaves_a_true_state(mobile, somebody, other, change):
    for middle in MIDDLES:
        session = somebody()
        put(session.login, CONFIRMED)
        follow([session.login_id])
        session = log_out(fresh(session), why=Why.STAFF, actor=ACTOR)
        put(session.logout, middle)
        follow([session.logout_id])
        before = fresh(session)
        assert before.state == (Is.LOGGED_OUT if middle == CONFIRMED else Is.LOGGING_OUT)
        change(fresh(session), other)
        session = fresh(session)
        # What has ended stays as it ended, and what ends by a log-out does so for its own reason.
        is_cut_off = before.state == Is.LOGGING_OUT and (CHANGES[change] or ("",))[0] == Is.ABANDONED
        assert (session.state, session.why) == (Is.ABANDONED if is_cut_off else before.state, Why.STAFF), middle
        assert bool(session.ended_at) is (session.state != Is.LOGGING_OUT)
        assert session.logout is None or session.logout.profile == mobile.base
        assert moved_on(session) == []
