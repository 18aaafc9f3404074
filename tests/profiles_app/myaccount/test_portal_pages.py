"""What people of an account do in the portal, and what they do not reach (portal spec §2, §3)."""

import re
from datetime import timedelta
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from contacts_app.contacts.mail_sending import message_of
from contacts_app.contacts.models.contact import NotificationContact
from contacts_app.contacts.models.mail import Mail
from contacts_app.contacts.services import wanted_types
from contacts_app.people.models import SecondFactor, User
from profiles_app.myaccount.models import CustomerProfile
from profiles_app.myaccount.password_links import PAUSE
from profiles_app.myaccount.services import resolve_profile
from tests.contacts_app.people.test_second_factor import code_of
from tests.profiles_app.myaccount.conftest import key_of
from tests.profiles_app.visitors import FLAGS, PASSWORD, grant, visit

pytestmark = pytest.mark.django_db
LOGIN, FORGOTTEN = "/my-account/login/", "/my-account/forgotten/"


def link_in_mail() -> str:
    """The path of the link in the last mail, as it goes out."""
    sent = message_of(Mail.objects.latest("pk"))
    (link,) = re.findall(r"https?://[^/\s]+(/my-account/password/\S+)", str(sent.body))
    return link


def choose(client: Client, link: str, password: str):
    """Follow the link of a mail, as a browser does, and send the form."""
    form = client.get(link)
    if form.status_code != 302:
        return form
    return client.post(form["Location"], {"new_password1": password, "new_password2": password})


def test_a_forgotten_password_is_chosen_anew_once(client, acme, alice, root, settings):
    answers = [client.post(FORGOTTEN, {"address": each}) for each in ("ALICE@acme.example", "x@y.example", root.email)]
    assert {(answer.status_code, answer["Location"]) for answer in answers} == {(302, LOGIN)}
    (written,) = Mail.objects.all()
    assert (written.to, "password.invalid" in written.text) == (alice.email, True)
    # Not a second one so soon, wherever on the clock the first one was.
    Mail.objects.update(created_at=timezone.now() - timedelta(seconds=PAUSE - 60), group=f"password:{alice.pk}:1")
    client.post(FORGOTTEN, {"address": alice.email})
    assert Mail.objects.count() == 1
    link = link_in_mail()
    assert link.split("/")[-2] not in written.text + written.html
    assert choose(client, link, "1234").status_code == 200
    assert choose(client, link, "battery staple 7")["Location"] == LOGIN
    alice.refresh_from_db()
    assert alice.check_password("battery staple 7")
    assert "used before" in choose(client, link, "another staple 8").content.decode()


def test_the_link_is_good_for_an_hour_and_for_active_people(client, acme, alice, settings):
    assert settings.PASSWORD_RESET_TIMEOUT == 3600
    client.post(FORGOTTEN, {"address": alice.email})
    link = link_in_mail()
    User.objects.filter(pk=alice.pk).update(is_active=False)
    assert choose(client, link, "battery staple 7").status_code == 200
    User.objects.filter(pk=alice.pk).update(is_active=True)
    settings.PASSWORD_RESET_TIMEOUT = -1
    assert choose(client, link, "battery staple 7").status_code == 200
    alice.refresh_from_db()
    assert alice.check_password(PASSWORD)


def test_a_second_factor_is_set_up_and_asked_for_on_every_page(acme, alice):
    grant(acme, *FLAGS)
    client = visit(alice)
    page = "/my-account/second-factor/"
    key = re.search(r"<code data-key>(\w+)<", client.get(page).content.decode())[1]
    assert client.post(page, {"code": "000000", "wish": "enter"}).status_code == 200
    shown = client.post(page, {"code": code_of(key), "wish": "enter"}).content.decode()
    recovery = re.findall(r"<code>(\d{4} \d{4} \d{4})</code>", shown)
    assert len(recovery) == 10
    assert client.get("/my-account/users/").status_code == 200
    other = visit(alice)
    assert other.get("/my-account/users/")["Location"] == other.get("/my-account/")["Location"] == page
    assert other.post("/my-account/users/invite/", {})["Location"] == page
    assert other.post(page, {"code": recovery[0], "wish": "enter"})["Location"] == "/my-account/"
    assert other.get("/my-account/users/").status_code == 200
    assert SecondFactor.objects.get(user=alice).recovery_digests[9:] == []


