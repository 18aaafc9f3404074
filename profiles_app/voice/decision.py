"""Whether a call may be made: one statement that reads the limits, counts what is in use, decides, and writes it down.

That statement is what keeps two PBXs at 99 of 100 channels from both being admitted. SQLite has one writer at a time. On
PostgreSQL the profile's row is locked in front, in the same trip to the server and the same transaction, so that
decisions about one profile follow each other, and the statement after the lock sees those before it. The lock is one
that references to the profile do not wait for, and it is held for as long as the database needs and no client does.

Running calls cost at least every interval that has begun, of whole seconds, as PBXs count them; and the first interval
from the start.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from typing import Any

from django.db import connection

from contacts_app.core.lists.statement import Row, in_one_trip
from profiles_app.voice.models.admission import Admission, VoiceUsage
from profiles_app.voice.models.profile import OutboundVoiceProfile

Value = str | date | int | None
Reason = Admission.Reason
PROFILES, ADMISSIONS, USAGE = (model._meta.db_table for model in (OutboundVoiceProfile, Admission, VoiceUsage))
LOCK = f"SELECT 1 FROM {PROFILES} WHERE id = %(profile)s FOR NO KEY UPDATE"  # noqa: S608
# How long a call has been answered, in seconds, and the greater of two numbers.
SPOKEN = {
    "postgresql": "EXTRACT(EPOCH FROM LEAST(%(now)s, a.expires_at) - a.answered_at)",
    "sqlite": "(julianday(MIN(%(now)s, a.expires_at)) - julianday(a.answered_at)) * 86400.0",
}
GREATEST = {"postgresql": "GREATEST", "sqlite": "MAX"}

# What of each profile is in use: channels, and what running calls cost at least.
BUSY = """
    SELECT a.profile_id, COUNT(CASE WHEN a.expires_at > %(now)s THEN 1 END) AS channels,
        COALESCE(SUM(a.price * a."interval" / 60.0 * CASE
            WHEN a.answered_at IS NOT NULL
            THEN {greatest}(1, CEILING(FLOOR({spoken}) / (a."interval" * 1.0)))
            WHEN a.expires_at > %(now)s THEN 1 ELSE 0 END), 0) AS running
    FROM {admissions} a
    WHERE a.profile_id IN ({profiles}) AND a.reason = '' AND a.ended_at IS NULL
    GROUP BY a.profile_id
"""
# The first reason counts. Limits are read here, so that one that is changed at this moment holds. Sums of SQLite are
# binary fractions, which rounding makes decimal ones again.
DECIDE = """
    INSERT INTO {admissions} ({columns}, channels, spent, reason, expires_at, lost_at)
    SELECT {values}, d.channels, d.spent, d.reason,
        CASE WHEN d.reason = '' THEN %(expires_at)s END, CASE WHEN d.reason = '' THEN %(lost_at)s END
    FROM (
        SELECT f.channels, f.spent, CASE
            WHEN NOT f.is_active THEN '{inactive}'
            WHEN NOT %(is_allowed)s THEN '{destination}'
            WHEN %(known_price)s > f.max_rate THEN '{max_rate}'
            WHEN f.channels + 1 > f.channel_limit THEN '{channel_limit}'
            WHEN ROUND(f.spent + %(first)s, 6) > f.daily_spend_limit
                OR (NOT %(is_priced)s AND f.spent >= f.daily_spend_limit) THEN '{daily_spend_limit}'
            ELSE '' END AS reason
        FROM (
            SELECT p.is_active, p.max_rate, p.channel_limit, p.daily_spend_limit,
                COALESCE(b.channels, 0) AS channels,
                ROUND(CAST(COALESCE(u.spent, 0) + COALESCE(b.running, 0) AS NUMERIC), 6) AS spent
            FROM {table} p
            LEFT JOIN {usage} u ON u.profile_id = p.id AND u.day = %(day)s
            LEFT JOIN ({busy}) b ON b.profile_id = p.id
            WHERE p.id = %(profile)s
        ) f
    ) d
    RETURNING id, reason, channels, spent
