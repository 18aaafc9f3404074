"""Sessions of people who log in through REST."""

import pytest

from contacts_app.people.login import TokenRefused, close_session, open_session, refresh_session, session_of

pytestmark = pytest.mark.django_db


def test_an_access_token_leads_to_its_session(alice):
    tokens = open_session(alice, "127.0.0.1")
    session, _ = session_of(tokens.access, "access")
    assert session.user == alice


def test_a_refresh_token_is_no_access_token(alice):
    tokens = open_session(alice, None)
    with pytest.raises(TokenRefused):
        session_of(tokens.refresh, "access")


def test_logging_out_ends_both_tokens(alice):
    tokens = open_session(alice, None)
    close_session(tokens.session, "127.0.0.1")
    for token, kind in ((tokens.access, "access"), (tokens.refresh, "refresh")):
        with pytest.raises(TokenRefused):
            session_of(token, kind)


def test_a_refresh_token_is_good_once_and_its_second_use_ends_the_session(alice):
    first = open_session(alice, None)
    second = refresh_session(first.refresh)
    with pytest.raises(TokenRefused):
        refresh_session(first.refresh)
    with pytest.raises(TokenRefused):
        session_of(second.access, "access")


def test_the_sixth_login_ends_the_first(alice):
    sessions = [open_session(alice, None) for _ in range(6)]
    with pytest.raises(TokenRefused):
        session_of(sessions[0].access, "access")
    assert session_of(sessions[1].access, "access")


def test_people_of_an_inactive_account_are_refused(alice):
    tokens = open_session(alice, None)
    alice.account.is_active = False
    alice.account.save()
    with pytest.raises(TokenRefused):
        session_of(tokens.access, "access")


@pytest.mark.parametrize("token", ["", "a.b.c", "x" * 5000])
def test_junk_is_refused(token, db):
    with pytest.raises(TokenRefused):
        session_of(token, "access")
