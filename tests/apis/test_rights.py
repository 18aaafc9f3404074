"""Every route of the OpenAPI document × every kind of credential × one's own row and another account's.

`rights.toml` has a row for each route; what each credential is answered follows from it. A new route without a row fails.
"""

import tomllib
from collections.abc import Iterator
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from django.contrib.auth.models import Group, Permission
from django.db import transaction
from django.urls import get_resolver
from django.utils import timezone

from contacts_app.accounts.services import ensure_extension
from contacts_app.core.api.rights import permissions_for
from contacts_app.core.api.view import DialectView
from contacts_app.core.memory import forget_everything
from contacts_app.people.login import open_session
from contacts_app.people.models import User
from contacts_app.tokens.services import create_token
from phones_app.deployment.models import Deployment
from profiles_app.phone.models import PhoneProfile
from tests.apis.conftest import Caller, everything
from tests.apis.routes import names_a_row, operations, url_of

pytestmark = pytest.mark.django_db

TABLE: dict[str, dict[str, list[str]]] = tomllib.loads(Path(__file__).with_name("rights.toml").read_text())
ANY_VIEW = "*.view_*"
ROLES = ("Administrator", "Operator", "Help desk", "Auditor", "Tenant administrator")
OURS = ("contacts_app", "profiles_app", "phones_app")
LET_IN = {200, 201, 202, 204, 400, 409, 415, 422}
# What has another answer for everybody who is let in, for a reason of its own.
BUSINESS = {
    # The entry is another person's, and each is asked about their own.
    **{(method, "/api/v1/me/directory-entries/{uuid}"): {404} for method in ("get", "put", "patch", "delete")},
    ("get", "/api/v1/me"): {404},
    ("get", "/api/v1/me/phones"): {404},
    ("put", "/api/v1/me/pin"): {404},
    ("get", "/api/v1/me/cisco-services/personal"): {404},
    ("get", "/rest/auth"): {401},  # a token belongs to nobody who could log in
    ("post", "/api/v1/auth/login"): {401},
    ("post", "/api/2.0/accounts/action/"): {401},
    ("post", "/api/v1/auth/refresh"): {401},
    ("delete", "/api/2.0/notification_contacts/{uuid}/"): {403},  # the main contact stays
    ("delete", "/v4/oauth/access-token"): {404},
    # No account decides which profile it gets itself.
    ("put", "/backend/api/v1/customers/{customer_id}/myAccountProfile"): {403},
    ("delete", "/backend/api/v1/customers/{customer_id}/myAccountProfile"): {403},
    # What is made for an account by staff who name none is not found there.
    ("post", "/rest/sms/inbound"): {404},
    ("post", "/rest/token"): {403},
    ("patch", "/rest/token/{token}"): {404},
    ("delete", "/rest/token/{token}"): {404},
}


def test_every_route_has_its_row():
    rows = {(method.lower(), path) for path, methods in TABLE.items() for method in methods}
    assert rows == {(method, path) for method, path, _ in operations()}


def test_every_permission_is_one():
    known = {f"{row.content_type.app_label}.{row.codename}" for row in Permission.objects.all()}
    named = {name for methods in TABLE.values() for _, *permissions in methods.values() for name in permissions}
    assert named - {ANY_VIEW} <= known


def routes(patterns: Any = None) -> Any:
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        if hasattr(pattern, "url_patterns"):
            yield from routes(pattern.url_patterns)
        elif isinstance(view := getattr(pattern.callback, "cls", None), type) and issubclass(view, DialectView):
            yield view(**pattern.callback.initkwargs), pattern.callback.actions


def test_every_action_says_what_staff_need():
    """Those too that the document does not show, such as former URLs."""
    silent = {
        f"{type(view).__name__}.{action}"
        for view, actions in routes()
        for action in actions.values()
        if permissions_for(type(view), action, view.model()) is None
    }
    assert not silent


class Credential(NamedTuple):
    """`customer`: what the first word of the table has to be for it to get in; `permissions`: of staff, else None."""

    token: str
    lets_in: frozenset[str]
    permissions: frozenset[str] | None = None
    reads_only: bool = False
    is_good: bool = True
    is_everywhere: bool = False
    person: str = ""


ALL = frozenset({"open", "anybody", "members", "managers", "account"})
OF_PORTAL = ALL | {"given"}


@cache
def _permissions_of_role(name: str) -> frozenset[str]:
    rows = Group.objects.get(name=name).permissions.select_related("content_type")
    return frozenset(f"{row.content_type.app_label}.{row.codename}" for row in rows)


def staff(account: Any = None, role: str = "", **fields: Any) -> tuple[User, frozenset[str]]:
    user = User.objects.create_user("desk@example.org", "correct horse", account=account, is_staff=True, **fields)
    if role:
        user.groups.add(Group.objects.get(name=role))
    return user, _permissions_of_role(role) if role else frozenset()


def login(user: User, **said: Any) -> Credential:
    return Credential(open_session(user, None).access, OF_PORTAL, **said)


def nothing(account: Any) -> Credential:
    return Credential("", frozenset({"open"}), is_good=False)


def tenant(account: Any) -> Credential:
    return Credential(create_token(account=account)[1], ALL)


def extension(account: Any) -> Credential:
    number = ensure_extension(account=account, number=777)
    return Credential(create_token(extension=number)[1], frozenset({"open", "anybody"}))


def reader(account: Any) -> Credential:
    return Credential(create_token(account=account, read_only=True)[1], ALL, reads_only=True)


def expired(account: Any) -> Credential:
    text = create_token(account=account, expires_at=timezone.now() - timedelta(seconds=1))[1]
    return Credential(text, frozenset({"open"}), is_good=False)


