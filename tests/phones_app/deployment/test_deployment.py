"""A profile on its way to a phone: the steps in their order, evidence, and every way to stop short of it."""

from datetime import timedelta

import pytest
from django.utils import timezone

from contacts_app.core.errors import Refusal
from phones_app.deployment.models import Deployment, State, StepState
from phones_app.deployment.request import cancel, deploy, restart_many, retry
from phones_app.inventory.models import Phone, ServiceSession
from phones_app.mobility.services import open_service_session
from phones_app.servers.models import FileServer
from phones_app.simulator.state import Fault
from profiles_app.phone.services import ProfileRefused, update_profile
from tests.commands import manage
from tests.peers.sip_udp import sip_phone
from tests.phones_app.hands import switch_off, switch_on
from tests.phones_app.site import ACTOR, sccp_file, sip_file
from tests.processes import database_url
from tests.servers import free_port

pytestmark = pytest.mark.django_db(transaction=True)


def steps_of(deployment):
    return {step.kind: step.state for step in deployment.steps.all()}


@pytest.mark.parametrize("software_type", ["SIP", "SIPE"])
def test_a_profile_arrives_on_a_sip_phone_and_is_confirmed_by_the_fetch(site, finish, software_type):
    phone, profile = site.phone(software_type=software_type), site.profile(content=sip_file("1002"))
    with site.alive(phone) as fleet:
        deployment = finish(deploy(phone=phone, profile=profile, actor=ACTOR))
        assert fleet.wait_until(lambda: fleet[phone.mac].config_sha256 == profile.revision.sha256)
        assert fleet[phone.mac].restarts == 1
    assert deployment.state == State.CONFIRMED, deployment.error
    assert deployment.evidence["kind"] == "file-fetched"
    assert site.file_of(phone) == sip_file("1002").encode()
    assert steps_of(deployment) == dict.fromkeys(["upload", "clear_session", "restart", "confirm"], StepState.DONE)
    phone.refresh_from_db()
    assert phone.current_profile == profile
    assert phone.last_deployment.deployment == deployment


def test_a_profile_arrives_on_an_sccp_phone_by_key_presses(site, finish):
    phone = site.phone(model="7962", software_type="SCCP")
    profile = site.profile(content=sccp_file(version="2"), software_type="SCCP")
    with site.alive(phone):
        deployment = finish(deploy(phone=phone, profile=profile, actor=ACTOR))
    assert deployment.state == State.CONFIRMED, deployment.error
    restart = deployment.steps.get(kind="restart")
    assert restart.detail["method"] == "key-macro"
    assert "/CGI/Execute" in restart.request


def test_the_same_file_again_is_not_stored_again_but_the_phone_restarts(site, finish):
    phone, profile = site.phone(), site.profile(content=sip_file("1002"))
    with site.alive(phone) as fleet:
        finish(deploy(phone=phone, profile=profile, actor=ACTOR))
        second = finish(deploy(phone=phone, profile=profile, actor=ACTOR))
        assert fleet[phone.mac].restarts == 2
    assert second.state == State.CONFIRMED
    assert second.steps.get(kind="upload").detail["unchanged"] is True
    assert len(list(site.folder.glob("*.bak"))) == 1


def test_the_service_session_of_this_phone_ends_and_that_of_another_stays(site, finish):
    phone, bystander = site.phone(), site.phone()
    for one in (phone, bystander):
        open_service_session(phone=one, user=site.owner, address="127.0.0.1")
    with site.alive(phone):
        finish(deploy(phone=phone, profile=site.profile(), actor=ACTOR))
    assert [session.mac for session in ServiceSession.objects.all()] == [bystander.mac]


def test_without_a_file_server_nothing_is_cleared_and_nothing_restarted(site, finish):
    phone, profile = site.phone(), site.profile(content=sip_file("1002"))
    open_service_session(phone=phone, user=site.owner, address="127.0.0.1")
    with site.alive(phone) as fleet:
        site.files.stop()
        deployment = finish(deploy(phone=phone, profile=profile, actor=ACTOR))
        assert fleet[phone.mac].notifies == 0
    assert deployment.state == State.FAILED
    assert steps_of(deployment) == {"upload": StepState.FAILED}
    assert ServiceSession.objects.filter(mac=phone.mac).exists()
    assert site.file_of(phone) == sip_file().encode()


