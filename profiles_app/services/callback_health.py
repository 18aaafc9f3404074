"""How a callback has fared of late: invocations per hour of the last day (events spec §5.2)."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from profiles_app.models import Callback

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
    """The periods, the present one first. No deliveries are recorded yet, so there are none to count."""
    present = timezone.now().replace(minute=0, second=0, microsecond=0)
    starts = [present - PERIOD * number for number in range(PERIODS)]
    return [Period(start, start + PERIOD) for start in starts]
