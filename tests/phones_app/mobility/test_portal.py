"""The self-service portal's pages about phones: one's own, and those of the account (portal spec §2, §3)."""

import pytest
from django.urls import reverse

from phones_app.deployment.models import PhoneFile
from phones_app.inventory.models import Phone, Presence
from phones_app.mobility.models import MobilityPolicy, MobilitySession, SecondPhone, SessionState, Why
from tests.phones_app.site import sip_file
from tests.profiles_app.visitors import grant, visit

pytestmark = pytest.mark.django_db
PAGE = reverse("portal:phones")


def test_people_log_in_and_out_of_a_phone_that_they_name(mobile, people, device, acme):
    grant(acme, "View Services")
    phone, profile, bob = mobile(name="Desk 7"), device("Bob"), visit(people["Bob"])
    assert "Desk 7" not in bob.get(PAGE).content.decode()
    form = {"phone": "desk 7", "profile": profile.pk}
    assert bob.post(PAGE, form | {"phone": "Desk 8"}).status_code == 400
    assert bob.post(PAGE, form | {"profile": mobile.base.pk}).status_code == 400
    assert bob.post(PAGE, form).status_code == 302
    session = MobilitySession.objects.get()
    assert (session.phone, session.user, session.channel) == (phone, people["Bob"], "portal")
    assert "Desk 7" in bob.get(PAGE).content.decode()
    out = reverse("portal:phones-log-out", args=[phone.uuid])
    assert visit(people["Alice"]).post(out).status_code == 404
    assert bob.post(out).status_code == 302
    session.refresh_from_db()
    assert (session.state, session.why) == (SessionState.LOGGING_OUT, Why.PERSON)


def test_why_nobody_can_log_in_is_told_in_german(mobile, people, device, acme):
    grant(acme, "View Services")
    MobilityPolicy.objects.create(account=acme, second_phone=SecondPhone.REFUSE)
    phone, other, profile, bob = mobile(), mobile(), device("Bob"), visit(people["Bob"])
    bob.post(PAGE, {"phone": phone.mac, "profile": profile.pk})
    refused = bob.post(PAGE, {"phone": other.mac, "profile": profile.pk}, headers={"accept-language": "de"})
    assert f"Die Person ist an SEP{phone.mac} angemeldet." in refused.content.decode()


def test_who_manages_the_account_sees_who_is_where_and_logs_them_out(mobile, people, device, acme):
    grant(acme, "View Services")
    phone = mobile(name="Desk 7", location="Lobby", model="8851")
    visit(people["Bob"]).post(PAGE, {"phone": phone.mac, "profile": device("Bob").pk})
    alice, everything = visit(people["Alice"]), reverse("portal:account-phones")
    shown = alice.get(everything, {"q": f"lobby {phone.mac[-4:].lower()}"}).content.decode()
    assert "Desk 7" in shown
    assert "Bob Baker" in shown
    assert "Desk 7" not in alice.get(everything, {"q": "cellar"}).content.decode()
    one, out = (reverse(f"portal:account-phones-{name}", args=[phone.uuid]) for name in ("one", "log-out"))
    assert out not in alice.get(one).content.decode()
    assert alice.post(out).status_code == 404
    grant(acme, "View Services", "Manage Services")
    assert out in alice.get(one).content.decode()
    assert alice.post(out).status_code == 302
    assert MobilitySession.objects.get().why == Why.PORTAL
    assert visit(people["Bob"]).get(one).status_code == 404


def test_another_accounts_phone_is_not_there(acme, other, alice, device):
    grant(acme, "View Services", "Manage Services")
    phone = Phone.objects.create(account=other, mac="020000000099", name="Theirs")
    client = visit(alice)
    assert client.get(reverse("portal:account-phones-one", args=[phone.uuid])).status_code == 404
    for name in ("account-phones-log-out", "phones-log-out"):
        assert client.post(reverse(f"portal:{name}", args=[phone.uuid])).status_code == 404
    answer = client.post(PAGE, {"phone": "Theirs", "profile": device("Alice").pk})
    assert answer.status_code == 400
    assert "There is no such phone." in answer.content.decode()
    assert "Theirs" not in client.get(reverse("portal:account-phones")).content.decode()


def test_all_phones_of_a_person_are_counted_and_shown(acme, alice, new_profile):
    profile = new_profile("All", user=alice)
    grant(acme, "View Services")
    macs = [f"0200000001{number:02X}" for number in range(101)]
    Phone.objects.bulk_create(Phone(account=acme, mac=mac, current_profile=profile) for mac in macs)
    Phone.objects.filter(mac=macs[-1]).update(presence=Presence.UNREACHABLE)
    client = visit(alice)
    home, first, rest = (client.get(page).content.decode() for page in (reverse("portal:home"), PAGE, f"{PAGE}?page=2"))
    assert ">101<" in home
    assert f"SEP{macs[-1]}" in home, "it needs attention"
    assert (f"SEP{macs[0]}" in first, f"SEP{macs[-1]}" in first, "page=2" in first) == (True, False, True)
    assert (f"SEP{macs[0]}" in rest, f"SEP{macs[-1]}" in rest, "page=1" in rest) == (False, True, True)


def test_people_change_their_own_pin(acme, bob):
    grant(acme, "View Services")
    client, page = visit(bob), reverse("portal:phones-pin")
    for pin, again in (("1234", "1234"), ("2580", "2581")):
        assert client.post(page, {"pin": pin, "again": again}).status_code == 400
    assert client.post(page, {"pin": "2580", "again": "2580"}).status_code == 302
    bob.refresh_from_db()
    assert bob.check_pin("2580")
    assert not bob.pin_must_change


def test_lines_are_those_of_the_uploaded_file_and_not_of_what_was_assigned_since(acme, alice, new_profile):
    before, since = (new_profile(f"P{n}", user=alice, content=sip_file(n, label=f"Line {n}")) for n in ("1001", "1002"))
    grant(acme, "View Services")
    phone = Phone.objects.create(account=acme, mac="020000000098", current_profile=since)
    page = reverse("portal:account-phones-one", args=[phone.uuid])
    assert "Line 1002" in visit(alice).get(page).content.decode()
    now = phone.created_at
    PhoneFile.objects.create(
        phone=phone, revision=before.revision, sha256="0" * 64, uploaded_at=now, state_since=now, next_check_at=now
    )
    shown = visit(alice).get(page).content.decode()
    assert "Line 1001" in shown
    assert "Line 1002" not in shown
