"""A phone that is restarted while it starts, or that runs another file than it is known to: it is told all the same."""

from datetime import timedelta

import pytest
from django.utils import timezone

from phones_app.boot.models import FileFetch
from phones_app.deployment.models import Deployment, State
from phones_app.deployment.request import deploy, request_of
from phones_app.deployment.transitions import queued
from tests.peers.sip_udp import sip_phone
from tests.phones_app.hands import switch_off, switch_on
from tests.phones_app.site import ACTOR, sip_file
from tests.servers import free_port, wait_for

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def asked(site, settings):
    """A deployment whose phone, of one line that is known, has no status page; what answers is the test's."""
    settings.CONFIRM_SECONDS = 60

    def ask(port: int, fetched: timedelta) -> Deployment:
        phone = site.phone(web_port=free_port(), sip_port=port, line_user="1001")
        FileFetch.objects.update(fetched_at=timezone.now() - fetched)
        return deploy(phone=phone, profile=site.profile(content=sip_file("1002")), actor=ACTOR)

    return ask


def test_a_phone_that_asked_for_its_file_just_now_is_told_again(asked, finish):
    with sip_phone(404) as agent:
        deployment = finish(asked(agent.port, timedelta(seconds=5)), until=lambda row: row.waiting_for)
        assert deployment.waiting_for == "the phone, which may be starting"
        refused = set(agent.transactions)
        agent.status = 200
        finish(deployment, until=lambda row: row.state == State.RESTART_ACKNOWLEDGED)
        assert len(refused) == 1
        assert agent.transactions > refused, "a phone answers the same transaction from its memory"
    assert deployment.error == ""


def test_a_phone_that_has_long_been_running_is_not(asked, finish, settings):
    with sip_phone(404) as agent:
        deployment = asked(agent.port, timedelta(minutes=5))
        settings.CONFIRM_SECONDS = 1
        finish(deployment)
        assert len(agent.transactions) == 1
    assert (deployment.state, deployment.error_code) == (State.FAILED, "sip-404")


def test_a_phone_that_refuses_for_long_is_given_up(asked, finish, settings):
    with sip_phone(404) as agent:
        deployment = asked(agent.port, timedelta(0))
        settings.CONFIRM_SECONDS = 1
        finish(deployment)
    assert (deployment.state, deployment.error_code) == (State.FAILED, "sip-404")


@pytest.mark.parametrize("is_seen", [True, False], ids=["fetch seen", "fetch not seen"])
def test_a_phone_is_told_by_the_line_that_it_has_now(site, finish, is_seen):
    """It was last confirmed to have another one, and has started by itself since."""
    phone = site.phone()
    confirmed, passing, wanted = (site.profile(line, sip_file(line)) for line in ("2001", "2002", "2003"))
    with site.alive(phone) as fleet:
        alive = fleet[phone.mac]
        assert finish(deploy(phone=phone, profile=confirmed, actor=ACTOR)).state == State.CONFIRMED
        upload = request_of(phone, ACTOR, passing, passing.revision, Deployment.Kind.UPLOAD)
        [upload] = queued([upload], phones=[phone.pk])
        finish(upload)
        switch_off(fleet, phone.mac)
        switch_on(fleet, phone.mac)
        assert alive.line_users == ("2002",)
        # It is written down beside the answer.
        wait_for(FileFetch.objects.filter(sha256=passing.revision.sha256).exists)
        Deployment.objects.exclude(profile=confirmed).update(state=State.SUPERSEDED)
        if not is_seen:
            FileFetch.objects.update(sha256="")
        assert finish(deploy(phone=phone, profile=wanted, actor=ACTOR)).state == State.CONFIRMED
        assert alive.notifies == 2 + (not is_seen)
        assert alive.restarts == 2
