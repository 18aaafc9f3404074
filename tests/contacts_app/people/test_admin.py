"""People: made with an email, given a password and a PIN that nobody sees again, and no rights of others."""

import pytest
from django.contrib.auth.models import Permission
from django.core.exceptions import ValidationError
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from contacts_app.accounts.models import Account
from contacts_app.core.actor import system
from contacts_app.people.models import User
from contacts_app.people.services import change_user
from tests.admin_people import at_desk, clerk
from tests.phones_app.rest import Api

ADD = reverse("admin:contacts_app_user_add")
ACCOUNTS = reverse("admin:contacts_app_account_changelist")
pytestmark = pytest.mark.django_db


@pytest.fixture
def root_desk(root):
    return at_desk(root)


def change_url(user: User) -> str:
    return reverse("admin:contacts_app_user_change", args=[user.pk])


def new_form(**fields: object) -> dict[str, object]:
    words = {"password1": "tr0ub4dor&3", "password2": "tr0ub4dor&3"}
    return {"email": "Dora@Acme.example", "permission_level": 1} | words | fields


def form_of(user: User, **fields: object) -> dict[str, object]:
    return {
        "email": user.email, "username": user.username, "account": user.account_id or "",
        "permission_level": user.permission_level, "is_active": "on", "lang": "en", "timezone": "UTC",
        "directory_entries-TOTAL_FORMS": 0, "directory_entries-INITIAL_FORMS": 0,
    } | fields  # fmt: skip


def test_people_log_in_with_the_email_they_were_made_with(root_desk, root, acme):
    assert root_desk.post(ADD, new_form(account=acme.pk, is_staff="on")).status_code == 302
    dora = User.objects.get(email="dora@acme.example")
    assert (dora.account, dora.created_by) == (acme, root)
    login = {"username": "dora@acme.example", "password": "tr0ub4dor&3"}
    assert Client().post(reverse("admin:login"), login).url == reverse("admin:index")


@pytest.mark.parametrize("taken", ["ALICE@acme.example", "front-desk"])
def test_two_people_cannot_log_in_with_one_name(root_desk, alice, acme, taken):
    alice.username = "front-desk"
    alice.save()
    bob = User.objects.create_user("bob@acme.example", "x", account=acme)
    answer = root_desk.post(change_url(bob), form_of(bob, username=taken))
    assert "username" in answer.context["adminform"].form.errors


def test_the_user_name_follows_the_email(root_desk, bob):
    root_desk.post(change_url(bob), form_of(bob, email="robert@acme.example"))
    bob.refresh_from_db()
    assert (bob.email, bob.username) == ("robert@acme.example", "robert@acme.example")


def test_a_pin_is_set_kept_and_forgotten(root_desk, bob):
    for fields, good in (({"new_pin": "4711"}, True), ({}, True), ({"forget_pin": "on"}, False)):
        assert root_desk.post(change_url(bob), form_of(bob, **fields)).status_code == 302
        bob.refresh_from_db()
        assert bob.check_pin("4711") is good
    assert "new_pin" in root_desk.post(change_url(bob), form_of(bob, new_pin="12ab")).context["adminform"].form.errors


def test_a_password_is_changed_on_its_own_page(root_desk, bob):
    url = reverse("admin:auth_user_password_change", args=[bob.pk])
    assert "tr0ub4dor" not in root_desk.get(url).content.decode()
    root_desk.post(url, {"password1": "tr0ub4dor&3", "password2": "tr0ub4dor&3"})
    bob.refresh_from_db()
    assert bob.check_password("tr0ub4dor&3")


@pytest.mark.parametrize(
    "form",
    [{"password1": "tr0ub4dor&3", "password2": "tr0ub4dor&3"}, {"usable_password": "false", "unset-password": "1"}],
    ids=["another", "none"],
)
def test_login_sessions_end_with_the_password_that_opened_them(root_desk, nobody, bob, form):
    login = {"username": bob.email, "password": "correct horse"}
    tokens = nobody.post("auth/login", login).json()["data"]
    assert Api(tokens["accessToken"]).get("me").status_code == 200
    assert root_desk.post(reverse("admin:auth_user_password_change", args=[bob.pk]), form).status_code == 302
    assert Api(tokens["accessToken"]).get("me").status_code == 401
    assert nobody.post("auth/refresh", {"refreshToken": tokens["refreshToken"]}).status_code == 401


