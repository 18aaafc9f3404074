"""The ready-made roles: what each is for, it may do; what it is not for, it may not, over REST as in the admin."""

from importlib import import_module

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission
from django.urls import reverse

from contacts_app.people.models import User
from phones_app.inventory.models import Phone
from tests.admin_people import at_desk
from tests.phones_app.rest import Api, of
from tests.phones_app.site import sip_file

pytestmark = pytest.mark.django_db
SECRET = "very-secret-1001"
READS = ["phones", "phone-profiles", "deployments", "rollouts", "users", "file-servers", "call-managers", "extensions"]
PHONE = ("post", "phones", {"mac": "020000000001", "account": 1000001})
RENAME = ("patch", "phones/{mac}", {"name": "Renamed"})
REMOVE = ("delete", "phones/{mac}", None)
DEPLOY = ("post", "deployments", {"profile_uuid": "{profile}", "macs": ["{mac}"]})
EDIT = ("patch", "phone-profiles/{profile}", {"name": "Renamed", "cnf_xml": "{changed}"})
SERVER = ("post", "file-servers", {"name": "F", "host": "files.example", "account": 1000001})
PERSON = ("post", "users", {"email": "x@acme.example", "password": "tr0ub4dor & 3", "account": 1000001})
LISTENS = ("post", "/v4/accounts/1000001/integrations/events/profiles", {"name": "E", "support_email": None})
TOKEN = ("post", "/rest/token", {"name": "x"})
# What each may do, and what it may not; whether it is shown passwords, and which lists it sees.
ROLES = {
    "Administrator": ([PHONE, RENAME, DEPLOY, EDIT, SERVER, PERSON, LISTENS, REMOVE], [TOKEN], True, READS),
    "Operator": ([PHONE, RENAME, DEPLOY, EDIT, LISTENS, REMOVE], [SERVER, PERSON, TOKEN], True, READS),
    "Help desk": ([RENAME, DEPLOY], [PHONE, EDIT, SERVER, PERSON, LISTENS, TOKEN, REMOVE], False, READS),
    "Auditor": ([], [PHONE, RENAME, DEPLOY, EDIT, SERVER, PERSON, LISTENS, TOKEN, REMOVE], False, READS),
    "Tenant administrator": ([PHONE, RENAME, DEPLOY, EDIT, SERVER, PERSON, LISTENS, TOKEN, REMOVE], [], True, READS),
}


def person(role: str, account=None) -> User:
    user = User.objects.create_user(f"{role.split()[0].lower()}@desk.example", account=account, is_staff=True)
    user.groups.add(Group.objects.get(name=role))
    return user


@pytest.fixture
def things(api, alice, phone, shared_server):
    profile = api.create_profile(alice)
    return {"mac": phone.mac, "profile": profile["uuid"], "changed": sip_file().replace("1001", "1002")}


def asked(caller: Api, what, things) -> int:
    method, path, body = what
    text = path.format(**things)
    filled = {
        name: [item.format(**things) for item in value] if isinstance(value, list)
        else things.get(value.strip("{}"), value) if isinstance(value, str) else value
        for name, value in (body or {}).items()
    }  # fmt: skip
    url = text if text.startswith("/") else f"/api/v1/{text}"
    sent = {"data": filled, "content_type": "application/json"} if body is not None else {}
    return getattr(caller.client, method)(url, headers=caller.headers, **sent).status_code


@pytest.mark.parametrize("role", ROLES)
def test_a_role_does_what_it_is_for_and_nothing_else(role, things, acme, no_inline_work):
    may, may_not, is_shown, reads = ROLES[role]
    user = person(role, acme if role == "Tenant administrator" else None)
    caller = of(user)
    for path in reads:
        assert caller.get(path).status_code == 200, path
    content = caller.get(f"phone-profiles/{things['profile']}").content.decode()
    assert (SECRET in content) is is_shown
    for what in may_not:
        assert asked(caller, what, things) == 403, what
    for what in may:
        assert asked(caller, what, things) in (200, 201, 202), what


@pytest.mark.parametrize("role", ROLES)
def test_the_admin_says_the_same(role, things, acme):
    user = person(role, acme if role == "Tenant administrator" else None)
    desk, phone = at_desk(user), Phone.objects.get()
    assert desk.get(reverse("admin:index")).status_code == 200
    assert desk.get(reverse("admin:phones_app_phone_change", args=[phone.pk])).status_code == 200
    removing = desk.get(reverse("admin:phones_app_phone_delete", args=[phone.pk])).status_code
    assert (removing == 200) is (REMOVE in ROLES[role][0])
    assert (desk.get(reverse("admin:phones_app_phone_add")).status_code == 200) is (PHONE in ROLES[role][0])
    assert (desk.get(reverse("admin:contacts_app_user_add")).status_code == 200) is (PERSON in ROLES[role][0])
    assert desk.get(reverse("admin:auth_group_changelist")).status_code == 403


def test_a_tenant_s_role_ends_at_the_account(things, other, phone):
    stranger = of(person("Tenant administrator", other))
    assert stranger.get("phones").json()["data"] == []
    assert stranger.get(f"phones/{phone.mac}").status_code == 404
    assert asked(stranger, RENAME, things) == 404


def test_no_role_is_a_superuser_s_and_all_see_history(db):
    assert set(Group.objects.values_list("name", flat=True)) == set(ROLES)
    for group in Group.objects.all():
        assert not group.permissions.filter(content_type__app_label="auth").exists()
        assert group.permissions.filter(codename="view_phone").exists()
    assert not Group.objects.get(name="Auditor").permissions.exclude(codename__startswith="view_").exists()


def test_a_role_that_was_changed_stays_changed(db):
    make_roles = import_module("phones_app.migrations.0009_roles").make_roles
    group = Group.objects.get(name="Auditor")
    group.permissions.set(Permission.objects.filter(codename="view_phone"))
    make_roles(apps, None)
    assert list(group.permissions.values_list("codename", flat=True)) == ["view_phone"]
