"""Many phones changed at once: what would change is told before, who refuses stays as it is, and history knows all."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from contacts_app.core.actor import Actor
from contacts_app.core.history.models import tracked_models
from phones_app.inventory import bulk
from phones_app.inventory.models import Phone, PhoneGroup
from phones_app.mobility.models import MobilitySession
from phones_app.servers.models import CallManager, FileServer
from profiles_app.phone.services import create_profile
from tests.admin_people import at_desk, clerk
from tests.phones_app.site import sip_file

pytestmark = pytest.mark.django_db
LIST = reverse("admin:phones_app_phone_changelist")
PAGE = reverse("admin:phones_app_phone_bulk")


@pytest.fixture
def phones(new_phone):
    places = ("Berlin", "Berlin", "Munich", "")
    return [new_phone(f"0200000000{n:02X}", model="8845", location=place) for n, place in enumerate(places, start=1)]


def keys_of(phones) -> str:
    return ",".join(str(phone.pk) for phone in phones)


def words_of(answer) -> str:
    assert answer.status_code == 200
    return re.sub(r"<[^>]+>|\s+", " ", answer.content.decode().replace("&#x27;", "'"))


def told(answer) -> tuple[dict[tuple[str, str, str], int], int, int]:
    """What a page says would change, and how many phones are so already, and how many refused."""
    assert answer.status_code == 200, answer
    report = answer.context["report"]
    return {tuple(news): number for news, number in answer.context["kinds"]}, report.unchanged, report.refused_total


def test_all_that_match_a_filter_are_changed_and_history_knows_why(root_desk, phones):
    chosen = root_desk.post(
        f"{LIST}?location=Berlin", {"action": "change_selected", "select_across": "1", "_selected_action": phones[0].pk}
    )
    assert chosen.context["keys"] == keys_of(phones[:2])
    sent = {"phones": chosen.context["keys"], "location": "Hamburg", "activity": "no"}
    page = root_desk.post(PAGE, sent)
    assert told(page) == ({("Location", "Berlin", "Hamburg"): 2, ("Is active", "yes", "no"): 2}, 0, 0)
    assert not Phone.objects.filter(location="Hamburg").exists()

    done = root_desk.post(PAGE, dict(page.context["kept"]) | sent | {"confirm": "yes", "_reason": "They moved"})
    assert done.status_code == 302
    assert set(Phone.objects.filter(location="Hamburg", is_active=False)) == set(phones[:2])
    row = phones[0].history.first()
    assert row.history_changes == {"location": ["Berlin", "Hamburg"], "is_active": [True, False]}
    assert row.history_change_reason == "They moved"
    assert phones[3].history.count() == 1


def test_what_fits_some_phones_is_refused_for_the_others_with_the_reason(
    root_desk, phones, new_phone, alice, other, acme, bob
):
    profile = create_profile(
        actor=Actor("t", "t"), user=alice, name="Lobby", content=sip_file().encode(), compatible_models=["8845"]
    )
    wrong = new_phone("0200000000AA", model="7841")
    foreign = new_phone("0200000000AB", model="8845", account=other)
    MobilitySession.objects.create(
        account=acme, phone=phones[3], mac=phones[3].mac, user=bob, person_name="B", requested_by="b", channel="x"
    )
    sent = {"phones": keys_of([*phones, wrong, foreign]), "current_profile": profile.pk, "location": "Lobby"}
    page = root_desk.post(PAGE, sent)
    assert {group.code for group in page.context["report"].refused} == {
        "model-mismatch",
        "another-account",
        "logged-in",
    }
    assert told(page)[1:] == (0, 3)
    assert "for models 8845" in words_of(page)

    root_desk.post(PAGE, sent | {"confirm": "yes"})
    changed = Phone.objects.filter(current_profile=profile, location="Lobby")
    assert set(changed) == set(phones[:3])
    assert Phone.objects.get(pk=wrong.pk).location == ""


def test_software_that_changes_along_is_what_a_profile_has_to_suit(root_desk, new_phone, alice):
    phone = new_phone(model="8845", software_type="SCCP")
    profile = create_profile(actor=Actor("t", "t"), user=alice, name="SIP", content=sip_file().encode())
    sent = {"phones": phone.pk, "current_profile": profile.pk}
    assert told(root_desk.post(PAGE, sent))[2] == 1
    assert told(root_desk.post(PAGE, sent | {"software": "SIP"}))[2] == 0


def test_servers_and_groups_are_given_and_taken(root_desk, phones, acme, other):
    server = FileServer.objects.create(account=acme, name="Files", host="127.0.0.1")
    pbx = CallManager.objects.create(account=None, name="PBX", kind="sip", host="127.0.0.1", port=5060)
    old, new = (PhoneGroup.objects.create(account=acme, name=name) for name in ("Old", "New"))
    old.phones.add(phones[0])
    sent = {
        "phones": keys_of(phones), "file_server": server.pk, "call_manager": pbx.pk, "joined": new.pk, "left": old.pk,
        "confirm": "yes",
    }  # fmt: skip
    assert root_desk.post(PAGE, sent).status_code == 302
    assert Phone.objects.filter(file_server=server, call_manager=pbx).count() == 4
    assert (old.phones.count(), new.phones.count()) == (0, 4)
    assert "phones" in new.history.first().history_changes

    cleared = {"phones": keys_of(phones[:1]), "no_file_server": "on", "no_call_manager": "on"}
    assert told(root_desk.post(PAGE, cleared))[0] == {
        ("File server", "Files", "–"): 1, ("Call manager", "PBX", "–"): 1
    }  # fmt: skip
    root_desk.post(PAGE, cleared | {"confirm": "yes"})
    assert Phone.objects.filter(file_server=None, call_manager=None).get() == phones[0]
    foreign = PhoneGroup.objects.create(account=other, name="Foreign")
    assert told(root_desk.post(PAGE, {"phones": keys_of(phones), "joined": foreign.pk}))[2] == 4


def test_what_cannot_be_meant_is_said_at_its_field(root_desk, phones, acme):
    group = PhoneGroup.objects.create(account=acme, name="One")
    for sent, field in (
        ({}, "__all__"),
        ({"location": "x", "no_location": "on"}, "location"),
        ({"joined": group.pk, "left": group.pk}, "left"),
        ({"software": "H323"}, "software"),
    ):
        page = root_desk.post(PAGE, {"phones": keys_of(phones)} | sent)
        assert list(page.context["form"].errors) == [field]
    assert root_desk.post(PAGE, {"phones": "x", "location": "y"}).status_code == 404
    assert root_desk.get(PAGE).status_code == 404


def test_an_account_changes_and_chooses_only_what_is_its_own(clerk_desk, phones, new_phone, other, charlie):
    strange = new_phone("0200000000AB", account=other, location="Secret")
    server = FileServer.objects.create(account=other, name="Strange", host="127.0.0.1")
    group = PhoneGroup.objects.create(account=other, name="Strange")
    profile = create_profile(actor=Actor("t", "t"), user=charlie, name="Strange", content=sip_file().encode())
    sent = {"phones": keys_of([strange, phones[0]]), "location": "Mine"}
    page = clerk_desk.post(PAGE, sent)
    assert told(page) == ({("Location", "Berlin", "Mine"): 1}, 0, 0)
    clerk_desk.post(PAGE, sent | {"confirm": "yes"})
    assert Phone.objects.get(pk=strange.pk).location == "Secret"
    for name, row in (("file_server", server), ("joined", group), ("left", group), ("current_profile", profile)):
        page = clerk_desk.post(PAGE, {"phones": keys_of(phones), name: row.pk})
        assert list(page.context["form"].errors) == [name]


def test_whoever_may_not_change_phones_or_see_profiles_does_not(phones, acme, alice):
    desk = at_desk(clerk(acme, without="change_phone"))
    assert desk.post(PAGE, {"phones": keys_of(phones), "location": "x"}).status_code == 403
    desk = at_desk(clerk(acme, "second@acme.example", without="view_phoneprofile"))
    page = desk.post(PAGE, {"phones": keys_of(phones), "no_current_profile": "on"})
    assert "current_profile" not in page.context["form"].fields
    assert list(page.context["form"].errors) == ["__all__"]


def test_many_phones_take_few_statements(root_desk, acme, alice, monkeypatch):
    """Which grow with the batches, and not with the phones."""
    monkeypatch.setattr(bulk, "BATCH", 100)
    profiles = [
        create_profile(actor=Actor("t", "t"), user=alice, name=f"P{n}", content=sip_file(str(n)).encode())
        for n in range(3)
    ]
    group = PhoneGroup.objects.create(account=acme, name="All")
    Phone.objects.bulk_create(
        Phone(mac=f"02000000{n:04X}", account=acme, model="8845", current_profile=profiles[n % 2]) for n in range(200)
    )
    sent = {
        "phones": keys_of(Phone.objects.order_by("pk")),
        "current_profile": profiles[2].pk,
        "activity": "no",
        "location": "Lobby",
        "joined": group.pk,
    }
    with CaptureQueriesContext(connection) as asked:
        page = root_desk.post(PAGE, sent)
    assert told(page)[0][("Profile", "P0", "P2")] == 100
    assert len(asked) < 30
    with CaptureQueriesContext(connection) as written:
        assert root_desk.post(PAGE, sent | {"confirm": "yes"}).status_code == 302
    assert Phone.objects.filter(current_profile=profiles[2], is_active=False, groups=group).count() == 200
    assert tracked_models[Phone].rows_of_model().count() == 200
    assert len(written) < 70
