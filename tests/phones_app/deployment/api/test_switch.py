"""What `switch` answers when it does not simply succeed, beyond the conformance cases."""

import threading
import time
from urllib.parse import urlsplit

import pytest

from phones_app.deployment.models import Deployment, State
from phones_app.inventory.models import Phone, ServiceSession
from phones_app.mobility.services import open_service_session
from phones_app.servers.models import FileServer
from tests.peers.phone_web import DEVICE_8841, streams
from tests.phones_app.rest import MAC
from tests.phones_app.site import sccp_file

pytestmark = pytest.mark.django_db(transaction=True)


def status_pages(mac: str) -> dict[str, bytes]:
    return {"/DeviceInformationX": DEVICE_8841.replace(b"001122334455", mac.encode())}


def test_a_phone_in_a_call_is_answered_at_once_and_not_restarted(api, alice, switch_site):
    switch_site.web.pages = status_pages("AABBCCDDEE01") | streams("Active")
    open_service_session(phone=switch_site.phone, user=alice, address="127.0.0.1")
    profile = api.create_profile(alice)
    response = api.switch(profile)
    assert response.status_code == 202
    data = response.json()["data"]
    assert data | {"deployment": ""} == {
        "profile": "Reception Desk",
        "mac": MAC,
        "restart": "pending",
        "deployment": "",
    }
    assert response["Location"] == data["deployment"]
    assert switch_site.sip.notifies == []
    assert switch_site.file() == profile["cnf_xml"].encode()
    assert not ServiceSession.objects.exists()
    later = api.get(data["deployment"].removeprefix("/api/v1/")).json()["data"]
    assert later["state"] == "session_cleared"
    assert "call" in later["waiting_for"]


def test_another_phone_at_the_address_is_not_restarted(api, alice, switch_site):
    switch_site.web.pages = status_pages("AABBCCDDEE02")
    response = api.switch(api.create_profile(alice))
    assert response.status_code == 200
    assert "AABBCCDDEE02" in response.json()["data"]["restart"]
    assert response["Location"] == f"/api/v1/deployments/{Deployment.objects.get().uuid}"
    assert switch_site.sip.notifies == []


def test_work_that_takes_longer_goes_on_after_the_answer(api, alice, switch_site, settings, no_inline_work, finish):
    settings.SWITCH_WAIT_SECONDS = 0.2
    response = api.switch(api.create_profile(alice))
    assert response.status_code == 202
    assert response.json()["message"] == "Profile switch in progress"
    deployment = Deployment.objects.get()
    assert response["Location"].endswith(str(deployment.uuid))
    finish(deployment, until=lambda row: row.state == State.RESTART_ACKNOWLEDGED)
    assert len(switch_site.sip.transactions) == 1
    shown = api.get(urlsplit(response["Location"]).path.removeprefix("/api/v1/")).json()["data"]
    assert [step["state"] for step in shown["steps"][:3]] == ["done", "done", "done"]


def _switch_in_thread(api, profile) -> tuple[threading.Thread, list]:
    answers: list = []
    thread = threading.Thread(target=lambda: answers.append(api.switch(profile)))
    thread.start()
    deadline = time.monotonic() + 60
    while not Deployment.objects.exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return thread, answers


def test_a_deployment_cancelled_while_it_is_waited_for(api, alice, switch_site, no_inline_work):
    thread, answers = _switch_in_thread(api, api.create_profile(alice))
    cancelled = api.post(f"deployments/{Deployment.objects.get().uuid}/cancel")
    assert cancelled.status_code == 200, cancelled.content
    thread.join(180)
    assert answers[0].status_code == 409
    assert answers[0].json()["success"] is False
    assert answers[0].json()["code"] == "deployment-cancelled"
    assert "Cancelled" in answers[0].json()["message"]


def test_a_deployment_superseded_while_it_is_waited_for(api, alice, switch_site, no_inline_work):
    profile = api.create_profile(alice)
    thread, answers = _switch_in_thread(api, profile)
    newer = api.post("deployments", {"profile_uuid": str(profile["uuid"]), "macs": [switch_site.phone.mac]})
    assert newer.status_code == 202, newer.content
    thread.join(180)
    assert answers[0].status_code == 409
    assert "Superseded" in answers[0].json()["message"]


def _inactive(switch_site):
    Phone.objects.update(is_active=False)


def _no_file_server(switch_site):
    FileServer.objects.all().delete()


def _other_protocol(switch_site):
    Phone.objects.update(software_type="SIP", model="7962")


@pytest.mark.parametrize(
    ("change", "file", "code"),
    [
        (_inactive, {}, "phone-inactive"),
        (_no_file_server, {}, "no-file-server"),
        (_other_protocol, {"cnf_xml": sccp_file()}, "profile-has-errors"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_happens(api, alice, switch_site, change, file, code):
    profile = api.create_profile(alice, **file)
    change(switch_site)
    response = api.switch(profile)
    assert (response.status_code, response.json()["code"]) == (409, code)
    assert "errors" not in response.json()
    assert not Deployment.objects.exists()
    assert list(switch_site.server.root.iterdir()) == []


def test_a_profile_of_one_account_does_not_go_to_a_phone_of_another(staff, charlie, root, switch_site):
    foreign, shared = staff.create_profile(charlie), staff.create_profile(root)
    assert staff.switch(foreign).status_code == 409
    assert staff.switch(shared).status_code == 200


def test_the_same_profile_again_restarts_the_phone_again(api, alice, switch_site):
    profile = api.create_profile(alice)
    for restarts in (1, 2):
        assert api.switch(profile).json()["data"]["restart"] == "ok"
        assert len(switch_site.sip.transactions) == restarts
    assert switch_site.backups() == []


def test_a_person_can_follow_the_deployment_they_asked_for(api, colleague, alice, bob, switch_site):
    assert colleague.switch(api.create_profile(bob)).status_code == 200
    assert api.switch(api.create_profile(alice)).status_code == 200
    own = colleague.get("deployments").json()["data"]
    assert [row["requested_by"] for row in own] == [bob.email]
    assert colleague.get(f"deployments/{own[0]['uuid']}").status_code == 200
    theirs = next(row for row in api.get("deployments").json()["data"] if row["requested_by"] == alice.email)
    assert colleague.get(f"deployments/{theirs['uuid']}").status_code == 404
    assert colleague.post(f"deployments/{own[0]['uuid']}/retry").status_code == 403
