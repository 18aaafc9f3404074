"""Kept statements and serializers: the same as those that are made anew for each request."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework import serializers

from contacts_app.core.api.made_once import MadeOnce
from contacts_app.core.lists.statement import AnyRow, Instances, Slot
from phones_app.inventory.models import Phone
from phones_app.rollout.models import RolloutMember
from phones_app.servers.models import CallManager
from phones_app.upgrades.watching import followed


@pytest.fixture
def phones(acme, other):
    manager = CallManager.objects.create(name="A", kind="sip", host="10.0.0.1", port=5060, password="s3cret")
    return [
        Phone.objects.create(mac="02BB00000001", account=acme, call_manager=manager, web_password="pw"),
        Phone.objects.create(mac="02BB00000002", account=other),
    ]


def test_instances_are_those_of_the_query(phones):
    related = Phone.objects.select_related("account", "call_manager", "last_deployment__deployment")
    rows = related.defer("web_password", "call_manager__password").order_by("mac")
    one = Instances(rows.filter(mac=Slot(Phone._meta.get_field("mac"))()))
    for phone in rows:
        made = one.first(phone.mac)
        assert made == phone
        assert not made._state.adding
        assert made.get_deferred_fields() == phone.get_deferred_fields() == {"web_password"}
        with CaptureQueriesContext(connection) as asked:
            assert (made.account, made.call_manager) == (phone.account, phone.call_manager)
            assert made.account.name == phone.account.name
            assert hasattr(made, "last_deployment") is hasattr(phone, "last_deployment") is False
        assert not asked.captured_queries
        assert made.web_password == phone.web_password
    assert one.first("02BB0000FFFF") is None
    assert Instances(rows).all() == list(rows)
    assert Instances(rows.none()).all() == []


@pytest.mark.django_db
@pytest.mark.skipif(connection.vendor != "postgresql", reason="PostgreSQL's statistics")
def test_that_there_is_no_row_is_read_in_an_index_of_such_rows_alone():
    """The table has every phone of every rollout, and this is asked at each end of a deployment."""
    any_row = AnyRow(followed)
    with connection.cursor() as cursor:
        # As it may plan by itself what it is asked again and again.
        cursor.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        cursor.execute("SET LOCAL enable_seqscan = off")
        before = _scans(cursor)
        assert not any_row()
        assert _scans(cursor) == before


def _scans(cursor) -> int:
    """How often this transaction has read all members of rollouts."""
    read = "SELECT seq_scan FROM pg_stat_xact_user_tables WHERE relname = %s"
    cursor.execute(read, [RolloutMember._meta.db_table])
    return cursor.fetchone()[0]


class Inner(MadeOnce):
    word = serializers.CharField()


class Outer(MadeOnce):
    name = serializers.CharField()
    inner = Inner()
    many = Inner(many=True)
    numbers = serializers.ListField(child=serializers.IntegerField())


def test_what_is_changed_at_a_serializer_is_changed_there_alone():
    first, second = Outer(context={"a": 1}), Outer(context={"a": 2})
    first.fields["name"].required = False
    assert second.fields["name"].required
    assert Outer().fields["name"].required
    for serializer in (first, second):
        inner = serializer.fields["inner"].fields["word"]
        each = serializer.fields["many"].child.fields["word"]
        for field in (serializer.fields["name"], inner, each, serializer.fields["numbers"].child):
            assert field.context is serializer.context
    assert list(first.fields) == ["name", "inner", "many", "numbers"]
