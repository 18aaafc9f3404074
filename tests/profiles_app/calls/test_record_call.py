"""A call that has ended is recorded once, with its numbers in one spelling."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command

from profiles_app.calls.models import CallRecord
from profiles_app.calls.numbers import spelled
from profiles_app.calls.services import record_call

pytestmark = pytest.mark.django_db
START = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
CALL = {
    "call_id": "1772357400.17", "direction": "outbound", "caller": "201", "called": "0049 (201) 555-123",
    "extension": "201", "started_at": START,
}  # fmt: skip


def test_a_call_is_recorded_once_in_an_account(acme, other):
    answered, ended = START + timedelta(seconds=4), START + timedelta(seconds=64.4)
    call, is_new = record_call(**CALL, account=acme, answered_at=answered, ended_at=ended, cost=Decimal("0.012"))
    assert is_new
    assert (call.seconds, call.disposition, call.called) == (60, "answered", "+49201555123")

    again, is_new = record_call(**CALL | {"called": "+1"}, account=acme)
    assert (again, is_new) == (call, False)
    assert (again.called, again.cost) == ("+49201555123", Decimal("0.012"))

    elsewhere, is_new = record_call(**CALL, account=other)
    assert is_new
    assert elsewhere.account == other
    assert (elsewhere.seconds, elsewhere.disposition) == (0, "no_answer")


def test_what_no_column_takes_is_refused_and_nothing_is_stored(acme):
    wrong = {"direction": "sideways", "recording_url": "javascript:alert(1)", "currency": "€", "cost": Decimal(-1)}
    with pytest.raises(ValidationError) as refused:
        record_call(**CALL | wrong, account=acme)
    assert refused.value.message_dict.keys() == wrong.keys()
    assert not CallRecord.objects.exists()


@pytest.mark.parametrize(
    ("typed", "region", "stored"),
    [
        ("+49 (201) 555-123", "", "+49201555123"),
        ("0049201555123", "", "+49201555123"),
        ("sip:+49201555123@pbx.example;user=phone", "", "+49201555123"),
        ("0201 555123", "", "0201555123"),
        ("0201 555123", "DE", "+49201555123"),
        ("(212) 555-2368", "US", "+12125552368"),
        ("201", "DE", "201"),
        ("*97", "DE", "*97"),
        ("anonymous", "DE", "anonymous"),
        ("+0", "", "+0"),
        ("", "", ""),
        ("1" * 60, "DE", "1" * 40),
        ("20\r\n1", "", "201"),
    ],
)
def test_numbers_have_one_spelling_and_none_is_refused(settings, typed, region, stored):
    settings.PHONE_NUMBERS_REGION = region
    assert spelled(typed) == stored


def test_old_calls_are_pruned(acme, settings):
    settings.KEEP_CALLS_DAYS = 90
    now = datetime.now(tz=UTC)
    for days in (1, 89, 91, 400):
        record_call(**CALL | {"call_id": f"{days}", "started_at": now - timedelta(days=days)}, account=acme)
    call_command("prune_history")
    assert set(CallRecord.objects.values_list("call_id", flat=True)) == {"1", "89"}
