"""A database that is busy or gone for a moment: every dialect says in its own words to try again."""

import contextlib
import sqlite3

import pytest
from django.db import connection

from contacts_app.accounts.models import Account
from tests.admin_people import at_desk
from tests.apis.conftest import of
from tests.apis.routes import is_error_of_its_dialect
from tests.contacts_app.contacts.api.conftest import CONTACTS

pytestmark = pytest.mark.django_db(transaction=True)
WRITES = {
    "/api/v1/phones": {"mac": "AABBCCDDEE01"},
    "/backend/api/v1/myAccountCustomerProfiles/": {"name": "Residential"},
    "/rest/profile/outbound_voice": {"name": "Sales", "tech_prefix": 123400},
    "/v4/accounts/1000001/integrations/events/profiles": {"name": "Mine", "support_email": "help@acme.example"},
    CONTACTS: {"name": "Help desk", "email": "help@acme.example"},
}


@contextlib.contextmanager
def away():
    """SQLite: another process writes for longer than anybody waits. PostgreSQL: the connection was cut."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA busy_timeout = 50")
        with contextlib.closing(sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            yield
    else:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            [backend] = cursor.fetchone()
        with contextlib.closing(connection.copy()) as other, other.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [backend])
        yield
    # As the end of a request does outside of tests.
    connection.close()


@pytest.mark.parametrize("url", WRITES)
def test_every_dialect_asks_to_try_again(alice, url):
    caller = of(alice)
    with away():
        answer = caller.send("post", url, WRITES[url])
        is_error_of_its_dialect(answer, range(503, 504))
        assert int(answer["Retry-After"]) >= 1
    answer = caller.send("post", url, WRITES[url])
    assert answer.status_code in (200, 201), answer.content


def test_a_page_of_the_admin_says_so_too(root):
    desk = at_desk(root)
    desk.raise_request_exception = False
    with away():
        answer = desk.post("/admin/contacts_app/account/add/", {"voip_id": "1000009", "name": "New"})
        assert answer.status_code == 503
        assert int(answer["Retry-After"]) >= 1
        assert "again in a moment" in answer.content.decode()
    assert not Account.objects.filter(voip_id=1000009).exists()


def test_a_mistake_of_ours_is_not_called_busy(alice):
    """SQLite says "operational" of a missing table as well."""
    caller = of(alice)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE profiles_app_outboundvoiceprofile RENAME TO elsewhere")
    try:
        answer = caller.send("post", "/rest/profile/outbound_voice", WRITES["/rest/profile/outbound_voice"])
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE elsewhere RENAME TO profiles_app_outboundvoiceprofile")
    assert answer.status_code == 500
