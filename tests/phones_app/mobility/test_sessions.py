"""Log-ins and log-outs by the services that REST, commands and phones share, with simulated phones and real FTP."""

import pytest

from phones_app.deployment.models import Deployment
from phones_app.mobility.login import log_in
from phones_app.mobility.logout import log_out
from phones_app.mobility.models import SessionState, Why
from profiles_app.events.models.outbox import Event
from tests.phones_app.site import ACTOR

pytestmark = pytest.mark.django_db(transaction=True)


def state(session) -> str:
    session.refresh_from_db()
    return session.state


def is_(session, wanted):
    return lambda: state(session) == wanted


def tags() -> list[str]:
    return [tag for event in Event.objects.order_by("pk") for tag in event.tags if tag.startswith("em-")]


def test_a_log_in_brings_the_persons_file_and_a_log_out_the_phones_own(site, mobile, people, device, work):
    phone, profile = mobile(), device("Bob")
    with site.alive(phone) as fleet:
        session = log_in(phone, people["Bob"], actor=ACTOR)
        assert session.state == SessionState.LOGGING_IN
        work(is_(session, SessionState.LOGGED_IN))
        assert site.file_of(phone) == profile.content
        assert session.login.kind == Deployment.Kind.LOG_IN
        assert session.login.evidence["kind"] == "file-fetched"
        assert fleet.wait_until(lambda: fleet[phone.mac].line_users == ("7301",))
        session = log_out(session, why=Why.STAFF, actor=ACTOR)
        assert session.state == SessionState.LOGGING_OUT
        work(is_(session, SessionState.LOGGED_OUT))
        assert site.file_of(phone) == mobile.base.content
    assert session.why == Why.STAFF
    assert session.ended_at
    assert tags() == ["em-login", "em-logout"]
