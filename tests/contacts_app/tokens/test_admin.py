"""A token is shown in the answer that makes it, and nowhere and never again."""

import re

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group
from django.contrib.sessions.models import Session
from django.urls import reverse

from contacts_app.accounts.models import Extension
from contacts_app.people.login import open_session
from contacts_app.people.models import LoginSession, User
from contacts_app.tokens.models import ApiToken
from tests.admin_people import at_desk, clerk

ADD = reverse("admin:contacts_app_apitoken_add")
TOMORROW = {"expires_at_0": "2099-01-31", "expires_at_1": "12:00:00"}
pytestmark = pytest.mark.django_db


@pytest.fixture
def root_desk(root):
    return at_desk(root)


def of_account(account, /, **fields) -> dict[str, object]:
    return {"scope": "account", "account": account.pk, "never_ends": "on", "name": "CRM"} | fields


def errors(answer) -> set[str]:
    return set(answer.context["adminform"].form.errors)


def shown_token(answer) -> str:
    assert answer.status_code == 200, answer
    return re.search(r"data-token>(pb_[^<]+)<", answer.content.decode())[1]


def test_a_new_token_is_shown_once_and_works(root_desk, root, acme):
    answer = root_desk.post(ADD, of_account(acme, read_only="on"))
    text = shown_token(answer)
    token = ApiToken.objects.find(text, "127.0.0.1")
    assert (token.name, token.account, token.scope, token.read_only) == ("CRM", acme, "account", True)
    assert token.created_by == root
    assert "no-store" in answer["Cache-Control"]


def test_the_text_is_kept_nowhere(root_desk, acme):
    text = shown_token(root_desk.post(ADD, of_account(acme)))
    secret = text.split("_", 2)[2]
    token = ApiToken.objects.get()
    pages = [
        reverse("admin:contacts_app_apitoken_changelist"),
        reverse("admin:contacts_app_apitoken_change", args=[token.pk]),
        reverse("admin:contacts_app_apitoken_history", args=[token.pk]),
        reverse("admin:index"),
    ]
    for url in pages:
        page = root_desk.get(url).content.decode()
        assert secret not in page, url
        assert token.digest not in page, url
    kept = [str(session.get_decoded()) for session in Session.objects.all()]
    kept += [f"{entry.object_repr} {entry.change_message}" for entry in LogEntry.objects.all()]
    assert not [row for row in kept if secret in row]


def test_an_empty_form_makes_nothing(root_desk, acme):
    """It would mean everything, for ever."""
    assert errors(root_desk.post(ADD, {})) >= {"scope", "expires_at"}
    assert "expires_at" in errors(root_desk.post(ADD, of_account(acme, never_ends="")))
    assert "account" in errors(root_desk.post(ADD, {"scope": "account", "never_ends": "on"}))
    assert not ApiToken.objects.exists()


def test_the_scope_says_whose_it_is(root_desk, acme, other):
    extension = Extension.objects.create(account=acme, number=1001)
    shown_token(root_desk.post(ADD, {"scope": "extension", "extension": extension.pk, "never_ends": "on"}))
    assert ApiToken.objects.get().account == acme
    mixed = of_account(other, scope="extension", extension=extension.pk)
    assert "extension" in errors(root_desk.post(ADD, mixed))
    assert "extension" in errors(root_desk.post(ADD, of_account(acme, extension=extension.pk)))


def test_a_token_for_every_account_is_a_superuser_s_and_ends(root_desk, acme):
    everywhere = {"scope": "staff", "name": "Backup"}
    assert "expires_at" in errors(root_desk.post(ADD, everywhere | {"never_ends": "on"}))
    assert "account" in errors(root_desk.post(ADD, everywhere | TOMORROW | {"account": acme.pk}))
    assert shown_token(root_desk.post(ADD, everywhere | TOMORROW))
    token = ApiToken.objects.get()
    assert token.scope == "staff"
    change = reverse("admin:contacts_app_apitoken_change", args=[token.pk])
    assert "expires_at" in errors(root_desk.post(change, {"name": "Backup", "never_ends": "on"}))
    administrator = User.objects.create_user("a@example.org", "correct horse", is_staff=True)
    administrator.groups.add(Group.objects.get(name="Administrator"))
    desk = at_desk(administrator)
    assert "scope" in errors(desk.post(ADD, everywhere | TOMORROW))
    assert (
        desk.post(change, {"name": "Longer", "expires_at_0": "2199-01-31", "expires_at_1": "0:00"}).status_code == 403
    )
    assert shown_token(desk.post(ADD, of_account(acme)))


def test_who_may_not_see_passwords_makes_no_token(acme):
    """It would show them."""
    assert at_desk(clerk(acme)).post(ADD, of_account(acme)).status_code == 403
    assert not ApiToken.objects.exists()


def test_malformed_networks_are_refused_at_their_field(root_desk, acme):
    answer = root_desk.post(ADD, of_account(acme, networks="10.0.0.0/99"))
    assert errors(answer) == {"networks"}
    assert not ApiToken.objects.exists()


def test_a_clerk_makes_tokens_of_the_own_account_only(acme, other):
    desk = at_desk(clerk(acme, without=""))
    for owner in ("", other.pk):
        assert "account" in errors(desk.post(ADD, of_account(acme, account=owner)))
    stranger = Extension.objects.create(account=other, number=1001)
    assert "extension" in errors(desk.post(ADD, of_account(acme, scope="extension", extension=stranger.pk)))
    assert "scope" in errors(desk.post(ADD, of_account(acme, scope="staff")))
    assert not ApiToken.objects.exists()
    assert shown_token(desk.post(ADD, of_account(acme)))


def test_a_token_is_revoked_after_a_yes(root_desk, acme):
    text = shown_token(root_desk.post(ADD, of_account(acme)))
    url = reverse("admin:contacts_app_apitoken_revoke", args=[ApiToken.objects.get().pk])
    root_desk.get(url)
    assert ApiToken.objects.find(text, "127.0.0.1"), "a link alone revokes nothing"
    root_desk.post(url)
    assert ApiToken.objects.find(text, "127.0.0.1") is None
    assert LogEntry.objects.latest("pk").change_message == "Revoked."


def test_several_tokens_are_revoked_from_the_list(root_desk, acme):
    texts = [shown_token(root_desk.post(ADD, of_account(acme, name=name))) for name in ("A", "B", "C")]
    chosen = [ApiToken.objects.find(text, "127.0.0.1").pk for text in texts[:2]]
    root_desk.post(
        reverse("admin:contacts_app_apitoken_changelist"), {"action": "revoke_selected", "_selected_action": chosen}
    )
    assert [bool(ApiToken.objects.find(text, "127.0.0.1")) for text in texts] == [False, False, True]


def test_a_login_session_is_ended_after_a_yes(root_desk, alice):
    session = open_session(alice, "192.0.2.1").session
    url = reverse("admin:contacts_app_loginsession_end", args=[session.pk])
    root_desk.get(url)
    assert LoginSession.objects.get().revoked_at is None
    root_desk.post(url)
    assert LoginSession.objects.get().revoked_at
