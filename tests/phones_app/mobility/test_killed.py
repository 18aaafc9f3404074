"""kill -9 at every step of a log-in and of a log-out: another worker ends it, and once (mobility spec §7, case 5).

One process holds many at once, each at another moment (`held_worker.py`), and is killed.
"""

import json
from datetime import timedelta

import pytest
from django.db.models import F
from django.utils import timezone

from phones_app.deployment import steps
from phones_app.deployment.models import Deployment
from phones_app.mobility.login import log_in
from phones_app.mobility.models import MobilityPolicy, MobilitySession, SecondPhone, SessionState, Why
from profiles_app.events.models.outbox import Event
from tests.phones_app.mobility.held_worker import MOMENTS_OF_LOG_IN, MOMENTS_OF_LOG_OUT, STORED
from tests.phones_app.site import ACTOR
from tests.processes import processes
from tests.servers import wait_for

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def kill(tmp_path):
    """Have a worker come to these moments, each at another phone, and kill it there."""
    with processes(tmp_path) as running:

        def killed(moments: list[str], phones) -> None:
            folder = tmp_path / f"{len(moments)} moments"
            folder.mkdir()
            places = {phone.mac: moment for phone, moment in zip(phones, moments, strict=False)}
            (folder / "places.json").write_text(json.dumps(places))
            running.environment["DEPLOYMENT_THREADS"] = str(len(moments))
            running.start("held", "-m", "tests.phones_app.mobility.held_worker", str(folder))
            wait_for((folder / "held").exists)
            running.kill("held")

        yield killed


def states() -> set[str]:
    return set(MobilitySession.objects.values_list("state", flat=True))


def test_killed_at_every_step_of_a_log_in_and_of_a_log_out(site, mobile, people, device, work, kill, monkeypatch):
    monkeypatch.setattr(steps, "DOUBT_SECONDS", 1)
    profile = device("Bob")
    phones = [mobile(next_check_at=timezone.now() + timedelta(days=1)) for _ in MOMENTS_OF_LOG_OUT]
    MobilityPolicy.objects.create(account=phones[0].account, second_phone=SecondPhone.MANY)
    not_stored = phones[MOMENTS_OF_LOG_IN.index(f"before {STORED}")]
    with site.alive(*phones) as fleet:
        for phone in phones:
            if phone != not_stored:
                log_in(phone, people["Bob"], actor=ACTOR)
        kill(MOMENTS_OF_LOG_IN, phones)
        # Some have what they need, though nobody was left to say so.
        assert states() <= {SessionState.LOGGING_IN, SessionState.LOGGED_IN}
        assert not MobilitySession.objects.filter(phone=not_stored).exists()
        log_in(not_stored, people["Bob"], actor=ACTOR)
        work(lambda: states() == {SessionState.LOGGED_IN})
        assert {site.file_of(phone) for phone in phones} == {profile.content}
        assert fleet.wait_until(lambda: all(fleet[phone.mac].line_users == ("7301",) for phone in phones))

        past = timezone.now() - timedelta(seconds=1)
        MobilitySession.objects.update(until=past, next_attempt_at=past)
        kill(MOMENTS_OF_LOG_OUT, phones)
        assert states() <= {SessionState.LOGGED_IN, SessionState.LOGGING_OUT, SessionState.LOGGED_OUT}
        MobilitySession.objects.filter(ended_at=None).update(next_attempt_at=F("since"))
        work(lambda: states() == {SessionState.LOGGED_OUT})
        assert {site.file_of(phone) for phone in phones} == {mobile.base.content}
        assert fleet.wait_until(lambda: all(fleet[phone.mac].line_users == ("1000",) for phone in phones))
        assert {fleet[phone.mac].restarts for phone in phones} == {2}
    assert MobilitySession.objects.filter(why=Why.TIME_LIMIT).count() == len(phones)
    kinds = sorted(Deployment.objects.values_list("mac", "kind"))
    assert kinds == sorted((phone.mac, kind) for phone in phones for kind in ("log-in", "log-out"))
    told = [tag for event in Event.objects.all() for tag in event.tags if tag.startswith("em-")]
    assert sorted(told) == sorted(["em-login", "em-logout"] * len(phones))
