"""Rows that somebody else writes are left alone, and nobody is waited for."""

import threading

import pytest
from django.db import connection, transaction

from contacts_app.accounts.models import Account
from contacts_app.core.work.lease import update_unlocked


@pytest.mark.django_db(transaction=True)
def test_what_somebody_holds_is_not_waited_for(acme, other):
    if not connection.features.has_select_for_update_skip_locked:
        pytest.skip("SQLite knows no row locks")
    held, done = threading.Event(), threading.Event()

    def hold():
        with transaction.atomic():
            Account.objects.select_for_update().get(pk=acme.pk)
            held.set()
            done.wait(30)
        connection.close()

    somebody = threading.Thread(target=hold)
    somebody.start()
    try:
        assert held.wait(30)
        assert update_unlocked(Account.objects.all(), name="New") == 1
    finally:
        done.set()
        somebody.join()
    assert dict(Account.objects.values_list("pk", "name")) == {acme.pk: "Acme", other.pk: "New"}
