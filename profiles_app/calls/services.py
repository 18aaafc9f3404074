"""Calls that have ended: stored once, however often they are told of, and found again."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet

from contacts_app.accounts.models import Account
from contacts_app.core.actor import Actor
from contacts_app.core.retention import Counts, Retention, Tell
from contacts_app.people.models import User
from profiles_app.calls.models import CallRecord
from profiles_app.calls.numbers import spelled
from profiles_app.messaging.models import NumberLease
from profiles_app.myaccount.access import flags_of, needs_of
from profiles_app.myaccount.services import resolve_profile
from profiles_app.phone.services import numbers_of

# What the operator keeps about a call, and customers are shown only where their profile says so.
OPERATORS_WORDS = ("site", "campaign", "description")
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


def own_calls(rows: QuerySet[CallRecord], person: User) -> QuerySet[CallRecord]:
    """Those of the calls that a line of the person's phone profiles made or took."""
    lines = [line for line in numbers_of(person) if line]
    internal = Q(direction=CallRecord.Direction.INTERNAL, called__in=lines)
    return rows.filter(Q(extension__in=lines) | internal) if lines else rows.none()


def of_number(rows: QuerySet[CallRecord], number: str) -> QuerySet[CallRecord]:
    """Those of the calls that came from the number, or went to it."""
    known = spelled(number)
    return rows.filter(Q(caller=known) | Q(called=known))


def shows_operators_words(actor: Actor) -> bool:
    """Whether the actor sees what the operator keeps about calls: staff, and customers whose profile says so."""
    return actor.account is None or calls_granted(actor.account, "backend-descriptions")


def described_numbers(account: Account) -> dict[str, NumberLease]:
    """The account's numbers that it has given a site or a description, as calls spell them."""
    said = NumberLease.objects.filter(account=account).exclude(site="", description="")
    return {f"+{lease.tn}": lease for lease in said.only("tn", "site", "description")}


def calls_granted(account: Account, button: str) -> bool:
    """Whether the account's MyAccount profile opens the portal's page of calls, and allows this button of it."""
    return needs_of("calls").are_met(flags_of(resolve_profile(account).profile), button)


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