def test_people_are_invited_changed_and_suspended(acme, alice, bob):
    grant(acme, "Manage Users")
    client = visit(alice)
    new = {"email": "Dora@acme.example", "first_name": "Dora", "last_name": "", "phone": "", "permission_level": "3"}
    assert client.post("/my-account/users/invite/", new).status_code == 302
    dora = User.objects.get(email="dora@acme.example")
    assert (dora.account, dora.permission_level, dora.has_usable_password()) == (acme, 3, False)
    assert dora.created_by == alice
    assert dora.history.latest().history_channel == "portal"
    assert choose(Client(), link_in_mail(), "battery staple 7")["Location"] == LOGIN
    assert Client().post(LOGIN, {"username": dora.email, "password": "battery staple 7"}).status_code == 302
    again = client.post("/my-account/users/invite/", new)
    assert again.status_code == 400
    one = reverse("portal:users-one", args=[bob.uuid])
    assert "bob@acme.example" in client.get(one).content.decode()
    assert client.post(one, {"first_name": "Robert", "permission_level": "2"}).status_code == 302
    bob.refresh_from_db()
    assert (bob.first_name, bob.permission_level, bob.is_active) == ("Robert", 2, False)
    pin = reverse("portal:users-pin", args=[bob.uuid])
    client.post(pin, {"pin": "1234"})
    bob.refresh_from_db()
    assert not bob.has_pin
    client.post(pin, {"pin": "2580"})
    bob.refresh_from_db()
    assert bob.check_pin("2580")
    assert bob.pin_must_change
    mine = client.post(reverse("portal:users-one", args=[alice.uuid]), {"permission_level": "0"})
    assert "cannot suspend yourself" in mine.content.decode()
    alice.refresh_from_db()
    assert alice.is_active


def test_contacts_are_kept_and_choose_their_mail_as_flags_allow(acme, alice):
    grant(acme, "Manage Contacts")
    client = visit(alice)
    new = {"email": "desk@acme.example", "name": "Desk", "phone": ""}
    assert client.post("/my-account/contacts/add/", new | {"told_of": ["rollout_done"]}).status_code == 302
    desk = NotificationContact.objects.get(email="desk@acme.example")
    assert desk.account == acme
    before = wanted_types(desk)
    grant(acme, "Manage Email Settings")
    one = reverse("portal:contacts-one", args=[desk.uuid])
    form = client.get(one).content.decode()
    assert 'name="told_of"' in form
    assert 'name="email"' not in form
    client.post(one, {"email": "evil@example.org", "told_of": ["callback_failing"]})
    desk.refresh_from_db()
    assert desk.email == "desk@acme.example"
    after = wanted_types(desk)
    assert "callback_failing" in after
    assert "token_created" in before
    assert "token_created" not in after
    assert "payment" in after  # What only other systems ask for stays.
    assert client.post(reverse("portal:contacts-delete", args=[desk.uuid])).status_code == 404
    grant(acme, "Manage Contacts")
    assert client.post(reverse("portal:contacts-delete", args=[desk.uuid])).status_code == 302
    main = acme.notification_contacts.get()
    client.post(reverse("portal:contacts-delete", args=[main.uuid]))
    assert acme.notification_contacts.count() == 1


def test_links_lead_to_the_operators_own_systems_by_their_flags(acme, alice, settings):
    settings.PORTAL_LINKS = {"View Bills": {"label": "Invoices", "url": "https://billing.example.org/"}}
    grant(acme, "Raise Tickets")
    client = visit(alice)
    assert "Invoices" not in client.get("/my-account/").content.decode()
    grant(acme, "View Bills")
    assert '<a href="https://billing.example.org/">Invoices</a>' in client.get("/my-account/").content.decode()


def test_a_profile_that_changes_is_obeyed_by_the_next_request(acme, alice):
    """Portal spec §6, case 3."""
    client = visit(alice)
    assert client.get("/my-account/users/").status_code == 404
    profile = grant(acme, "Manage Users")
    assert client.get("/my-account/users/").status_code == 200
    profile.availability = "Historic"
    profile.save()
    assert client.get("/my-account/users/").status_code == 200
    CustomerProfile.objects.all().delete()
    assert client.get("/my-account/users/").status_code == 404


def test_what_is_another_accounts_is_not_there(acme, other, alice, charlie):
    """Portal spec §6, case 4."""
    grant(acme, *FLAGS)
    client = visit(alice)
    theirs = other.notification_contacts.get()
    urls = [("users-one", charlie.uuid), ("contacts-one", theirs.uuid), ("account-phones-one", uuid4())]
    for name, uuid in urls:
        assert client.get(reverse(f"portal:{name}", args=[uuid])).status_code == 404
    for name, uuid in [*urls[:2], ("users-pin", charlie.uuid), ("users-invite-again", charlie.uuid)]:
        assert client.post(reverse(f"portal:{name}", args=[uuid]), {"pin": "2580"}).status_code == 404
    assert client.post(reverse("portal:contacts-delete", args=[theirs.uuid])).status_code == 404
    assert "charlie" not in client.get("/my-account/users/").content.decode()


def test_an_account_does_not_free_itself(acme, alice, staff):
    """Portal spec §6, case 9."""
    set_by_operator = grant(acme, "View Services")
    route = f"customers/{acme.voip_id}/myAccountProfile"
    key = key_of(acme)
    own = key.create("Everything", myAccountFlags=["Manage Users"], customerID=str(acme.voip_id))
    assert key.send("put", route, {"profileID": own["id"]}).status_code == 403
    assert key.send("delete", route).status_code == 403
    assert key.patch({"id": str(set_by_operator.pk)}, {"myAccountFlags": ["Manage Users"]}).status_code in (403, 404)
    assert resolve_profile(acme).profile == set_by_operator
    client = visit(alice)
    assert client.get("/my-account/users/").status_code == 404
    CustomerProfile.objects.all().delete()
    assert client.get("/my-account/users/").status_code == 404
