"""Codes, approval and replacement where staff and programs work: the admin, REST and commands."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from phones_app.inventory.models import Phone
from phones_app.mobility.enrolment import digest_of, make_codes
from phones_app.mobility.models import EnrolmentCode, EnrolmentRequest
from tests.commands import run
from tests.phones_app.site import ACTOR

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_inline_work")]
NEW = "02000000BB01"


@pytest.fixture
def waiting(acme, alice, new_profile, shared_server):
    return EnrolmentRequest.objects.create(
        account=acme, mac=NEW, address="192.0.2.9", model="8845", user=alice, profile=new_profile()
    )


def test_codes_are_made_in_the_admin_and_shown_once(root_desk, acme, new_profile):
    profile = new_profile()
    given = {"account": acme.pk, "profile": profile.pk, "name": "Room", "count": 3, "days": 7}
    answer = root_desk.post(reverse("admin:phones_app_enrolmentcode_add"), given)
    shown = [re.sub(r"\D", "", text) for text in re.findall(r"data-code>([\d ]+)<", answer.content.decode())]
    assert {digest_of(text) for text in shown} == set(EnrolmentCode.objects.values_list("digest", flat=True))
    assert len(shown) == 3
    assert "no-store" in answer["Cache-Control"]
    listed = root_desk.get(reverse("admin:phones_app_enrolmentcode_changelist")).content.decode()
    assert f"…{shown[0][-4:]}" in listed
    assert shown[0] not in listed
    nothing = root_desk.post(reverse("admin:phones_app_enrolmentcode_add"), given | {"profile": ""})
    assert "Choose a phone profile" in nothing.content.decode()
    assert EnrolmentCode.objects.count() == 3


def test_staff_approve_in_the_admin(root_desk, waiting, other):
    page = reverse("admin:phones_app_enrolmentrequest_change", args=[waiting.pk])
    assert "Approve…" in root_desk.get(page).content.decode()
    root_desk.post(reverse("admin:phones_app_enrolmentrequest_approve_one", args=[waiting.pk]))
    waiting.refresh_from_db()
    assert (waiting.state, waiting.phone.mac, waiting.decided_by) == ("done", NEW, "root@example.org")
    assert "Approve…" not in root_desk.get(page).content.decode()


def test_a_clerk_decides_for_the_own_account_only(clerk_desk, other, waiting):
    theirs = EnrolmentRequest.objects.create(account=other, mac="02000000BB02", address="192.0.2.9")
    url = reverse("admin:phones_app_enrolmentrequest_refuse_one", args=[theirs.pk])
    assert clerk_desk.post(url).status_code in (403, 404)
    url = reverse("admin:phones_app_enrolmentrequest_refuse_one", args=[waiting.pk])
    assert "Reason, which the phone shows" in clerk_desk.get(url).content.decode()
    clerk_desk.post(url, {"_reason": "Ask the\nreception"})
    waiting.refresh_from_db()
    assert (waiting.state, waiting.reason) == ("refused", "Ask the reception")


def test_a_handset_is_replaced_in_the_admin(root_desk, new_phone, new_profile, shared_server):
    phone = new_phone(model="8845", current_profile=new_profile())
    url = reverse("admin:phones_app_phone_replace", args=[phone.pk])
    assert "Nothing is changed yet" in root_desk.get(url).content.decode()
    assert "mac" in root_desk.post(url, {"mac": "x"}).context["form"].errors
    preview = root_desk.post(url, {"mac": NEW, "model": "8865"}).content.decode()
    assert "is retired" in preview
    assert Phone.objects.count() == 1
    root_desk.post(url, {"mac": NEW, "model": "8865", "confirm": "yes"})
    phone.refresh_from_db()
    assert (phone.mac, phone.model) == (NEW, "8865")
    assert Phone.objects.get(replaced_by=phone).is_active is False


def test_programs_make_codes_and_decide(api, new_profile, waiting, new_phone):
    profile = new_profile(name="Lobby")
    made = api.post("enrolment-codes", {"profile_uuid": str(profile.uuid), "count": 2, "location": "Hall"})
    assert made.status_code == 201, made.content
    codes = [one["code"] for one in made.json()["data"]]
    assert {digest_of(text) for text in codes} == set(EnrolmentCode.objects.values_list("digest", flat=True))
    listed = api.get("enrolment-codes")
    assert not any(text in listed.content.decode() for text in codes)
    assert {one["location"] for one in listed.json()["data"]} == {"Hall"}
    assert api.post("enrolment-codes", {}).status_code == 409, "neither a profile nor a phone"
    gone = made.json()["data"][0]["uuid"]
    assert api.delete(f"enrolment-codes/{gone}").status_code == 200
    refused = api.post(f"enrolment-requests/{waiting.uuid}/refuse", {"reason": "Not ours"}).json()["data"]
    assert (refused["state"], refused["reason"]) == ("refused", "Not ours")
    assert api.post(f"enrolment-requests/{waiting.uuid}/approve").status_code == 409


def test_programs_replace_handsets(api, new_phone, new_profile, shared_server, other, charlie):
    phone = new_phone(model="8845", current_profile=new_profile())
    planned = api.post(f"phones/{phone.mac}/replace", {"new_mac": NEW, "model": "7841", "dry_run": True})
    assert planned.json()["data"]["refused"] is None
    assert planned.json()["data"]["deployment"] is None
    done = api.post(f"phones/{phone.mac}/replace", {"new_mac": NEW}).json()["data"]
    assert done["deployment"]
    assert api.get(f"phones/{NEW}").json()["data"]["uuid"] == str(phone.uuid)
    assert api.post(f"phones/{NEW}/replace", {"new_mac": NEW}).status_code == 409
    assert api.post(f"phones/{NEW}/replace", {"new_mac": "nonsense"}).status_code == 400
    theirs = Phone.objects.create(mac="02000000BB09", account=other)
    assert api.post(f"phones/{theirs.mac}/replace", {"new_mac": "02000000BB0A"}).status_code == 404


def test_operators_do_both(new_phone, new_profile, shared_server):
    profile = new_profile()
    phone = new_phone(model="8845", current_profile=profile)
    rows = run("create_enrolment_codes", profile.uuid, "--count", "2", "--json").rows
    assert {digest_of(row["code"]) for row in rows} == set(EnrolmentCode.objects.values_list("digest", flat=True))
    assert run("replace_phone", phone.mac, NEW, "--dry-run").status == 0
    assert Phone.objects.filter(mac=phone.mac).exists()
    assert run("replace_phone", phone.mac, NEW, "--json").row["deployment"]
    assert run("replace_phone", phone.mac, NEW).status == 1
    assert Phone.objects.get(mac=NEW).pk == phone.pk


def test_a_code_for_a_prepared_phone_is_for_one(acme, new_phone, new_profile):
    ends = timezone.now() + timedelta(days=1)
    phone = new_phone(model="8845")
    [(code, _)] = make_codes(account=acme, phone=phone, profile=new_profile(), expires_at=ends, actor=ACTOR)
    assert (code.phone, code.state) == (phone, "Usable")
