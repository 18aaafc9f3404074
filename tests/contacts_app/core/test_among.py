"""Many keys as one parameter find the same rows as a list of them."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from contacts_app.accounts.models import Extension
from contacts_app.core.lists.among import FEW, among

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("number", [0, 1, FEW, FEW + 1, 300])
def test_rows_are_found_by_keys_and_by_texts(acme, number):
    made = Extension.objects.bulk_create(
        Extension(account=acme, number=1000 + n, name=f"Desk '{n}'") for n in range(320)
    )
    chosen = made[:number]
    keys, names = [row.pk for row in chosen], [row.name for row in chosen]

    assert list(Extension.objects.filter(pk__in=among(keys)).order_by("pk")) == chosen
    assert list(Extension.objects.filter(name__in=among(names)).order_by("pk")) == chosen
    assert Extension.objects.exclude(pk__in=among(keys)).count() == 320 - number
    assert Extension.objects.filter(account__in=among([acme.pk] * (FEW + 1))).count() == 320


def test_many_keys_are_one_parameter(acme):
    with CaptureQueriesContext(connection) as queries:
        assert not Extension.objects.filter(pk__in=among(range(1, 300))).exists()
    assert queries.captured_queries[0]["sql"].count(" IN (SELECT ") == 1
