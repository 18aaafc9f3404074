"""Who gets into the portal and how (portal spec §1)."""

import pytest
from django.test import Client
from django.urls import reverse

from tests.profiles_app.visitors import PASSWORD, grant, visit

pytestmark = pytest.mark.django_db
LOGIN, HOME = "/my-account/login/", "/my-account/"
CSP = "Content-Security-Policy"


def log_in(client: Client, name: str, password: str = PASSWORD, onward: str = HOME):
    return client.post(LOGIN, {"username": name, "password": password, "next": onward})


def is_page_of_the_portal(answer, heading: str) -> bool:
    page = answer.content.decode()
    return f"<h1>{heading}</h1>" in page and "portal.css" in page and "default-src 'none'" in answer.headers[CSP]


def test_people_of_an_account_log_in_and_out_and_come_where_they_wanted(client, acme, alice):
    grant(acme)
    asked = client.get("/my-account/me/")
    assert asked["Location"] == f"{LOGIN}?next=/my-account/me/"
    assert "/my-account/me/" in client.get(asked["Location"]).content.decode()
    assert log_in(client, "ALICE@acme.example", onward="/my-account/me/")["Location"] == "/my-account/me/"
    assert "alice@acme.example" in client.get("/my-account/me/").content.decode()
    assert client.get(LOGIN)["Location"] == HOME
    assert client.get("/my-account/logout/").status_code == 405
    client.post("/my-account/logout/")
    assert client.get(HOME).status_code == 302


@pytest.mark.parametrize("onward", ["https://evil.example/", "//evil.example", "/admin/", "/my-account.evil"])
def test_the_log_in_leads_nowhere_else(client, acme, alice, onward):
    assert log_in(client, alice.email, onward=onward)["Location"] == HOME


def test_one_answer_for_all_who_are_not_let_in(client, acme, alice, root):
    staff = type(alice).objects.create_user("tenant@acme.example", PASSWORD, account=acme, is_staff=True)
    gone = type(alice).objects.create_user("gone@acme.example", PASSWORD, account=acme, is_active=False)
    alone = type(alice).objects.create_user("alone@example.org", PASSWORD)
    answers = [log_in(client, person.email) for person in (root, staff, gone, alone)]
    answers += [log_in(client, alice.email, "wrong"), log_in(client, "nobody@example.org")]
    assert {answer.status_code for answer in answers} == {400}
    bodies = {answer.content.decode().partition('role="alert"')[2][:80] for answer in answers}
    assert len(bodies) == 1
    assert "is wrong" in bodies.pop()


def test_the_log_ins_of_portal_and_admin_are_two(client, acme, alice, root):
    log_in(client, alice.email)
    cookie = client.cookies["portal_sessionid"]
    assert (cookie["path"], bool(cookie["httponly"])) == ("/my-account/", True)
    assert "sessionid" not in client.cookies
    client.force_login(root, "contacts_app.people.login.EmailOrUsernameBackend")
    assert client.get(HOME).status_code == client.get("/admin/").status_code == 200
    # Nor does a stolen cookie serve under the other name.
    client.cookies["sessionid"], client.cookies["portal_sessionid"] = (cookie.value, client.cookies["sessionid"].value)
    assert client.get(HOME).status_code == client.get("/admin/").status_code == 302


def test_forms_are_refused_without_their_token(acme, alice):
    client = Client(enforce_csrf_checks=True)
    refused = log_in(client, alice.email)
    assert refused.status_code == 403
    assert is_page_of_the_portal(refused, "Nothing was changed")
    client.get(LOGIN)
    token = client.cookies["portal_csrftoken"].value
    answer = client.post(LOGIN, {"username": alice.email, "password": PASSWORD, "csrfmiddlewaretoken": token})
    assert answer.status_code == 302


def test_wrong_passwords_lock_the_name(client, acme, alice, settings):
    settings.AXES_FAILURE_LIMIT = 3
    statuses = [log_in(client, alice.email, "wrong").status_code for _ in range(3)]
    assert statuses[-1] == 429
    refused = log_in(client, alice.email)
    assert (refused.status_code, refused["Retry-After"]) == (429, "900")
    assert is_page_of_the_portal(refused, "Too many wrong passwords")
    german = client.post(LOGIN, {"username": alice.email, "password": PASSWORD}, headers={"Accept-Language": "de"})
    assert is_page_of_the_portal(german, "Zu viele falsche Passwörter")


def test_who_is_locked_out_meanwhile_is_out(acme, alice):
    client = visit(alice)
    assert client.get(HOME).status_code == 200
    acme.is_active = False
    acme.save()
    assert client.get(HOME).status_code == 302


def test_without_a_profile_there_are_ones_own_details_alone(acme, alice):
    shown = visit(alice).get(HOME).content.decode()
    assert "alice@acme.example" in shown
    assert 'class="card"' in shown
    assert shown.count("<li><a") == 1


def test_another_password_ends_the_other_log_ins(acme, alice):
    here, there = visit(alice), visit(alice)
    form = {"current": "wrong", "password": "battery staple 7", "again": "battery staple 7"}
    url = reverse("portal:me-password")
    assert here.post(url, form).status_code == 400
    assert here.post(url, form | {"current": PASSWORD, "again": "other"}).status_code == 400
    weak = here.post(url, {"current": PASSWORD, "password": "1234", "again": "1234"})
    assert weak.status_code == 400
    assert "too short" in weak.content.decode()
    assert here.post(url, form | {"current": PASSWORD}).status_code == 302
    assert here.get(HOME).status_code == 200
    assert there.get(HOME).status_code == 302
    alice.refresh_from_db()
    assert alice.check_password("battery staple 7")


def test_pages_forbid_what_they_do_not_have(client, db):
    answer = client.get(LOGIN)
    policy = answer["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    page = answer.content.decode()
    assert "<script" not in page
    assert "style=" not in page
    assert "<style" not in page
    assert "no-store" in answer["Cache-Control"]


@pytest.mark.parametrize(("asked", "chosen", "language"), [("de-AT", "", "de"), ("fr", "", "en"), ("de", "en", "en")])
def test_the_language_is_the_browsers_or_the_chosen_one(client, db, asked, chosen, language):
    if chosen:
        client.post("/my-account/language/", {"language": chosen, "next": LOGIN})
    assert f'<html lang="{language}">' in client.get(LOGIN, headers={"accept-language": asked}).content.decode()


def test_the_operators_name_and_colour_are_settings(client, db, settings, tmp_path):
    settings.PORTAL_NAME, settings.PORTAL_COLOUR = "Kestrel Telecom", "#ffd400"
    settings.PORTAL_LOGO = str(tmp_path / "logo.svg")
    (tmp_path / "logo.svg").write_text("<svg/>")
    page = client.get(LOGIN).content.decode()
    assert "Kestrel Telecom" in page
    assert 'src="/my-account/logo"' in page
    logo = client.get("/my-account/logo")
    assert (logo["Content-Type"], logo.content) == ("image/svg+xml", b"<svg/>")
    assert "sandbox" in logo["Content-Security-Policy"]
    look = client.get("/my-account/look.css").content.decode()
    assert "--bar:#ffd400" in look
    assert "--on-bar:#000000" in look
    assert "--accent:#ffd400" in look.partition("@media")[2]
    settings.PORTAL_LOGO = ""
    assert client.get("/my-account/logo").status_code == 404