"""
FIELDS = {field.name: field for field in Admission._meta.concrete_fields}
COLUMNS = (
    *("uuid", "account", "profile", "call_id", "destination", "caller", "prefix", "price", "interval"),
    *("is_recorded", "created_at"),
)


@dataclass(frozen=True)
class UseNow:
    """Of a profile: channels, and US dollars of the day, running calls included."""

    channels: int = 0
    spent: Decimal = Decimal(0)


def decide(made: Admission, *, is_allowed: bool, first: Decimal) -> bool:
    """Fill in what was decided about the call, and store it. False: the profile is gone.

    `first` is what the call costs at least, `is_allowed` what the rate table says.
    """
    stored = {
        name: FIELDS[name].get_db_prep_save(getattr(made, FIELDS[name].attname), connection)
        for name in (*COLUMNS, "expires_at", "lost_at")
    }
    words = {
        "is_allowed": is_allowed,
        "is_priced": made.price is not None,
        "known_price": _number(made.price),
        "first": _number(first),
        **_moment(made.created_at),
    }
    row = _asked(stored | words)
    if row is None:
        return False
    made.pk, made.reason, made.channels, spent = row
    made.spent = Decimal(str(spent))
    made._state.adding = False
    if made.reason:
        made.expires_at = made.lost_at = None
    return True


def _asked(values: dict[str, Any]) -> Row | None:
    statement = _decision(connection.vendor)
    if connection.vendor == "postgresql":
        return in_one_trip(LOCK, statement, values=values)
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        row: Row | None = cursor.fetchone()
        return row


@cache
def _decision(vendor: str) -> str:
    return DECIDE.format(
        admissions=ADMISSIONS,
        columns=", ".join(f'"{FIELDS[name].column}"' for name in COLUMNS),
        values=", ".join(f"%({name})s" for name in COLUMNS),
        table=PROFILES,
        usage=USAGE,
        busy=_busy("%(profile)s", vendor),
        inactive=Reason.INACTIVE,
        destination=Reason.DESTINATION,
        max_rate=Reason.MAX_RATE,
        channel_limit=Reason.CHANNEL_LIMIT,
        daily_spend_limit=Reason.DAILY_SPEND_LIMIT,
    )


def in_use(profiles: Iterable[int], now: datetime) -> dict[int, UseNow]:
    """What of these profiles is in use at that moment."""
    keys = list(profiles)
    if not keys:
        return {}
    names: dict[str, Value] = {f"profile{number}": key for number, key in enumerate(keys)}
    with connection.cursor() as cursor:
        counted = _busy(", ".join(f"%({name})s" for name in names), connection.vendor)
        cursor.execute(counted, names | _moment(now))
        found = {profile: (channels, Decimal(str(running))) for profile, channels, running in cursor.fetchall()}
    today = VoiceUsage.objects.filter(profile__in=keys, day=day_of(now))
    spent = dict(today.values_list("profile", "spent"))
    return {
        key: UseNow(found.get(key, (0,))[0], round(found.get(key, (0, Decimal(0)))[1] + spent.get(key, Decimal(0)), 6))
        for key in keys
    }


def day_of(moment: datetime) -> date:
    """Days are those of UTC, wherever the caller is (messaging spec §4.5)."""
    return moment.astimezone(UTC).date()


def _busy(profiles: str, vendor: str) -> str:
    return BUSY.format(greatest=GREATEST[vendor], spoken=SPOKEN[vendor], admissions=ADMISSIONS, profiles=profiles)


def _moment(now: datetime) -> dict[str, Value]:
    operations = connection.ops
    return {"now": operations.adapt_datetimefield_value(now), "day": operations.adapt_datefield_value(day_of(now))}


def _number(amount: Decimal | None) -> Decimal | float | None:
    """As the columns of money hold it: a number, also in SQLite, which does not compare text with numbers."""
    return amount if amount is None or connection.vendor == "postgresql" else float(amount)
