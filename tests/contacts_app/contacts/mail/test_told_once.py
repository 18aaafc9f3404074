"""Two processes that notice one incident, or its end, at the same moment: contacts are told once."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.conf import settings
from django.db import connection, transaction

from contacts_app.contacts.models.mail import Incident, Notice
from contacts_app.contacts.notification import News, notify, tell_of_what_lasts
from phones_app.events import DEPLOYMENT_FAILED
from tests.servers import wait_for

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(
        "sqlite" in settings.DATABASES["default"]["ENGINE"], reason="SQLite lets one transaction write at a time"
    ),
]


def tell(account, *keys: str, over: bool = False) -> int:
    news = [News(account, DEPLOYMENT_FAILED, f"Deployment to {key}", key=key, over=over) for key in keys]
    return notify(*news)


def after_another(first, second) -> tuple[int, int]:
    """What both return, where the second one, on a connection of its own, begins before the first one's commit."""

    def meanwhile() -> int:
        try:
            return second()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            told = first()
            other = pool.submit(meanwhile)
            wait_for(lambda: other.done() or somebody_waits())
        return told, other.result()


def somebody_waits() -> bool:
    """For this connection. Locks are told as they are now; of the activity a transaction sees one state."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))")
        return cursor.fetchone() is not None


def test_a_new_incident_is_told_by_one_of_two(acme):
    acme.notification_contacts.create(email="second@acme.example")
    assert after_another(lambda: tell(acme, "A", "B"), lambda: tell(acme, "C", "B", "A")) == (4, 2)
    assert sorted(Notice.objects.values_list("contact__email", "title")) == [
        (email, f"Deployment to {key}") for email in ("office@acme.example", "second@acme.example") for key in "ABC"
    ]
    assert Incident.objects.count() == 3


def test_the_end_of_an_incident_is_told_by_one_of_two(acme):
    tell(acme, "A", "B")
    ends = after_another(lambda: tell(acme, "A", over=True), lambda: tell(acme, "B", "A", over=True))
    assert ends == (1, 1)
    assert not Incident.objects.exists()


def test_who_asks_to_be_told_twice_hears_once_of_what_lasts(acme):
    tell(acme, "A")
    second = acme.notification_contacts.create(email="second@acme.example")

    def asks() -> int:
        return tell_of_what_lasts([second.pk], DEPLOYMENT_FAILED)

    assert after_another(asks, asks) == (1, 0)
