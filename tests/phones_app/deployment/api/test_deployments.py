"""Deployments over REST: asked for in bulk, listed, read step by step, cancelled, tried again."""

from datetime import timedelta

import pytest
from django.utils import timezone

from phones_app.deployment.models import Deployment, State
from phones_app.deployment.request import deploy_many, restart_many
from phones_app.inventory.models import Phone
from tests.phones_app.rest import MAC
from tests.phones_app.site import ACTOR

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def queued(api, alice, phone, no_inline_work):
    """Two deployments of two phones and a restart, with nobody to carry them out."""
    from phones_app.servers.models import FileServer
    from profiles_app.phone.models import PhoneProfile

    FileServer.objects.create(name="F", host="127.0.0.1", port=1, account=alice.account, is_default=True)
    second = Phone.objects.create(mac="AABBCCDDEE02", account=alice.account)
    third = Phone.objects.create(mac="AABBCCDDEE03", account=alice.account)
    profile = PhoneProfile.objects.get(uuid=api.create_profile(alice)["uuid"])
    asked = deploy_many(phones=[phone, second], profile=profile, actor=ACTOR)
    return profile, [*asked.deployments, *restart_many(phones=[third], actor=ACTOR).deployments]


def test_one_profile_for_many_phones(api, alice, switch_site):
    misfit = Phone.objects.create(mac="AABBCCDDEE02", account=alice.account, software_type="SCCP")
    profile = api.create_profile(alice, software_type="SIP")
    body = {"profile_uuid": profile["uuid"], "macs": [MAC, misfit.mac, "aabbccddee01", "02:00:00:00:00:99"]}
    response = api.post("deployments", body)
    assert response.status_code == 202
    data = response.json()["data"]
    assert [row["mac"] for row in data["deployments"]] == [MAC]
    assert [(row["mac"], row["code"]) for row in data["refused"]] == [
        ("02:00:00:00:00:99", "unknown-phone"),
        ("AA:BB:CC:DD:EE:02", "software-mismatch"),
    ]
    assert all(row["message"] for row in data["refused"])
    assert len(switch_site.sip.transactions) == 1
    assert api.get(f"phones/{MAC}").json()["data"]["last_deployment"]["uuid"] == data["deployments"][0]["uuid"]


@pytest.mark.parametrize("macs", [None, [], "AABBCCDDEE01", ["zz"], [5], {"a": 1}])
def test_a_request_that_names_no_phones_properly(api, alice, macs):
    profile = api.create_profile(alice)
    response = api.post("deployments", {"profile_uuid": profile["uuid"], "macs": macs})
    assert response.status_code == 400
    assert response.json()["errors"][0]["field"].startswith("macs")


def test_a_deployment_shows_its_steps_with_what_was_said(api, alice, switch_site):
    api.switch(api.create_profile(alice))
    listed = api.get("deployments").json()["data"][0]
    shown = api.get(f"deployments/{listed['uuid']}").json()["data"]
    assert {name: shown[name] for name in listed} == listed
    upload, clear, restart = shown["steps"][:3]
    assert [step["kind"] for step in (upload, clear, restart)] == ["upload", "clear_session", "restart"]
    assert "STOR" in upload["request"]
    assert restart["request"].startswith("NOTIFY sip:1001@")
    assert restart["answer"].startswith("SIP/2.0 200")
    assert switch_site.server.password not in str(shown)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, [2, 1, 0]),
        ({"state": "queued"}, [2, 1, 0]),
        ({"state": "failed"}, []),
        ({"kind": "restart"}, [2]),
        ({"mac": "aabb.ccdd.ee02"}, [1]),
        ({"open": "true"}, [2, 1, 0]),
        ({"open": "false"}, []),
        ({"created_after": "2020-01-01T00:00:00Z"}, [2, 1, 0]),
        ({"created_before": "2020-01-01T00:00:00Z"}, []),
        ({"limit": "1", "offset": "1"}, [1]),
        ({"colour": "red"}, [2, 1, 0]),
    ],
)
def test_the_list_shows_what_is_asked_for(api, queued, query, expected):
    _, rows = queued
    body = api.get("deployments", query).json()
    assert [row["uuid"] for row in body["data"]] == [str(rows[index].uuid) for index in expected]


def test_the_list_of_one_profile(api, queued):
    profile, _ = queued
    assert len(api.get("deployments", {"profile": str(profile.uuid)}).json()["data"]) == 2


@pytest.mark.parametrize(
    "query",
    [{"state": "lost"}, {"kind": "x"}, {"mac": "zz"}, {"profile": "x"}, {"created_after": "soon"}, {"open": "x"}],
)
def test_an_impossible_query_is_refused(api, queued, query):
    response = api.get("deployments", query)
    assert response.status_code == 400
    assert [error["field"] for error in response.json()["errors"]] == list(query)


def test_cancel_and_then_it_is_over(api, queued):
    _, (first, *_) = queued
    response = api.post(f"deployments/{first.uuid}/cancel")
    assert response.status_code == 200
    assert response.json()["data"]["state"] == "cancelled"
    again = api.post(f"deployments/{first.uuid}/cancel")
    assert again.status_code == 409
    assert "already ended" in again.json()["message"]


def test_retry_once_it_has_ended(api, queued):
    _, (first, *_) = queued
    assert api.post(f"deployments/{first.uuid}/retry").status_code == 409
    Deployment.objects.filter(pk=first.pk).update(state=State.FAILED, finished_at=timezone.now())
    response = api.post(f"deployments/{first.uuid}/retry")
    assert response.status_code == 201
    data = response.json()["data"]
    assert data["retry_of"] == str(first.uuid)
    assert data["mac"] == MAC
    assert data["state"] == "queued"


def test_what_is_gone_is_null_and_the_rest_stays(api, queued):
    profile, (first, *_) = queued
    api.delete(f"phone-profiles/{profile.uuid}")
    api.delete(f"phones/{MAC}")
    data = api.get(f"deployments/{first.uuid}").json()["data"]
    assert (data["profile"], data["profile_uuid"], data["revision"]) == ("Reception Desk", None, None)
    assert data["mac"] == MAC
    Deployment.objects.update(state=State.FAILED, finished_at=timezone.now() - timedelta(days=1))
    assert api.post(f"deployments/{first.uuid}/retry").status_code == 409


@pytest.mark.parametrize("which", [0, 2])
def test_nothing_is_repeated_on_a_phone_that_went_to_another_account(api, queued, other, stranger, which):
    row = queued[1][which]
    assert api.post(f"deployments/{row.uuid}/cancel").status_code == 200
    Phone.objects.filter(pk=row.phone_id).update(account=other)
    answer = api.post(f"deployments/{row.uuid}/retry")
    assert (answer.status_code, answer.json()["code"]) == (409, "another-account")
    assert stranger.get("deployments").json()["data"] == []
