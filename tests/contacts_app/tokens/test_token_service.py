"""API tokens: recognised by their text, bounded by expiry, networks and revocation."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.utils import timezone

from contacts_app.tokens.models import ApiToken
from contacts_app.tokens.services import create_token, revoke_token

pytestmark = pytest.mark.django_db
HERE = "127.0.0.1"


def test_a_token_is_found_by_its_text_and_its_secret_is_not_stored(acme):
    token, text = create_token(account=acme)
    assert ApiToken.objects.find(text, HERE) == token
    secret = text.rsplit("_", 1)[1]
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM contacts_app_apitoken")
        assert secret not in str(cursor.fetchall())


def test_another_secret_under_the_same_key_is_refused(acme):
    token, _ = create_token(account=acme)
    assert ApiToken.objects.find(f"pb_{token.key_id}_wrong", HERE) is None


def test_a_revoked_token_is_refused(acme):
    token, text = create_token(account=acme)
    revoke_token(token)
    assert ApiToken.objects.find(text, HERE) is None


def test_an_expired_token_is_refused(acme):
    _, text = create_token(account=acme, expires_at=timezone.now() - timedelta(seconds=1))
    assert ApiToken.objects.find(text, HERE) is None


def test_a_token_is_good_from_its_networks_only(acme):
    _, text = create_token(account=acme, networks="10.0.0.0/8, 192.0.2.0/24")
    assert ApiToken.objects.find(text, "192.0.2.7")
    assert ApiToken.objects.find(text, HERE) is None
    assert ApiToken.objects.find(text, "not an address") is None


def test_networks_that_are_none_are_refused_and_nothing_is_stored(acme):
    with pytest.raises(ValidationError):
        create_token(account=acme, networks="10.0.0.0/33")
    assert not ApiToken.objects.exists()


def test_the_last_use_is_written_at_most_once_a_minute(acme, django_assert_num_queries):
    _, text = create_token(account=acme)
    ApiToken.objects.find(text, HERE)
    with django_assert_num_queries(1):
        ApiToken.objects.find(text, HERE)
