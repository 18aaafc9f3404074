"""How a callback has fared of late: invocations per hour of the last day (events spec §5.2)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Avg, Count, Q
from django.db.models.functions import TruncHour
from django.utils import timezone

from profiles_app.models import Callback, DeliveryAttempt

PERIOD = timedelta(hours=1)
PERIODS = 24


@dataclass(frozen=True)
class Period:
    """What happened from `start` to `end`. Without invocations there is no average."""

    start: datetime
    end: datetime
    total: int = 0
    success: int = 0
    failed: int = 0
    timeout: int = 0
    avg_duration_ms: int | None = None


def health_of(callback: Callback) -> list[Period]:
    """The periods, the present one first, in one query whatever the number of attempts."""
    present = timezone.now().replace(minute=0, second=0, microsecond=0)
    starts = [present - PERIOD * number for number in range(PERIODS)]
    counted = (
        DeliveryAttempt.objects.filter(callback=callback, started_at__gte=starts[-1])
        .order_by()
        .annotate(start=TruncHour("started_at", tzinfo=UTC))
        .values("start")
        .annotate(
            total=Count("pk"),
            success=Count("pk", filter=Q(ok=True)),
            timeout=Count("pk", filter=Q(error_code="timeout")),
            average=Avg("duration_ms"),
        )
    )
    found = {row["start"]: row for row in counted}
    return [_period(start, found.get(start)) for start in starts]


def _period(start: datetime, row: Mapping[str, Any] | None) -> Period:
    """Time-outs are counted apart from other failures."""
    if row is None:
        return Period(start, start + PERIOD)
    failed = row["total"] - row["success"] - row["timeout"]
    average = round(row["average"])
    return Period(start, start + PERIOD, row["total"], row["success"], failed, row["timeout"], average)
