"""Where nobody sees phones fetch their files: a status page that went away and came back, or a new registration."""

import pytest
from django.utils import timezone

from phones_app.boot.server import EmbeddedFileServer
from phones_app.deployment.models import Deployment, State
from phones_app.deployment.request import deploy
from phones_app.servers.models import CallManager
from phones_app.simulator.state import Fault
from tests.peers.asterisk import Asterisk, Registration
from tests.phones_app.site import ACTOR, sip_file

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def unseen(site):
    """Where phones fetch the same files without anybody noticing, as from somebody else's TFTP server."""
    site.file_server.is_embedded = False
    site.file_server.save()
    files = EmbeddedFileServer(
        site.folder, ftp_port=0, http_port=0, tftp_port=0, username="x", password="y", on_fetch=print
    )
    files.start()
    yield f"http://127.0.0.1:{files.http_port}"
    files.stop()


def hurried(condition):
    """The same condition, and the next look without a pause."""

    def met(deployment: Deployment) -> bool:
        Deployment.objects.filter(pk=deployment.pk, finished_at=None).update(next_attempt_at=timezone.now())
        return bool(condition(deployment))

    return met


def noticed(deployment: Deployment) -> dict:
    return deployment.steps.get(kind="confirm").detail


def test_a_status_page_that_went_away_and_came_back(site, finish, unseen):
    phone = site.phone()
    with site.alive(phone, config_url=unseen) as fleet:
        deployment = deploy(phone=phone, profile=site.profile(content=sip_file("1002")), actor=ACTOR)
        finish(deployment, until=hurried(lambda row: row.state == State.RESTART_ACKNOWLEDGED))
        finish(deployment, until=hurried(noticed))
        assert "away_at" not in noticed(deployment)
        fleet[phone.mac].fault = Fault.POWERED_OFF
        finish(deployment, until=hurried(lambda row: "away_at" in noticed(row)))
        assert deployment.state == State.RESTART_ACKNOWLEDGED
        fleet[phone.mac].fault = Fault.NONE
        finish(deployment, until=hurried(lambda row: row.finished_at))
    assert (deployment.state, deployment.evidence["kind"]) == (State.CONFIRMED, "came-back")
    assert deployment.evidence["away_at"] < deployment.evidence["at"]


def test_a_registration_with_another_call_id(site, finish, unseen):
    phone = site.phone(line_user="1001")
    pbx = Asterisk(registrations=[Registration("1001", "before@phone", ip="127.0.0.1")])
    with pbx.running(), site.alive(phone, config_url=unseen):
        phone.call_manager = CallManager.objects.create(
            name="PBX", kind="ami", host="127.0.0.1", port=pbx.port, username=pbx.username, password=pbx.secret
        )
        phone.save()
        deployment = deploy(phone=phone, profile=site.profile(content=sip_file("1002")), actor=ACTOR)
        finish(deployment, until=hurried(lambda row: row.state == State.RESTART_ACKNOWLEDGED))
        finish(deployment, until=hurried(noticed))
        assert len(pbx.asked("PJSIPNotify")) == 1
        pbx.registrations = [Registration("1001", "after@phone", ip="127.0.0.1")]
        finish(deployment, until=hurried(lambda row: row.finished_at))
        assert len(pbx.asked("PJSIPNotify")) == 1
    assert (deployment.state, deployment.evidence["kind"]) == (State.CONFIRMED, "registered-anew")
    assert deployment.evidence["call_id"] == "after@phone"
