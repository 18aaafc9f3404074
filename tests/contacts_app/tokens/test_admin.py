"""A token is shown in the answer that makes it, and nowhere and never again."""

import re

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.sessions.models import Session
from django.urls import reverse

from contacts_app.accounts.models import Extension
from contacts_app.people.login import open_session
from contacts_app.people.models import LoginSession
from contacts_app.tokens.models import ApiToken
from tests.admin_people import at_desk, clerk

ADD = reverse("admin:contacts_app_apitoken_add")
pytestmark = pytest.mark.django_db


@pytest.fixture
def root_desk(root):
    return at_desk(root)


def shown_token(answer) -> str:
    assert answer.status_code == 200, answer
    return re.search(r"data-token>(pb_[^<]+)<", answer.content.decode())[1]


def test_a_new_token_is_shown_once_and_works(root_desk, root, acme):
    answer = root_desk.post(ADD, {"name": "CRM", "account": acme.pk, "read_only": "on"})
    text = shown_token(answer)
    token = ApiToken.objects.find(text, "127.0.0.1")
    assert (token.name, token.account, token.scope, token.read_only) == ("CRM", acme, "account", True)
    assert token.created_by == root
    assert "no-store" in answer["Cache-Control"]


def test_the_text_is_kept_nowhere(root_desk, acme):
    text = shown_token(root_desk.post(ADD, {"name": "CRM", "account": acme.pk}))
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


def test_the_owner_decides_the_scope(root_desk, acme, other):
    extension = Extension.objects.create(account=acme, number=1001)
    root_desk.post(ADD, {"name": "extension", "extension": extension.pk})
    root_desk.post(ADD, {"name": "staff"})
    assert dict(ApiToken.objects.values_list("name", "scope")) == {"extension": "extension", "staff": "staff"}
    assert ApiToken.objects.get(name="extension").account == acme
    answer = root_desk.post(ADD, {"name": "mixed", "account": other.pk, "extension": extension.pk})
    assert "extension" in answer.context["adminform"].form.errors


def test_malformed_networks_are_refused_at_their_field(root_desk, acme):
    answer = root_desk.post(ADD, {"name": "CRM", "account": acme.pk, "networks": "10.0.0.0/99"})
    assert "networks" in answer.context["adminform"].form.errors
    assert not ApiToken.objects.exists()


def test_a_clerk_makes_tokens_of_the_own_account_only(acme, other):
    desk = at_desk(clerk(acme))
    for owner in ("", other.pk):
        assert "account" in desk.post(ADD, {"name": "CRM", "account": owner}).context["adminform"].form.errors
    stranger = Extension.objects.create(account=other, number=1001)
    answer = desk.post(ADD, {"name": "CRM", "account": acme.pk, "extension": stranger.pk})
    assert "extension" in answer.context["adminform"].form.errors
    assert not ApiToken.objects.exists()
    assert shown_token(desk.post(ADD, {"name": "CRM", "account": acme.pk}))


def test_a_token_is_revoked_after_a_yes(root_desk, acme):
    text = shown_token(root_desk.post(ADD, {"name": "CRM", "account": acme.pk}))
    url = reverse("admin:contacts_app_apitoken_revoke", args=[ApiToken.objects.get().pk])
    root_desk.get(url)
    assert ApiToken.objects.find(text, "127.0.0.1"), "a link alone revokes nothing"
    root_desk.post(url)
    assert ApiToken.objects.find(text, "127.0.0.1") is None
    assert LogEntry.objects.latest("pk").change_message == "Revoked."


def test_several_tokens_are_revoked_from_the_list(root_desk, acme):
    texts = [shown_token(root_desk.post(ADD, {"name": name, "account": acme.pk})) for name in ("A", "B", "C")]
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
