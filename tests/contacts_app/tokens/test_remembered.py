"""A credential is remembered for a moment, and what ends it ends it at once: elsewhere within five seconds."""

import time
import urllib.error
import urllib.request
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from contacts_app.accounts.services import ensure_extension
from contacts_app.people.login import close_session, open_session
from contacts_app.people.services import change_user
from contacts_app.tokens.services import change_token, create_token, revoke_token
from tests.processes import processes


def reads(token: str) -> int:
    return Client(headers={"Authorization": f"Bearer {token}"}).get("/api/v1/phones").status_code


@pytest.mark.django_db
@pytest.mark.usefixtures("unforgetting")
def test_the_database_is_asked_for_a_token_once(acme, django_assert_num_queries):
    token = create_token(account=acme)[1]
    assert reads(token) == 200
    with django_assert_num_queries(1) as asked:
        assert reads(token) == 200
    assert "apitoken" not in str(asked.captured_queries)


@pytest.mark.django_db
@pytest.mark.usefixtures("unforgetting")
def test_writing_asks_each_time(acme):
    token, text = create_token(account=acme)
    client = Client(headers={"Authorization": f"Bearer {text}"})
    assert reads(text) == 200
    # As another process would: nothing here hears of it.
    type(token).objects.filter(pk=token.pk).update(revoked_at=timezone.now())
    assert reads(text) == 200
    assert client.post("/api/v1/phones", {}, content_type="application/json").status_code == 401


@pytest.mark.django_db
@pytest.mark.usefixtures("unforgetting")
def test_a_call_that_is_to_be_admitted_is_as_hurried_as_a_read(acme, django_assert_num_queries):
    token, text = create_token(account=acme)
    client = Client(headers={"Authorization": f"Bearer {text}"})
    url = "/rest/profile/outbound_voice/123456/admission"
    assert client.post(url, {}, content_type="application/json").status_code == 404
    type(token).objects.filter(pk=token.pk).update(revoked_at=timezone.now())
    with django_assert_num_queries(1) as asked:
        assert client.post(url, {}, content_type="application/json").status_code == 404
    assert "apitoken" not in str(asked.captured_queries)
    # Ending a call can wait.
    assert client.post(f"{url}/{token.uuid}/ended", {}, content_type="application/json").status_code == 401


def _deactivate(token, acme):
    acme.is_active = False
    acme.save()


@pytest.mark.django_db
@pytest.mark.parametrize(
    "end",
    [
        lambda token, acme: revoke_token(token),
        lambda token, acme: token.delete(),
        lambda token, acme: revoke_token(token.parent),
        lambda token, acme: token.extension.delete(),
        _deactivate,
        lambda token, acme: change_token(token, actor=token.as_actor(), lifetime=timedelta(seconds=-1)),
    ],
)
def test_what_ends_a_token_ends_it_at_once(acme, end):
    extension = ensure_extension(account=acme, number=101)
    parent, _ = create_token(account=acme)
    token, text = create_token(extension=extension, parent=parent)
    url = f"/v4/accounts/{acme.voip_id}/extensions/101/integrations/events/callbacks"
    client = Client(headers={"Authorization": f"Bearer {text}"})
    assert client.get(url).status_code == 200
    end(token, acme)
    assert client.get(url).status_code == 401


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("end", "status"),
    [
        (lambda tokens, user: close_session(tokens.session, None), 401),
        (lambda tokens, user: tokens.session.delete(), 401),
        (lambda tokens, user: user.delete(), 401),
        (lambda tokens, user: change_user(user, actor=user.as_actor("rest"), password="another horse"), 401),
        (lambda tokens, user: [open_session(user, None) for _ in range(5)], 401),
        (lambda tokens, user: change_user(user, actor=user.as_actor("rest"), permission_level=1), 403),
    ],
)
def test_what_ends_a_login_ends_it_at_once(alice, end, status):
    tokens = open_session(alice, None)
    assert reads(tokens.access) == 200
    end(tokens, alice)
    assert reads(tokens.access) == status


@pytest.mark.django_db
def test_a_token_ends_when_it_expires(acme, monkeypatch):
    text = create_token(account=acme, expires_at=timezone.now() + timedelta(seconds=2))[1]
    assert reads(text) == 200
    later = timezone.now() + timedelta(seconds=3)
    monkeypatch.setattr(timezone, "now", lambda: later)
    assert reads(text) == 401


@pytest.mark.django_db(transaction=True)
def test_a_revoked_token_stops_in_every_process(acme, tmp_path):
    text = create_token(account=acme)[1]

    def status(web: str, path: str = "/api/v1/phones", method: str = "GET") -> int:
        request = urllib.request.Request(web + path, headers={"Authorization": f"Bearer {text}"}, method=method)
        try:
            return urllib.request.urlopen(request, timeout=60).status
        except urllib.error.HTTPError as error:
            return error.code

    admission = "/rest/profile/outbound_voice/123456/admission"
    with processes(tmp_path) as running:
        here, there = running.start_web("here"), running.start_web("there")
        assert (status(here), status(there), status(there, admission, "POST")) == (200, 200, 404)
        assert status(here, "/v4/oauth/access-token", "DELETE") == 200
        revoked = time.monotonic()
        assert status(here) == 401
        # When it was asked what it still answered, however long that took.
        last = asked = revoked
        while status(there, admission, "POST") == 404:
            last, asked = asked, time.monotonic()
        assert last - revoked < 5
        assert (status(there), status(there, admission, "POST")) == (401, 401)