def test_a_clerk_hands_out_no_rights(acme, bob):
    desk = at_desk(clerk(acme))
    everything = [permission.pk for permission in Permission.objects.all()]
    grants = {"is_superuser": "on", "is_staff": "on", "user_permissions": everything}
    assert desk.post(change_url(bob), form_of(bob, location="Lisbon", **grants)).status_code == 302
    bob.refresh_from_db()
    assert bob.location == "Lisbon"
    assert (bob.is_superuser, bob.is_staff, bob.user_permissions.count()) == (False, False, 0)


def test_a_clerk_makes_people_of_the_own_account_only(acme, other):
    desk = at_desk(clerk(acme))
    for account in ("", other.pk):
        assert "account" in desk.post(ADD, new_form(account=account)).context["adminform"].form.errors
    assert desk.post(ADD, new_form(account=acme.pk)).status_code == 302


def test_only_a_superuser_touches_a_superuser(acme):
    boss = User.objects.create_superuser("boss@acme.example", "correct horse", account=acme)
    desk = at_desk(clerk(acme))
    assert desk.post(change_url(boss), form_of(boss)).status_code == 403
    words = {"password1": "tr0ub4dor&3", "password2": "tr0ub4dor&3"}
    assert desk.post(reverse("admin:auth_user_password_change", args=[boss.pk]), words).status_code == 403
    boss.refresh_from_db()
    assert boss.check_password("correct horse")


def test_groups_are_for_superusers(acme, root_desk):
    url = reverse("admin:auth_group_changelist")
    user = clerk(acme)
    user.user_permissions.set(Permission.objects.all())
    assert at_desk(user).get(url).status_code == 403
    assert root_desk.get(url).status_code == 200


def test_an_account_is_in_a_time_zone_that_there_is(root_desk, acme):
    url = reverse("admin:contacts_app_account_change", args=[acme.pk])
    form = {"name": acme.name, "voip_id": acme.voip_id, "email": acme.email, "level": acme.level, "balance": "0"}
    for wrong in ("Europe/Lissabon", "Europe", "../UTC"):
        answer = root_desk.post(url, form | {"time_zone": wrong})
        assert "time_zone" in answer.context["adminform"].form.errors, wrong
        with pytest.raises(ValidationError, match="There is no such time zone"):
            Account(name="New", voip_id=7, email="a@new.example", time_zone=wrong).full_clean()
    assert root_desk.post(url, form | {"time_zone": "Europe/Lisbon", "is_active": "on"}).status_code == 302
    acme.refresh_from_db()
    assert acme.time_zone == "Europe/Lisbon"


def test_accounts_tell_how_many_people_and_phones_they_have(root_desk, acme, other, alice, bob):
    shown = {account.pk: account for account in root_desk.get(ACCOUNTS).context["cl"].result_list}
    assert (shown[acme.pk].users_counted, shown[acme.pk].phones_counted) == (2, 0)
    assert shown[other.pk].users_counted == 0


def test_more_accounts_take_no_more_queries(root_desk, acme):
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            root_desk.get(ACCOUNTS)
        return len(captured)

    few = queries()
    for number in range(20):
        Account.objects.create(voip_id=2000000 + number, name="More", email="more@example.org")
    assert queries() == few


def test_a_clerk_does_not_lock_the_own_account_out(acme):
    desk = at_desk(clerk(acme))
    form = {"name": "Acme Ltd", "email": acme.email, "time_zone": "UTC", "voip_id": 7}
    assert desk.post(reverse("admin:contacts_app_account_change", args=[acme.pk]), form).status_code == 302
    acme.refresh_from_db()
    assert (acme.name, acme.voip_id, acme.is_active) == ("Acme Ltd", 1000001, True)
    assert desk.get(reverse("admin:contacts_app_account_add")).status_code == 403


@pytest.mark.parametrize("typed", ["+49 (0)201 555-12", "0201/55512", "004920155512", "20155", "555 12"])
def test_people_are_found_by_their_number_in_any_spelling(root_desk, alice, bob, typed):
    change_user(bob, actor=system("test"), phone="+49 (201) 55512")
    page = root_desk.get(reverse("admin:contacts_app_user_changelist"), {"q": typed})
    assert list(page.context["cl"].result_list) == [bob]
    change_user(bob, actor=system("test"), phone=None)
    page = root_desk.get(reverse("admin:contacts_app_user_changelist"), {"q": typed})
    assert not page.context["cl"].result_list
