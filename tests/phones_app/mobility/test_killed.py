"""A worker that dies at any step of a log-in or log-out: another one ends it, and once (mobility spec §7, case 5).

It dies by an exception that nothing catches, right before or after each change of the deployment's state, and leaves
its lease behind. `test_kill.py` of deployments does the same with processes, at each command to the file server.
"""

from datetime import timedelta

import pytest
from django.utils import timezone

from phones_app.deployment import transitions
from phones_app.deployment.models import Deployment
from phones_app.deployment.run import run_one
from phones_app.mobility.login import log_in
from phones_app.mobility.logout import log_out
from phones_app.mobility.models import MobilitySession, SessionState, Why
from phones_app.transports.ftp.pool import FtpPool
from profiles_app.events.models.outbox import Event
from tests.phones_app.mobility.test_timers import is_
from tests.phones_app.site import ACTOR

pytestmark = pytest.mark.django_db(transaction=True)
STEPS = ("started", "uploaded", "session_cleared", "restarting")


class Killed(BaseException):
    pass


def die_at(monkeypatch, step: str, *, after: bool) -> None:
    real = getattr(transitions, step)

    def dying(*arguments, **options):
        if after:
            real(*arguments, **options)
        raise Killed

    monkeypatch.setattr(transitions, step, dying)


def carry_out(deployment: Deployment, *, takes_over: bool) -> None:
    """One worker takes the deployment, as `run_queue` does."""
    owner = "dying" if not takes_over else "another"
    until = timezone.now() + timedelta(minutes=5)
    Deployment.objects.filter(pk=deployment.pk).update(lease_owner=owner, lease_until=until)
    pool = FtpPool()
    try:
        run_one(deployment.pk, owner, pool, takes_over=takes_over)
    finally:
        pool.close()


def killed_all_the_way(monkeypatch, deployment: Deployment) -> None:
    taken = False
    for step in STEPS:
        for after in (False, True):
            with monkeypatch.context() as patch:
                die_at(patch, step, after=after)
                with pytest.raises(Killed):
                    carry_out(deployment, takes_over=taken)
            taken = True
            # Doubt whether a restart was sent is over at once.
            Deployment.objects.filter(pk=deployment.pk, restarted_at__isnull=False).update(
                restarted_at=timezone.now() - timedelta(seconds=11)
            )
    Deployment.objects.filter(pk=deployment.pk).update(lease_until=timezone.now() - timedelta(seconds=1))


def test_killed_at_every_step_of_a_log_in_and_of_a_log_out(site, mobile, people, device, work, monkeypatch):
    phone, profile = mobile(), device("Bob")
    with site.alive(phone) as fleet:
        session = log_in(phone, people["Bob"], actor=ACTOR)
        killed_all_the_way(monkeypatch, session.login)
        session.refresh_from_db()
        assert session.state == SessionState.LOGGING_IN
        work(is_(session, SessionState.LOGGED_IN))
        assert site.file_of(phone) == profile.content
        assert fleet.wait_until(lambda: fleet[phone.mac].line_users == ("7301",))
        session = log_out(session, why=Why.STAFF, actor=ACTOR)
        killed_all_the_way(monkeypatch, session.logout)
        session.refresh_from_db()
        assert session.state == SessionState.LOGGING_OUT
        work(is_(session, SessionState.LOGGED_OUT))
        assert site.file_of(phone) == mobile.base.content
    assert MobilitySession.objects.count() == 1
    assert Deployment.objects.filter(phone=phone).count() == 2
    tags = [tag for event in Event.objects.order_by("pk") for tag in event.tags if tag.startswith("em-")]
    assert tags == ["em-login", "em-logout"]
