"""New rows by COPY: the same rows that Django's `bulk_create` stores, and the same errors."""

from datetime import UTC, datetime

import pytest
from django.db import IntegrityError, connection, transaction
from django.forms.models import model_to_dict

from contacts_app.core.lists import insert
from contacts_app.core.lists.insert import insert_many, upsert_few
from phones_app.configuration.models import Layer
from phones_app.deployment.models import Deployment
from phones_app.inventory.models import Phone
from phones_app.servers.models import CallManager

FEW = 4
HARD = ("tab\there", "line\nline", "back\\slash", "\\N", "\\.", "“ü” 字 🐝", 'a,"b"', "")


@pytest.fixture(autouse=True)
def few(monkeypatch):
    monkeypatch.setattr(insert, "FEW", FEW)


def phones(account) -> list[Phone]:
    return [
        Phone(
            mac=f"02BB0000{place:04X}",
            account=account,
            name=text,
            description=text,
            web_password=text,
            # A form leaves the empty text where no address was typed.
            phone_ip=("2001:db8::1", None, "")[place % 3],
            is_active=place % 2 == 0,
            last_seen_at=datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC) if place % 2 else None,
        )
        for place, text in enumerate(HARD)
    ]


def stored(made) -> list[dict[str, object]]:
    return [model_to_dict(Phone.objects.get(pk=phone.pk), exclude=["id"]) for phone in made]


def test_rows_are_those_of_bulk_create(acme):
    made = insert_many(phones(acme))
    rows, created = stored(made), Phone.objects.get(pk=made[0].pk).created_at
    assert not made[0]._state.adding
    Phone.objects.all().delete()
    again = Phone.objects.bulk_create(phones(acme))
    assert rows == stored(again)
    assert abs(created - Phone.objects.get(pk=again[0].pk).created_at).total_seconds() < 60


def test_a_single_row_is_that_of_bulk_create(acme):
    for place, phone in enumerate(phones(acme)):
        [made] = insert_many([phone])
        again = phones(acme)[place]
        row = stored([made])
        assert made.pk == Phone.objects.get().pk
        assert made.created_at == Phone.objects.get().created_at
        Phone.objects.all().delete()
        assert row == stored(Phone.objects.bulk_create([again]))
        Phone.objects.all().delete()


@pytest.mark.parametrize("number", [1, insert.FEW_KEPT, insert.FEW_KEPT + 1])
def test_a_few_rows_are_stored_over_those_with_the_same_key(acme, number):
    first, second = phones(acme)[:number], phones(acme)[::-1][:number]
    for before, after in zip(first, second, strict=True):
        after.mac = before.mac
    unique, fields = ["mac"], ["name", "description", "web_password", "phone_ip", "last_seen_at"]
    upsert_few(first, unique=unique, fields=fields)
    keys = dict(Phone.objects.values_list("mac", "pk"))
    assert set(keys) == {phone.mac for phone in first}
    upsert_few(second, unique=unique, fields=fields)
    for phone in second:
        row = Phone.objects.get(mac=phone.mac)
        assert row.pk == keys[phone.mac]
        assert {name: getattr(row, name) or "" for name in fields} == {
            name: getattr(phone, name) or "" for name in fields
        }
        assert row.is_active == next(one.is_active for one in first if one.mac == phone.mac), "not written over"


def test_the_history_of_a_row_without_an_address(acme):
    """As a form of the admin saves it."""
    phone = Phone(mac="02BB00000001", account=acme, phone_ip="")
    phone.save()
    phone.phone_ip, phone.name = "", "Desk"
    phone.save()
    rows = Phone.history.values_list("phone_ip", "history_changes")
    assert list(rows) == [(None, {"name": ["", "Desk"]}), (None, {})]


def test_json_and_secrets_are_stored_as_their_fields_store_them(acme):
    made = [
        Layer(kind="location", account=acme, name=text or "none", values={"text": text}, secret_values=text)
        for text in HARD
    ]
    for layer in insert_many(made):
        row = Layer.objects.get(pk=layer.pk)
        assert (row.values, row.secret_values, row.locks) == (layer.values, layer.secret_values, [])
    with connection.cursor() as cursor:
        cursor.execute("SELECT secret_values FROM phones_app_layer WHERE name = %s", [HARD[0]])
        assert HARD[0] not in cursor.fetchone()[0]


def test_what_the_database_fills_in_is_filled_in(acme):
    made = insert_many([Deployment(account=acme, mac=f"02BB0000{place:04X}") for place in range(FEW)])
    made += insert_many([Deployment(account=acme, mac="02BB0000AAAA")])
    row = Deployment.objects.get(pk=made[0].pk)
    filled = [field.attname for field in Deployment._meta.concrete_fields if field.has_db_default()]
    assert filled
    assert None not in [getattr(row, name) for name in filled]


def test_one_bad_row_and_none_is_stored(acme):
    twice = [CallManager(name="A", kind="sip", host="10.0.0.1", port=5060) for _ in range(FEW)]
    twice[-1].uuid = twice[0].uuid
    with pytest.raises(IntegrityError), transaction.atomic():
        insert_many(twice)
    assert not CallManager.objects.exists()
