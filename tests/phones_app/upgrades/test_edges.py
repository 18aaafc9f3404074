"""Rollouts of firmware over REST, in the web admin and on a terminal."""

import json
from io import StringIO

import pytest
from django.core.management import call_command
from django.urls import reverse

from phones_app.deployment.models import Deployment
from phones_app.firmware.models import Firmware
from phones_app.inventory.models import Phone
from phones_app.rollout.models import Rollout, RolloutMember, Sequel
from phones_app.servers.models import FileServer
from phones_app.upgrades.models import Upgrade
from profiles_app.phone.services import create_profile
from tests.phones_app.site import ACTOR
from tests.phones_app.upgrades.conftest import GATE, OLD, TARGET, naming

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("no_inline_work")]
ADD = reverse("admin:phones_app_rollout_add")


@pytest.fixture
def phone(alice):
    FileServer.objects.create(name="Embedded", host="127.0.0.1", port=1, is_default=True, is_embedded=True)
    for load in (GATE, TARGET):
        Firmware.objects.create(load=load, size=1)
    profile = create_profile(actor=ACTOR, user=alice, name="Desk", content=naming(OLD).encode())
    return Phone.objects.create(
        account=alice.account,
        mac="AABBCCDDEE01",
        model="7962",
        software_type="SIP",
        software_version=OLD,
        current_profile=profile,
    )


def test_over_rest(api, phone):
    wanted = {"load": TARGET, "all": True, "ends_at": "2100-01-01T00:00:00Z"}
    plan = api.post("rollouts", wanted | {"dry_run": True}).json()["data"]["plan"]
    assert (plan["total"], plan["ways"]) == (1, [{"loads": [GATE, TARGET], "phones": 1}])
    assert not Rollout.objects.exists()
    rollout = api.post("rollouts", wanted).json()["data"]["rollout"]
    assert (rollout["load"], rollout["profile"], rollout["ends_at"]) == (TARGET, "", "2100-01-01T00:00:00.000Z")
    assert Upgrade.objects.get().way == [GATE, TARGET]
    RolloutMember.objects.update(sequel=Sequel.FAILED, sequel_code="load-rejected", sequel_error="It came back.")
    Deployment.objects.update(state="confirmed", finished_at="2020-01-01T00:00:00Z")
    [row] = api.get(f"deployments?rollout={rollout['uuid']}").json()["data"]
    assert (row["state"], row["sequel"], row["sequel_code"], row["sequel_error"]) == (
        *("confirmed", "failed", "load-rejected"),
        "It came back.",
    )
    progress = api.get(f"rollouts/{rollout['uuid']}").json()["data"]["progress"]
    assert (progress["parts"]["failed"], progress["failures"][0]["code"]) == (1, "load-rejected")
    for wrong in (
        {"load": "../x"},
        {"profile_uuid": str(phone.current_profile.uuid)},
        {"ends_at": "2020-01-01T00:00:00Z"},
    ):
        assert api.post("rollouts", wanted | wrong).status_code in (400, 409), wrong
    assert Rollout.objects.count() == 1


def test_in_the_admin(clerk_desk, root_desk, phone, other):
    begun = clerk_desk.post(
        reverse("admin:phones_app_phone_changelist"), {"action": "upgrade_selected", "_selected_action": [phone.pk]}
    )
    assert "New rollout of firmware" in begun.content.decode()
    asked = {"macs": phone.mac, "load": TARGET, "canary_size": "0", "wave_pause": "0", "wave_jitter": "0"}
    unchosen = clerk_desk.post(ADD, asked | {"load": "", "firmware": "on"}).content.decode()
    assert "Choose the load that the phones get." in unchosen
    assert "New rollout of firmware" in unchosen
    assert "Select a valid choice" in clerk_desk.post(ADD, asked | {"load": "SIP42.1-1-1"}).content.decode()
    assert "in the past" in clerk_desk.post(ADD, asked | {"ends_at": "2020-01-01T10:00"}).content.decode()
    plan = clerk_desk.post(ADD, asked | {"ends_at": "2100-01-01T10:00"})
    page = plan.content.decode()
    assert f"1 × {GATE} → {TARGET}" in page
    assert "FN63772" in page
    clerk_desk.post(ADD, dict(plan.context["kept"]) | {"confirm": "yes"})
    rollout = Rollout.objects.get()
    assert (rollout.load, rollout.ends_at.year) == (TARGET, 2100)
    watched = clerk_desk.get(reverse("admin:phones_app_rollout_progress", args=[rollout.pk])).content.decode()
    assert "queued" in watched
    of_phone = clerk_desk.get(reverse("admin:phones_app_phone_change", args=[phone.pk])).content.decode()
    assert f"{OLD} → {GATE} → {TARGET}" in of_phone
    Phone.objects.filter(pk=phone.pk).update(account=other)
    of_phone = root_desk.get(reverse("admin:phones_app_phone_change", args=[phone.pk])).content.decode()
    assert f"{OLD} → {GATE} → {TARGET}" not in of_phone
    from_firmware = clerk_desk.get(ADD, {"load": TARGET}).content.decode()
    assert f'<option value="{TARGET}" selected>' in from_firmware


def test_on_a_terminal(phone):
    out = StringIO()
    call_command("rollout", phone.mac, "--load", TARGET, "--dry-run", "--json", stdout=out)
    told = json.loads(out.getvalue())
    assert (told["total"], told["ways"]) == (1, {f"{GATE} → {TARGET}": 1})
    out = StringIO()
    call_command("rollout", phone.mac, "--load", TARGET, "--until", "2100-01-01T00:00", "--json", stdout=out)
    assert json.loads(out.getvalue())["load"] == TARGET
    assert Rollout.objects.get().ends_at.year in (2099, 2100)
