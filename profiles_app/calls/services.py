"""Storing calls that have ended, each once, however often it is told of."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import transaction

from contacts_app.accounts.models import Account
from contacts_app.core.retention import Counts, Retention, Tell
from profiles_app.calls.models import CallRecord
from profiles_app.calls.numbers import spelled

BATCH, PRUNED_AT_ONCE = 500, 5000


def record_call(
    *,
    account: Account,
    call_id: str,
    direction: str,
    caller: str,
    called: str,
    started_at: datetime,
    answered_at: datetime | None = None,
    ended_at: datetime | None = None,
    seconds: int | None = None,
    disposition: str = "",
    extension: str = "",
    cost: Decimal | None = None,
    currency: str = "USD",
    voice_profile: UUID | None = None,
    site: str = "",
    campaign: str = "",
    description: str = "",
    recording_url: str = "",
) -> tuple[CallRecord, bool]:
    """The record of the call, and whether it is new: of an account's calls with the same id the first one stays.

    `seconds` None: from the answer to the end; no `disposition`: what these say. In the caller's transaction, without a
    lock. Raises ValidationError for what a column does not take.
    """
    row = completed(
        CallRecord(
            account=account,
            call_id=call_id,
            direction=direction,
            caller=caller,
            called=called,
            extension=extension,
            started_at=started_at,
            answered_at=answered_at,
            ended_at=ended_at,
            disposition=disposition,
            cost=cost,
            currency=currency,
            voice_profile=voice_profile,
            site=site,
            campaign=campaign,
            description=description,
            recording_url=recording_url,
        ),
        seconds,
    )
    row.clean_fields(exclude=["account"])
    CallRecord.objects.bulk_create([row], ignore_conflicts=True)
    stored = CallRecord.objects.get(account=account, call_id=call_id)
    return stored, stored.uuid == row.uuid


def completed(row: CallRecord, seconds: int | None) -> CallRecord:
    """The row with its numbers in one spelling, and with what follows from its times."""
    row.caller, row.called = spelled(row.caller), spelled(row.called)
    if seconds is None:
        talked = row.answered_at and row.ended_at and row.ended_at - row.answered_at
        seconds = max(0, round(talked.total_seconds())) if talked else 0
    row.seconds = seconds
    if not row.disposition:
        is_answered = bool(row.answered_at or seconds)
        row.disposition = CallRecord.Disposition.ANSWERED if is_answered else CallRecord.Disposition.NO_ANSWER
    return row


@transaction.atomic
def record_calls(rows: Iterable[CallRecord]) -> set[UUID]:
    """Store those of the checked rows whose call is not recorded yet; their UUIDs."""
    made = {row.uuid: row for row in rows}
    CallRecord.objects.bulk_create(made.values(), batch_size=BATCH, ignore_conflicts=True)
    # The database decides between writers at the same time, and says of no row whether it was stored.
    stored: set[UUID] = set()
    keys = list(made)
    for start in range(0, len(keys), BATCH):
        found = CallRecord.objects.filter(uuid__in=keys[start : start + BATCH])
        stored.update(found.values_list("uuid", flat=True))
    return stored


def prune_calls(before: datetime, tell: Tell) -> Counts:
    """Delete the calls that began before that, the oldest first."""
    oldest = CallRecord.objects.filter(started_at__lt=before).order_by("started_at", "pk").values_list("pk", flat=True)
    deleted = 0
    while batch := list(oldest[:PRUNED_AT_ONCE]):
        deleted += CallRecord.objects.filter(pk__in=batch).delete()[0]
        tell(deleted)
    return {"calls": deleted}


def count_old_calls(before: datetime) -> Counts:
    return {"calls": CallRecord.objects.filter(started_at__lt=before).count()}


CALLS = Retention("calls", "KEEP_CALLS_DAYS", count_old_calls, prune_calls)
