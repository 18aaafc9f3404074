"""Where nobody sees phones fetch their files: a status page that went away and came back, or a new registration."""

import pytest
from django.utils import timezone

from phones_app.boot.server import EmbeddedFileServer
from phones_app.deployment.models import Deployment, State
from phones_app.deployment.request import deploy
from phones_app.servers.models import CallManager
from tests.peers.asterisk import Asterisk, Contact
from tests.peers.asterisk_chan_sip import ChanSip, Peer
from tests.phones_app.hands import switch_off, switch_on
from tests.phones_app.site import ACTOR, sip_file

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def unseen(site):
    """Where phones fetch the same files without anybody noticing, as from somebody else's TFTP server."""
    site.file_server.is_embedded = False
    site.file_server.save()
    files = EmbeddedFileServer(
        site.folder, ftp_port=0, http_port=0, tftp_port=0, username="x", password="y", on_fetches=print
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
        switch_off(fleet, phone.mac)
        finish(deployment, until=hurried(lambda row: "away_at" in noticed(row)))
        assert deployment.state == State.RESTART_ACKNOWLEDGED
        switch_on(fleet, phone.mac)
        finish(deployment, until=hurried(lambda row: row.finished_at))
    assert (deployment.state, deployment.evidence["kind"]) == (State.CONFIRMED, "came-back")
    assert deployment.evidence["away_at"] < deployment.evidence["at"]


def at(pbx, phone, **fields):
    phone.call_manager = CallManager.objects.create(
        name="PBX", kind="ami", host="127.0.0.1", port=pbx.port, username=pbx.username, password=pbx.secret, **fields
    )
    phone.save()


def call_id(phone, counter):
    return f"{phone.mac[:8]}-{phone.mac[8:]}{counter:04x}-1b2c3d4e-5f607182@127.0.0.1".lower()


def confirmed_by(phone, finish, pbx, register_again):
    """Deploy; once evidence is looked for, the phone registers again."""
    deployment = deploy(phone=phone, profile=pbx.profile, actor=ACTOR)
    finish(deployment, until=hurried(lambda row: row.state == State.RESTART_ACKNOWLEDGED))
    finish(deployment, until=hurried(noticed))
    register_again()
    return finish(deployment, until=hurried(lambda row: row.finished_at))


def test_a_registration_with_another_call_id(site, finish, unseen):
    phone, pbx = site.phone(line_user="1001"), Asterisk()
    before, after = (Contact("1001", call_id(phone, number), ip="127.0.0.1") for number in (1, 2))

    def unregister_and_register():
        pbx.pjsip.unregister(before)
        pbx.pjsip.register(after)

    pbx.pjsip.register(before)
    pbx.profile = site.profile(content=sip_file("1002"))
    with pbx.running(), site.alive(phone, config_url=unseen):
        at(pbx, phone)
        deployment = confirmed_by(phone, finish, pbx, unregister_and_register)
        assert len(pbx.asked("PJSIPNotify")) == 1
        assert pbx.asked("PJSIPShowContacts") == []
    assert (deployment.state, deployment.evidence["kind"]) == (State.CONFIRMED, "registered-anew")
    assert deployment.evidence["call_id"] == after.call_id


@pytest.mark.parametrize("status", ["Unreachable", "NonQualified"])
def test_a_registration_that_grew_or_does_not_answer_is_no_evidence(site, finish, unseen, settings, status):
    """Asterisk spec §B and §D."""
    phone, pbx = site.phone(line_user="1001"), Asterisk()
    before = Contact("1001", call_id(phone, 1), ip="127.0.0.1")
    port = 5060 if status == "NonQualified" else 5062  # the same contact, or another one
    after = Contact(
        "1001", call_id(phone, 2), ip="127.0.0.1", port=port, status=status, expires_at=before.expires_at + 60
    )
    pbx.pjsip.register(before)
    pbx.profile = site.profile(content=sip_file("1002"))

    def register_again() -> None:
        pbx.pjsip.register(after)
        settings.CONFIRM_SECONDS = 3

    with pbx.running(), site.alive(phone, config_url=unseen):
        at(pbx, phone)
        deployment = confirmed_by(phone, finish, pbx, register_again)
    assert deployment.state == State.RESTART_ACKNOWLEDGED
    assert deployment.evidence == {}


@pytest.mark.parametrize("version", [18, 22])
def test_chan_sip_tells_another_call_id_too(site, finish, unseen, version):
    """Asterisk spec §I.1."""
    phone = site.phone(line_user="1001")
    peer = Peer("1001", call_id(phone, 1), ip="127.0.0.1", device=f"SEP{phone.mac}")
    pbx = Asterisk(chan_sip=ChanSip(version=version, peers=[peer]))
    pbx.profile = site.profile(content=sip_file("1002"))
    with pbx.running(), site.alive(phone, config_url=unseen):
        at(pbx, phone, channel="chan_sip")
        deployment = confirmed_by(phone, finish, pbx, lambda: setattr(peer, "call_id", call_id(phone, 2)))
        assert len(pbx.asked("SIPnotify")) == 1
    assert (deployment.state, deployment.evidence["kind"]) == (State.CONFIRMED, "registered-anew")
    assert deployment.evidence["call_id"] == call_id(phone, 2)
