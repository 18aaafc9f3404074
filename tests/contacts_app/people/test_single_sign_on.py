"""Single sign-on against a real provider: who is let in, as whom, with which roles; and what forgers get."""

from contextlib import nullcontext

import pytest
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.test import Client
from django.urls import reverse

from contacts_app.people.models import SecondFactor, User
from tests.admin_people import at_desk
from tests.peers.openid_provider import openid_provider
from tests.servers import free_port

pytestmark = pytest.mark.django_db
INIT, INDEX, LOGIN = (reverse(name) for name in ("oidc_authentication_init", "admin:index", "admin:login"))
USERS = reverse("admin:contacts_app_user_changelist")


@pytest.fixture(scope="module")
def running_provider():
    with openid_provider() as running:
        yield running


@pytest.fixture
def provider(running_provider, settings):
    for name, value in running_provider.settings().items():
        setattr(settings, name, value)
    settings.AUTHENTICATION_BACKENDS = [*settings.AUTHENTICATION_BACKENDS, settings.OIDC_BACKEND]
    settings.OIDC_ROLES = {"pbx-admins": "Administrators", "noc": "Night watch"}
    for name in settings.OIDC_ROLES.values():
        Group.objects.create(name=name)
    return running_provider


@pytest.fixture
def erin(db):
    """Works for the portal itself, and has no role yet."""
    return User.objects.create_user("erin@example.org", "correct horse")


def claims(email="erin@example.org", groups=("noc",), **others):
    return {"email": email, "email_verified": True, "groups": list(groups)} | others


def come_in(provider, subject, client=None, onward="", **changes):
    """The way through the provider; the client and the answer to what comes back."""
    client = client or Client()
    begun = client.get(INIT, {"next": onward} if onward else {})
    return client, client.get(provider.approve(begun.url, subject, **changes))


def is_in(client):
    return client.get(INDEX).status_code == 200


def is_told(client, words):
    return words in client.get(LOGIN).text


def test_a_person_comes_in_and_leaves(provider, erin):
    provider.has("erin", **claims())
    client, answer = come_in(provider, "erin", onward=USERS)
    assert answer.url == USERS
    assert is_in(client)
    erin.refresh_from_db()
    assert erin.single_sign_on_id == f"{provider.issuer} erin"
    assert [group.name for group in erin.groups.all()] == ["Night watch"]
    made = erin.history.filter(history_changes__has_key="groups").get()
    assert (made.history_actor, made.history_channel) == ("single sign-on", "admin")
    left = client.post(reverse("admin:logout"))
    assert f"{provider.issuer}/oauth2/end_session?client_id=patchbay" in left.text.replace("&amp;", "&")
    assert not is_in(client)


def test_the_way_onward_stays_within_the_portal(provider, erin):
    provider.has("erin", **claims())
    assert come_in(provider, "erin", onward="https://evil.example/")[1].url == INDEX


def test_the_log_in_page_offers_it(provider, client):
    page = client.get(LOGIN, {"next": USERS}).text
    assert f'href="{INIT}?next={USERS.replace("/", "%2F")}"' in page
    assert "Log in with single sign-on" in page


@pytest.mark.parametrize("said", [{"email_verified": False}, {"email_verified": None}, {"email_verified": "no"}])
def test_an_address_that_the_provider_has_not_checked_is_nobody(provider, erin, settings, said):
    settings.OIDC_CREATE_PEOPLE = True
    provider.has("mallory", **claims(**said))
    client, _ = come_in(provider, "mallory")
    assert not is_in(client)
    assert User.objects.get() == erin
    erin.refresh_from_db()
    assert erin.single_sign_on_id is None


def test_the_claim_that_says_so_is_a_setting(provider, erin, settings):
    settings.OIDC_EMAIL_VERIFIED_CLAIM = "xms_edov"
    provider.has("erin", **claims(email_verified=None, xms_edov="1"))
    assert is_in(come_in(provider, "erin")[0])