def test_a_phone_that_is_off_fails_the_restart_after_the_upload(site, finish, settings):
    settings.CONFIRM_SECONDS = 0.5
    phone, profile = site.phone(), site.profile(content=sip_file("1002"))
    with site.alive(phone):
        pass
    deployment = finish(deploy(phone=phone, profile=profile, actor=ACTOR))
    assert deployment.state == State.FAILED
    assert deployment.error_code in ("refused", "timeout")
    assert steps_of(deployment) == {"upload": "done", "clear_session": "done", "restart": "failed"}
    assert site.file_of(phone) == sip_file("1002").encode()


def test_a_phone_in_a_call_is_restarted_when_the_call_has_ended(site, finish, settings):
    settings.CALL_POLL_SECONDS = 0.2
    phone, profile = site.phone(), site.profile(content=sip_file("1002"))
    with site.alive(phone) as fleet:
        fleet[phone.mac].fault = Fault.IN_CALL
        deployment = deploy(phone=phone, profile=profile, actor=ACTOR)
        finish(deployment, until=lambda row: row.waiting_for)
        assert deployment.state == State.SESSION_CLEARED
        assert "call" in deployment.steps.get(kind="restart").message
        assert fleet[phone.mac].notifies == 0
        fleet[phone.mac].fault = Fault.NONE
        finish(deployment)
    assert deployment.state == State.CONFIRMED, deployment.error


def test_a_deployment_that_waits_for_a_call_can_be_cancelled(site, finish):
    phone = site.phone()
    with site.alive(phone) as fleet:
        fleet[phone.mac].fault = Fault.IN_CALL
        deployment = finish(deploy(phone=phone, profile=site.profile(), actor=ACTOR), until=lambda row: row.waiting_for)
        cancel(deployment)
        assert deployment.state == State.CANCELLED
        assert fleet[phone.mac].notifies == 0
    with pytest.raises(Refusal, match="already ended"):
        cancel(deployment)


def test_another_phone_at_the_address_is_never_restarted(site, finish):
    phone = site.phone()
    with site.alive(phone) as fleet:
        fleet[phone.mac].fault = Fault.WRONG_MAC
        deployment = finish(deploy(phone=phone, profile=site.profile(), actor=ACTOR))
        assert fleet[phone.mac].notifies == 0
    assert (deployment.state, deployment.error_code) == (State.FAILED, "another-phone")


def test_a_restart_without_evidence_ends_acknowledged_and_not_confirmed(site, finish, settings):
    settings.CONFIRM_SECONDS = 1
    phone, profile = site.phone(), site.profile(content=sip_file("1002"))
    with sip_phone() as agent:
        phone.sip_port, phone.web_port = agent.port, free_port()
        phone.save()
        deployment = finish(deploy(phone=phone, profile=profile, actor=ACTOR))
    assert (deployment.state, deployment.error_code) == (State.RESTART_ACKNOWLEDGED, "no-evidence")
    assert steps_of(deployment)["confirm"] == StepState.FAILED


def test_a_newer_deployment_supersedes_the_one_that_waits(site, finish):
    phone = site.phone()
    first, second = site.profile("First", sip_file("1002")), site.profile("Second", sip_file("1003"))
    with site.alive(phone) as fleet:
        fleet[phone.mac].fault = Fault.IN_CALL
        older = finish(deploy(phone=phone, profile=first, actor=ACTOR), until=lambda row: row.waiting_for)
        fleet[phone.mac].fault = Fault.NONE
        newer = finish(deploy(phone=phone, profile=second, actor=ACTOR))
        assert fleet[phone.mac].restarts == 1
    older.refresh_from_db()
    assert (older.state, newer.state) == (State.SUPERSEDED, State.CONFIRMED)
    assert site.file_of(phone) == sip_file("1003").encode()


def test_a_retry_sends_the_same_revision_again(site, finish, settings):
    phone, profile = site.phone(), site.profile(content=sip_file("1002"))
    with site.alive(phone) as fleet:
        switch_off(fleet, phone.mac)
        settings.CONFIRM_SECONDS = 0.5
        failed = finish(deploy(phone=phone, profile=profile, actor=ACTOR))
        settings.CONFIRM_SECONDS = 60
        switch_on(fleet, phone.mac)
        update_profile(profile, actor=ACTOR, content=sip_file("1009").encode())
        again = finish(retry(failed, actor=ACTOR))
    assert failed.state == State.FAILED
    assert again.state == State.CONFIRMED, again.error
    assert again.retry_of == failed
    assert again.revision == failed.revision


