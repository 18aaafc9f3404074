"""A callback's own limit: events beyond `number` in `period` seconds are suppressed, not queued (events spec §7)."""

from collections import deque
from datetime import datetime, timedelta
from typing import Any

from profiles_app.models import Callback, DeliveryAttempt
from profiles_app.services.callback_schemas import RATE_LIMITS


class RateLimit:
    """Admits events to one callback. Only first attempts count: what was admitted may be tried again."""

    def __init__(self, callback: Callback, now: datetime) -> None:
        config: dict[str, Any] = callback.config
        rule = next((config[name] for name in RATE_LIMITS if config.get(name)), None)
        self._number: int | None = None
        if rule is not None:
            self._number, self._period = rule["number"], timedelta(seconds=rule["period"])
            first = DeliveryAttempt.objects.filter(
                callback=callback, number=1, started_at__gt=now - self._period
            )
            newest = first.order_by("-started_at").values_list("started_at", flat=True)[: self._number]
            self._admitted = deque(sorted(newest))

    def admits(self, now: datetime) -> bool:
        """Whether one more event may be sent now; if so, it counts."""
        if self._number is None:
            return True
        while self._admitted and self._admitted[0] <= now - self._period:
            self._admitted.popleft()
        if len(self._admitted) >= self._number:
            return False
        self._admitted.append(now)
        return True