def test_another_person_with_the_same_address_is_not_the_same(provider, erin):
    provider.has("erin", **claims())
    assert is_in(come_in(provider, "erin")[0])
    provider.has("successor", **claims())
    client, _ = come_in(provider, "successor")
    assert not is_in(client)
    assert is_told(client, "linked to another person")
    provider.has("erin", **claims(email="erin.married@example.org"))
    assert is_in(come_in(provider, "erin")[0]), "the provider's own name for a person outlives the address"


def test_after_an_administrator_has_unlinked_somebody_the_address_counts_again(provider, erin, root):
    provider.has("erin", **claims())
    come_in(provider, "erin")
    desk = at_desk(root)
    url = reverse("admin:contacts_app_user_unlink_single_sign_on", args=[erin.pk])
    assert desk.get(url).status_code == 200
    assert desk.post(url).status_code == 302
    provider.has("erin-anew", **claims())
    assert is_in(come_in(provider, "erin-anew")[0])


def test_an_unknown_person_is_refused_or_made(provider, settings):
    provider.has("frank", **claims("Frank@example.org", given_name="Frank", family_name="Field"))
    client, _ = come_in(provider, "frank")
    assert not is_in(client)
    assert is_told(client, "does not know you")
    assert not User.objects.exists()
    settings.OIDC_CREATE_PEOPLE = True
    client, _ = come_in(provider, "frank")
    assert is_in(client)
    frank = User.objects.get()
    assert (frank.email, frank.get_full_name(), frank.has_usable_password()) == (
        "frank@example.org",
        "Frank Field",
        False,
    )
    assert not frank.is_superuser


def test_an_unknown_person_without_a_role_is_not_made(provider, settings):
    settings.OIDC_CREATE_PEOPLE = True
    provider.has("grace", **claims("grace@example.org", groups=["canteen"]))
    assert not is_in(come_in(provider, "grace")[0])
    assert not User.objects.exists()


def test_a_lost_group_takes_the_role_away(provider, erin):
    provider.has("erin", **claims(groups=["noc", "pbx-admins"]))
    before, _ = come_in(provider, "erin")
    assert set(erin.groups.values_list("name", flat=True)) == {"Administrators", "Night watch"}
    provider.has("erin", **claims(groups=["noc"]))
    come_in(provider, "erin")
    assert set(erin.groups.values_list("name", flat=True)) == {"Night watch"}
    provider.has("erin", **claims(groups=[]))
    client, _ = come_in(provider, "erin")
    assert not erin.groups.exists()
    assert is_told(client, "no role in this portal")
    assert not is_in(client)
    assert not is_in(before), "the session of before sees nothing any more"


def test_roles_that_no_group_stands_for_stay(provider, erin):
    erin.groups.add(Group.objects.create(name="Translators"))
    provider.has("erin", **claims())
    come_in(provider, "erin")
    provider.has("erin", **claims(groups=[]))
    assert is_in(come_in(provider, "erin")[0])
    assert [group.name for group in erin.groups.all()] == ["Translators"]


def test_the_role_of_customers_is_for_people_with_an_account(provider, erin, acme, settings):
    settings.OIDC_ROLES = {"customers": "Tenant administrator"}
    settings.OIDC_CREATE_PEOPLE = True
    Group.objects.get_or_create(name="Tenant administrator")
    for name in ("erin", "frank"):
        provider.has(name, **claims(f"{name}@example.org", groups=["customers"]))
        assert not is_in(come_in(provider, name)[0])
    assert User.objects.get() == erin
    User.objects.filter(pk=erin.pk).update(account=acme)
    assert is_in(come_in(provider, "erin")[0])


@pytest.mark.parametrize("what", ["person", "account"])
def test_who_is_not_active_is_refused(provider, erin, acme, what):
    provider.has("erin", **claims())
    row = erin if what == "person" else acme
    erin.account = acme
    erin.save()
    type(row).objects.filter(pk=row.pk).update(is_active=False)
    client, _ = come_in(provider, "erin")
    assert not is_in(client)
    assert is_told(client, "is not active")