def elsewhere(account: Any) -> Credential:
    return Credential(create_token(account=account, networks="192.0.2.0/24")[1], frozenset({"open"}), is_good=False)


def owner(account: Any) -> Credential:
    return login(User.objects.create_user("owner@example.org", account=account, permission_level=0))._replace(
        lets_in=ALL
    )


def member(account: Any) -> Credential:
    """Whose profile and deployment the account's are."""
    user = User.objects.create_user("member@example.org", account=account, permission_level=5)
    PhoneProfile.objects.filter(user__account=account).update(user=user)
    Deployment.objects.filter(account=account).update(user=user)
    return login(user, person=str(user.uuid))._replace(lets_in=frozenset({"open", "anybody", "members"}))


def superuser(account: Any) -> Credential:
    return login(User.objects.create_superuser("super@example.org", "correct horse"), is_everywhere=True)


def staff_token(account: Any) -> Credential:
    return Credential(create_token(expires_at=timezone.now() + timedelta(days=1))[1], OF_PORTAL, is_everywhere=True)


def nobodys_staff(account: Any) -> Credential:
    user, permissions = staff()
    return login(user, permissions=permissions, is_everywhere=True)


def without_admin(account: Any) -> Credential:
    """A person who runs the portal over REST alone, with a level and no permission."""
    user = User.objects.create_user("rest@example.org", permission_level=0)
    return login(user, permissions=frozenset(), is_everywhere=True)


def in_role(role: str) -> Any:
    def make(account: Any) -> Credential:
        # Whatever their level is: what staff may do is what their permissions say.
        user, permissions = staff(role=role, permission_level=7)
        return login(user, permissions=permissions, is_everywhere=True)

    return make


def tenants_role(role: str) -> Any:
    def make(account: Any) -> Credential:
        # Whom of the account they may change is a matter of their level.
        user, permissions = staff(account, role, permission_level=0)
        return login(user, permissions=permissions)

    return make


CREDENTIALS = {
    "none": nothing,
    "tenant": tenant,
    "extension": extension,
    "read-only": reader,
    "expired": expired,
    "wrong network": elsewhere,
    "owner": owner,
    "member": member,
    "superuser": superuser,
    "staff token": staff_token,
    "staff without a permission": nobodys_staff,
    "staff without the admin": without_admin,
    **{role: in_role(role) for role in ROLES},
    **{f"{role} of an account": tenants_role(role) for role in ("Tenant administrator", "Help desk", "Auditor")},
}


def expected(who: Credential, method: str, path: str, *, foreign: bool) -> set[int]:
    first, *needed = TABLE[path][method.upper()]
    business = BUSINESS.get((method, path), set())
    if first == "gateway":
        return {401}
    if first == "open":
        return LET_IN | business
    if not who.is_good:
        return {401}
    if who.reads_only and method != "get":
        return {403}
    if first not in who.lets_in:
        return {403}
    if who.permissions is not None and not allowed(who.permissions, needed):
        return {403}
    if foreign and not who.is_everywhere:
        if first == "account":
            return {403}
        if names_a_row(path):
            return {404}
    return LET_IN | business


def allowed(permissions: frozenset[str], needed: list[str]) -> bool:
    """Who may change may see."""
    if needed == [ANY_VIEW]:
        return any(".view_" in one for one in permissions)
    return all(one in permissions or one.replace(".view_", ".change_") in permissions for one in needed)


# Each time the rows are made once for all credentials of a kind.
KINDS = {
    "programs": ("none", "tenant", "extension", "read-only", "expired", "wrong network", "staff token"),
    "people": ("owner", "member", "superuser", "staff without a permission", "staff without the admin"),
    "staff": ROLES,
    "staff of an account": tuple(name for name in CREDENTIALS if name.endswith(" of an account")),
}


def test_every_credential_is_of_a_kind():
    assert sorted(name for names in KINDS.values() for name in names) == sorted(CREDENTIALS)


@pytest.mark.parametrize("kind", KINDS)
def test_every_route_answers_each_credential_as_the_table_says(rows, acme, other, kind, settings):
    settings.PHONE_NETWORKS = ""
    wrong = []
    for name in KINDS[kind]:
        for account in (acme, other):
            with transaction.atomic():
                who = CREDENTIALS[name](account)
                before = everything()
                wrong += [f"{name}: {each}" for each in wrong_answers(who, rows, foreign=account == other)]
                assert everything() == before, name
                transaction.set_rollback(True)
            forget_everything()
            if who.is_everywhere or not who.is_good:
                break
    assert not wrong, "\n".join(wrong)


def wrong_answers(who: Credential, rows: dict[str, Any], *, foreign: bool) -> Iterator[str]:
    caller = Caller(who.token)
    if not who.token:
        caller.http.defaults.pop("HTTP_AUTHORIZATION", None)
    for method, path, _ in operations():
        if foreign and not names_a_row(path) and TABLE[path][method.upper()][0] != "account":
            continue  # Nothing in it is of an account: it was asked with a credential of the other one.
        url = url_of(path, rows, user_uuid=who.person or rows["user"])
        if method == "get":
            status = caller.send(method, url).status_code
        else:
            with transaction.atomic():
                status = caller.send(method, url, {}).status_code
                transaction.set_rollback(True)
            if not 400 <= status < 500:
                # What was rolled back was perhaps remembered; a refusal has written nothing, and forgetting has
                # whatever is asked next find out anew who asks and what they may.
                forget_everything()
        if status not in (wanted := expected(who, method, path, foreign=foreign)):
            whose = "another account's" if foreign else "own"
            yield f"{method.upper()} {path} ({whose}): {status}, not {sorted(wanted)}"
