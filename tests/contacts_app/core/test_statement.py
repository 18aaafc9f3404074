"""Kept statements and serializers: the same as those that are made anew for each request."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework import serializers

from contacts_app.core.api.made_once import MadeOnce
from contacts_app.core.lists.statement import Instances, Slot
from phones_app.inventory.models import Phone
from phones_app.servers.models import CallManager


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
