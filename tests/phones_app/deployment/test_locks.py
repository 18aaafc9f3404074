"""Whoever locks phones lets others refer to them: what a batch writes down does so at its end, in an order of its own."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction
from django.utils import timezone

from contacts_app.core.work.lease import lock_unlocked
from phones_app.deployment.models import PhoneFile
from phones_app.deployment.transitions import queued
from phones_app.inventory.models import Phone
from phones_app.mobility.switch import lock_phones

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite has no locks of single rows"),
]

LOCKS = {
    "a request": lambda phone: queued([], phones=[phone.pk]),
    "a log-in": lambda phone: lock_phones([phone.pk]),
    "a claim": lambda phone: list(lock_unlocked(Phone.objects.filter(pk=phone.pk))),
}


@pytest.mark.parametrize("lock", LOCKS.values(), ids=LOCKS)
def test_a_locked_phone_can_be_referred_to(acme, lock):
    phone = Phone.objects.create(mac="0200000000A1", account=acme)

    def refer() -> None:
        now = timezone.now()
        try:
            with transaction.atomic():
                with connection.cursor() as cursor:
                    cursor.execute("SET LOCAL lock_timeout = '5s'")
                PhoneFile.objects.create(phone=phone, uploaded_at=now, state_since=now, next_check_at=now)
        finally:
            connection.close()

    with transaction.atomic(), ThreadPoolExecutor(1) as pool:
        lock(phone)
        pool.submit(refer).result()
    assert PhoneFile.objects.filter(phone=phone).exists()