@pytest.mark.parametrize("forged", ["state", "nonce", "signature", "code"])
def test_what_is_forged_is_refused(provider, erin, forged):
    provider.has("erin", **claims())
    changes = {forged: "forged"} if forged in ("state", "nonce") else {}
    client = Client()
    with provider.forging() if forged == "signature" else nullcontext():
        back = provider.approve(client.get(INIT).url, "erin", **changes)
        answer = client.get(back if forged != "code" else back.replace("code=", "code=x"))
    assert answer.url == LOGIN
    assert not is_in(client)
    assert is_in(come_in(provider, "erin", client)[0]), "the same way without the forgery leads in"


def test_what_was_begun_in_another_browser_is_refused(provider, erin):
    provider.has("erin", **claims())
    back = provider.approve(Client().get(INIT).url, "erin")
    other = Client()
    assert other.get(back).url == LOGIN
    assert not is_in(other)


def test_a_code_that_another_client_was_given_is_refused(provider, erin):
    provider.has("erin", **claims())
    assert not is_in(come_in(provider, "erin", client_id="another")[0])


def test_nobody_is_logged_out_by_a_link(provider, erin):
    provider.has("erin", **claims())
    client, _ = come_in(provider, "erin")
    client.get(reverse("oidc_authentication_callback"), {"error": "access_denied"})
    assert is_in(client)


def test_a_provider_that_is_away_is_told(provider, settings, client):
    settings.OIDC_ISSUER = f"http://127.0.0.1:{free_port()}"
    assert client.get(INIT).url == LOGIN
    assert is_told(client, "did not answer as it should")


def test_without_a_provider_there_is_no_such_page(client):
    assert client.get(INIT).status_code == client.get(reverse("oidc_authentication_callback")).status_code == 404


def test_without_local_login_no_password_is_taken(provider, erin, settings):
    settings.LOCAL_LOGIN = False
    provider.has("erin", **claims())
    password = {"username": erin.email, "password": "correct horse"}
    before = Client().post("/api/v1/auth/login", password, content_type="application/json").json()["data"]
    settings.AUTHENTICATION_BACKENDS = [*settings.AUTHENTICATION_BACKENDS[:1], settings.OIDC_BACKEND]
    client = Client()
    page = client.get(LOGIN).text
    assert "Log in with" in page
    assert 'type="password"' not in page
    client.post(LOGIN, password)
    assert not is_in(client)
    assert Client().post("/api/v1/auth/login", password, content_type="application/json").status_code == 401
    again = {"refreshToken": before["refreshToken"]}
    assert Client().post("/api/v1/auth/refresh", again, content_type="application/json").status_code == 401
    assert is_in(come_in(provider, "erin")[0])


@pytest.mark.parametrize("asked", [False, True])
def test_the_second_factor_is_the_providers_business_unless_it_is_said_otherwise(provider, erin, settings, asked):
    settings.OIDC_SECOND_FACTOR = asked
    SecondFactor.objects.create(user=erin, key="A" * 32)
    provider.has("erin", **claims())
    assert is_in(come_in(provider, "erin")[0]) is not asked


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"LOCAL_LOGIN": False}, "login.E001"),
        ({"OIDC_ISSUER": "https://sso.example.org", "OIDC_RP_CLIENT_SECRET": ""}, "login.E002"),
        ({"OIDC_ROLES": ["pbx-admins"]}, "login.E003"),
    ],
)
def test_settings_that_cannot_work_are_told(settings, values, told):
    for name, value in values.items():
        setattr(settings, name, value)
    with pytest.raises(SystemCheckError, match=told):
        call_command("check", "--database", "default")


def test_a_role_that_is_not_there_and_a_provider_without_tls_are_told(provider, settings, capsys):
    settings.SECOND_FACTOR_ROLES = ["Administratros"]
    # Nothing else of what is unsafe in a test is of interest.
    call_command("check", "--deploy", "--database", "default", "--tag", "login", "--tag", "database")
    said = capsys.readouterr().err
    assert "login.W002" in said
    assert "Administratros" in said
    assert "login.W001" in said
    assert "Night watch" not in said
