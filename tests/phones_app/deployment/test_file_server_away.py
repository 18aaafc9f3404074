"""A file server that is away for a moment, as when it is restarted: uploads are tried again for a while."""

import pytest
from django.utils import timezone

from phones_app.deployment.models import Deployment, State, StepState
from phones_app.deployment.request import deploy
from phones_app.servers.models import FileServer
from tests.peers.ftp import pyftpd
from tests.phones_app.site import ACTOR, sip_file
from tests.servers import free_port

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def away(site):
    """The phone's file server is to listen on this port."""
    port = free_port()
    FileServer.objects.update(port=port, username="phones", password="s3cret-pw")
    return port


def test_an_upload_waits_for_the_server(site, finish, settings, away):
    settings.UPLOAD_RETRY_SECONDS = 60
    phone, profile = site.phone(), site.profile(content=sip_file("1002"))
    with site.alive(phone):
        asked = deploy(phone=phone, profile=profile, actor=ACTOR)
        deployment = finish(asked, until=lambda deployment: deployment.waiting_for)
        assert deployment.state == State.UPLOADING
        assert "refused" in deployment.waiting_for
        assert deployment.steps.get().state == StepState.WAITING
        with pyftpd(site.folder, port=away):
            Deployment.objects.update(next_attempt_at=timezone.now())
            deployment = finish(deployment)
    assert (deployment.state, deployment.waiting_for) == (State.CONFIRMED, "")
    assert site.file_of(phone) == profile.content


def test_it_fails_in_the_end(site, finish, settings, away):
    settings.UPLOAD_RETRY_SECONDS = 1
    phone = site.phone()
    deployment = finish(deploy(phone=phone, profile=site.profile(), actor=ACTOR))
    assert (deployment.state, deployment.error_code) == (State.FAILED, "refused")
    assert (deployment.finished_at - deployment.started_at).total_seconds() >= 1


def test_a_newer_deployment_does_not_wait_behind_it(site, finish, settings, away):
    settings.UPLOAD_RETRY_SECONDS = 60
    phone, newer = site.phone(), site.profile("Newer", sip_file("1003"))
    with site.alive(phone):
        first = deploy(phone=phone, profile=site.profile("Older", sip_file("1002")), actor=ACTOR)
        finish(first, until=lambda deployment: deployment.waiting_for)
        second = deploy(phone=phone, profile=newer, actor=ACTOR)
        with pyftpd(site.folder, port=away):
            finish(second)
    first.refresh_from_db()
    assert first.state == State.SUPERSEDED
    assert site.file_of(phone) == newer.content
