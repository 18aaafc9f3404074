"""Changed rows by one joined UPDATE: the same values that Django's `bulk_update` stores, and the same errors."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.forms.models import model_to_dict
from django.test.utils import CaptureQueriesContext

from contacts_app.core.lists.update import FEW, update_many, update_row
from phones_app.configuration.models import Layer
from phones_app.inventory.models import Phone
from phones_app.servers.models import CallManager
from profiles_app.voice.models.profile import OutboundVoiceProfile
from tests.contacts_app.core.test_insert import HARD, phones

assert len(HARD) >= FEW
WRITTEN = [
    *("name", "description", "web_password", "phone_ip", "is_active", "last_seen_at", "call_manager", "in_call"),
    *("missed_checks", "updated_at"),
]


def changed(rows: list[Phone], manager: CallManager) -> list[Phone]:
    for place, (phone, text) in enumerate(zip(rows, HARD, strict=True)):
        phone.name = phone.description = phone.web_password = text + "!"
        phone.phone_ip = None if place % 2 else f"10.0.0.{place}"
        phone.is_active, phone.in_call = place % 2 == 1, None if place % 3 else True
        phone.last_seen_at = None if place % 2 else datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
        phone.call_manager, phone.missed_checks = manager if place % 2 else None, place
        phone.updated_at = datetime(2026, 5, 6, tzinfo=UTC)
    return rows


def stored() -> list[dict[str, object]]:
    rows = Phone.objects.order_by("mac")
    return [model_to_dict(phone, exclude=["id", "uuid"]) | {"at": phone.updated_at} for phone in rows]


def test_values_are_those_of_bulk_update(acme):
    manager = CallManager.objects.create(name="A", kind="sip", host="10.0.0.1", port=5060)
    rows = Phone.objects.bulk_create(phones(acme))
    with CaptureQueriesContext(connection) as asked:
        assert update_many(changed(rows, manager), WRITTEN) == len(rows)
    assert ("unnest" in asked[0]["sql"]) is (connection.vendor == "postgresql")
    ours = stored()
    Phone.objects.all().delete()
    again = Phone.objects.bulk_create(phones(acme))
    Phone.objects.bulk_update(changed(again, manager), WRITTEN)
    assert ours == stored()
    assert ours[0]["name"] == HARD[0] + "!"


def test_json_numbers_and_secrets_are_stored_as_their_fields_store_them(acme):
    layers = [Layer.objects.create(kind="location", account=acme, name=text or "none") for text in HARD]
    for layer, text in zip(layers, HARD, strict=True):
        layer.values, layer.secret_values, layer.locks = {"text": [text, None]}, text, [text]
    update_many(layers, ["values", "secret_values", "locks"])
    for layer in layers:
        row = Layer.objects.get(pk=layer.pk)
        assert (row.values, row.secret_values, row.locks) == (layer.values, layer.secret_values, layer.locks)
    with connection.cursor() as cursor:
        cursor.execute("SELECT secret_values FROM phones_app_layer WHERE name = %s", [HARD[0]])
        assert HARD[0] not in cursor.fetchone()[0]
    voices = [
        OutboundVoiceProfile.objects.create(account=acme, name=text, tech_prefix=100_000 + place)
        for place, text in enumerate(HARD)
    ]
    for place, voice in enumerate(voices):
        voice.daily_spend_limit = Decimal(f"{place}.125")
    update_many(voices, ["daily_spend_limit"])
    again = OutboundVoiceProfile.objects.order_by("tech_prefix")
    assert [voice.daily_spend_limit for voice in again] == [voice.daily_spend_limit for voice in voices]


def test_one_bad_row_and_none_is_changed(acme):
    servers = [CallManager.objects.create(name=text, kind="sip", host="10.0.0.1", port=5060) for text in HARD]
    for server in servers:
        server.host = "10.0.0.2"
    servers[-1].uuid = servers[0].uuid
    with pytest.raises(IntegrityError), transaction.atomic():
        update_many(servers, ["host", "uuid"])
    assert not CallManager.objects.filter(host="10.0.0.2").exists()


def test_a_text_that_is_too_long_is_refused_and_not_cut(acme):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite knows no lengths.")
    rows = Phone.objects.bulk_create(phones(acme))
    for phone in rows:
        phone.name = "x" * 256
    with pytest.raises(DatabaseError), transaction.atomic():
        update_many(rows, ["name"])


def test_rows_that_are_gone_are_no_error(acme):
    rows = Phone.objects.bulk_create(phones(acme))
    Phone.objects.filter(pk=rows[0].pk).delete()
    assert update_many(rows, ["name"]) == len(rows) - 1


def test_one_row_is_changed_if_it_is_still_as_it_was(acme):
    manager = CallManager.objects.create(name="A", kind="sip", host="10.0.0.1", port=5060)
    rows = Phone.objects.bulk_create(phones(acme))
    for phone, after in zip(rows, changed(phones(acme), manager), strict=True):
        values = {name: getattr(after, name) for name in WRITTEN}
        assert not update_row(Phone, phone.pk, values, name=phone.name + "?", call_manager=None)
        assert update_row(Phone, phone.pk, values, name=phone.name, call_manager=None)
        assert not update_row(Phone, phone.pk, values, name=after.name + "?", call_manager=None)
    ours = stored()
    Phone.objects.all().delete()
    again = Phone.objects.bulk_create(phones(acme))
    Phone.objects.bulk_update(changed(again, manager), WRITTEN)
    assert ours == stored()
