"""Rollouts over REST: looked at before, started, watched, stopped, repeated, and nobody else's."""

import pytest

from phones_app.deployment.models import Deployment
from phones_app.inventory.models import Phone, PhoneGroup
from phones_app.rollout import rollout as rollouts
from phones_app.rollout.models import Rollout
from phones_app.servers.models import FileServer
from profiles_app.phone.models import PhoneProfile

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("no_inline_work")]


@pytest.fixture
def profile(api, alice):
    FileServer.objects.create(name="F", host="127.0.0.1", port=1, account=alice.account, is_default=True)
    return api.create_profile(alice)["uuid"]


@pytest.fixture
def fleet(alice):
    places = ("north", "north", "south")
    return [
        Phone.objects.create(mac=f"AABBCCDDEE1{number}", account=alice.account, location=place)
        for number, place in enumerate(places)
    ]


def ask(api, expected=202, **body):
    response = api.post("rollouts", body)
    assert response.status_code == expected, response.content
    return response.json().get("data")


def test_a_dry_run_and_then_the_same_for_real(api, profile, fleet):
    wanted = {
        "profile_uuid": profile,
        "macs": [*(phone.mac_with_colons for phone in fleet), "02:00:00:00:00:99"],
        "canary_size": 1,
        "abort_percent": 10,
        "window_start": "22:00:00",
        "window_end": "05:00:00",
    }
    plan = ask(api, 200, **wanted, dry_run=True)["plan"]
    assert (plan["total"], plan["waves"], plan["refused"][0]["code"]) == (3, [1, 2], "unknown-phone")
    assert not Rollout.objects.exists()
    rollout = ask(api, **wanted)["rollout"]
    assert (rollout["total"], rollout["refused_total"], rollout["window_start"]) == (3, 1, "22:00:00")
    assert rollout["progress"]["parts"]["held_back"] == 3
    assert api.get(f"rollouts/{rollout['uuid']}").json()["data"] == rollout
    listed = api.get("rollouts?open=true").json()
    assert [row["uuid"] for row in listed["data"]] == [rollout["uuid"]]
    phones = api.get(f"deployments?rollout={rollout['uuid']}&state=queued").json()
    assert phones["metadata"]["total"] == 3


def test_phones_by_filter_by_group_and_all(api, alice, profile, fleet):
    def total(**body):
        return ask(api, 200, profile_uuid=profile, dry_run=True, **body)["plan"]["total"]

    group = PhoneGroup.objects.create(account=alice.account, name="Pilot")
    group.phones.set(fleet[:2])
    assert total(filter={"location": "north"}) == 2
    Phone.objects.filter(pk=fleet[0].pk).update(software_version="sip88xx.14-1-1", in_call=True)
    assert total(filter={"load": "sip88xx.14-1-1"}) == total(filter={"in_call": True, "is_active": True}) == 1
    assert total(filter={"is_active": False}) == 0
    assert total(group="Pilot") == total(group=str(group.uuid)) == 2
    assert total(all=True) == Phone.objects.count()
    everything = {"all": True}
    for wrong in (
        {},
        everything | {"group": "Pilot"},
        {"group": "Nobody"},
        {"macs": ["zz"]},
        {"filter": {"location": "north", "modle": "8845"}},
        everything | {"canary": 5},
        everything | {"wave_size": 0},
        everything | {"window_start": "22:00"},
        everything | {"abort_percent": 101},
    ):
        ask(api, 400, profile_uuid=profile, **wrong)


def test_pause_resume_cancel_retry(api, profile, fleet):
    uuid = ask(api, profile_uuid=profile, all=True)["rollout"]["uuid"]
    rollouts.advance_all()
    paused = api.post(f"rollouts/{uuid}/pause").json()["data"]
    assert (paused["state"], paused["progress"]["parts"]["queued"]) == ("paused", 0)
    assert api.post(f"rollouts/{uuid}/pause").status_code == 409
    assert api.post(f"rollouts/{uuid}/resume").json()["data"]["state"] == "running"
    assert api.post(f"rollouts/{uuid}/retry").status_code == 409
    cancelled = api.post(f"rollouts/{uuid}/cancel").json()["data"]
    assert cancelled["progress"]["parts"]["cancelled"] == cancelled["progress"]["not_started"] == cancelled["total"]
    rest = api.post(f"rollouts/{uuid}/continue").json()["data"]
    assert (rest["retry_of"], rest["total"]) == (uuid, cancelled["total"])
    api.post(f"rollouts/{rest['uuid']}/cancel")
    Deployment.objects.update(state="failed", error="No.", error_code="no")
    again = api.post(f"rollouts/{uuid}/retry")
    assert again.status_code == 201
    assert again.json()["data"]["retry_of"] == uuid
    assert api.get(f"rollouts/{uuid}").json()["data"]["progress"]["failures"] == [
        {"code": "no", "message": "No.", "phones": cancelled["total"]}
    ]


def test_another_tenant_sees_nothing_of_it(api, profile, fleet, stranger):
    uuid = ask(api, profile_uuid=profile, all=True)["rollout"]["uuid"]
    assert stranger.get("rollouts").json()["data"] == []
    assert stranger.get(f"rollouts/{uuid}").status_code == 404
    for change in ("pause", "resume", "cancel", "retry"):
        assert stranger.post(f"rollouts/{uuid}/{change}").status_code == 404
    body = {"profile_uuid": profile, "all": True}
    assert stranger.post("rollouts", body).status_code == 404
    named = stranger.post("rollouts", {"macs": [fleet[0].mac], "dry_run": True}).json()["data"]["plan"]
    assert (named["total"], named["refused"][0]["code"]) == (0, "unknown-phone")


def test_a_phone_that_went_to_another_account_is_left_out_of_what_is_repeated(
    api, profile, fleet, other, charlie, stranger
):
    FileServer.objects.create(name="Shared", host="127.0.0.1", port=1, is_default=True)
    Phone.objects.update(current_profile=PhoneProfile.objects.get(uuid=profile))
    uuid = ask(api, all=True)["rollout"]["uuid"]
    total = api.post(f"rollouts/{uuid}/cancel").json()["data"]["total"]
    theirs = PhoneProfile.objects.get(uuid=stranger.create_profile(charlie)["uuid"])
    Phone.objects.filter(pk=fleet[0].pk).update(account=other, current_profile=theirs)
    rest = api.post(f"rollouts/{uuid}/continue").json()["data"]
    assert (rest["total"], rest["refused_total"]) == (total - 1, 0)
    assert stranger.get("deployments").json()["data"] == []