@pytest.mark.parametrize(
    ("embedded", "seconds", "told"),
    [
        pytest.param(True, 3600, True, id="its fetch would have been seen"),
        pytest.param(False, 12, True, id="the phone knows the transaction"),
        pytest.param(False, 60, False, id="nobody knows"),
    ],
)
def test_a_restart_in_doubt_is_not_sent_twice(site, finish, no_inline_work, embedded, seconds, told):
    """As it stands after a worker has died in the middle of the restart."""
    phone = site.phone(web_port=free_port())
    FileServer.objects.update(is_embedded=embedded)
    with sip_phone() as agent:
        Phone.objects.update(sip_port=agent.port)
        deployment = deploy(phone=phone, profile=site.profile(content=sip_file("1002")), actor=ACTOR)
        sent = timezone.now() - timedelta(seconds=seconds)
        Deployment.objects.update(state=State.RESTARTING, uploaded_at=sent, restarted_at=sent)
        deployment.steps.create(kind="upload", state=StepState.DONE, started_at=sent, detail={"fetches_seen": embedded})
        deployment.steps.create(kind="restart", started_at=sent)
        finish(deployment, until=lambda row: row.state != State.RESTARTING)
        assert bool(agent.notifies) == told
    outcome = (deployment.state, deployment.error_code)
    assert outcome == ((State.RESTART_ACKNOWLEDGED, "") if told else (State.FAILED, "restart-in-doubt"))


def test_a_mere_restart_uploads_nothing(site, finish):
    phone = site.phone()
    with site.alive(phone) as fleet:
        [deployment] = restart_many(phones=[phone], actor=ACTOR).deployments
        finish(deployment)
        assert fleet[phone.mac].restarts == 1
    assert deployment.state == State.CONFIRMED
    assert steps_of(deployment) == {"restart": "done", "confirm": "done"}


@pytest.mark.parametrize(
    ("phone_fields", "profile_fields", "code"),
    [
        ({"model": "8845"}, {"compatible_models": ["8841", "CP-8851"]}, "model-mismatch"),
        ({"model": ""}, {"compatible_models": ["8841"]}, "model-mismatch"),
        ({"is_active": False}, {}, "phone-inactive"),
        ({"software_type": "SCCP"}, {"software_type": "SIP"}, "software-mismatch"),
        ({"software_type": "SIPE"}, {"software_type": "SCCP", "content": sccp_file()}, "software-mismatch"),
        ({"software_type": "SCCP"}, {}, "profile-has-errors"),
    ],
)
def test_a_profile_that_does_not_fit_is_refused_and_nothing_is_stored(site, phone_fields, profile_fields, code):
    phone, profile = site.phone(**phone_fields), site.profile(**profile_fields)
    with pytest.raises(Refusal) as refusal:
        deploy(phone=phone, profile=profile, actor=ACTOR)
    assert refusal.value.code == code
    assert not Deployment.objects.exists()


@pytest.mark.parametrize(
    ("phone_fields", "profile_fields"),
    [
        ({"model": "CP-8845"}, {"compatible_models": ["8845"]}),
        ({"model": "8845"}, {"compatible_models": ["cisco 8845"]}),
        ({"software_type": "SIPE"}, {"software_type": "SIP"}),
        ({"software_type": None}, {"software_type": "SIP"}),
    ],
)
def test_spellings_of_the_same_model_and_software_fit(site, phone_fields, profile_fields):
    phone, profile = site.phone(**phone_fields), site.profile(**profile_fields)
    assert deploy(phone=phone, profile=profile, actor=ACTOR)


def test_a_profile_with_errors_is_not_stored(site):
    with pytest.raises(ProfileRefused, match="line 1"):
        site.profile(content="<device><open></device>")


def test_a_broken_broker_stops_nobody(site, tmp_path, no_inline_work):
    """Neither who asks nor the sweep, which finds the row again when the broker is well."""
    (tmp_path / "broker").write_text("This is no database.")
    deploy(phone=site.phone(), profile=site.profile(), actor=ACTOR)
    broken = {"CELERY_BROKER_URL": f"sqla+sqlite:///{tmp_path}/broker", "CELERY_TASK_ALWAYS_EAGER": "0"}
    swept = manage("sweep", environment={"DATABASE_URL": database_url(), **broken})
    assert swept.status == 0, swept.err
    assert Deployment.objects.get().state == State.QUEUED
