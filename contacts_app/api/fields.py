"""Fields whose wire form several dialects share."""

from datetime import UTC, datetime
from typing import Any

from rest_framework import serializers
from rest_framework.fields import empty


class Instant(serializers.DateTimeField):
    """ISO 8601 in UTC with milliseconds and `Z` (phone profiles spec §3, messaging spec §3)."""

    def to_representation(self, value: datetime | None) -> str | None:  # type: ignore[override]
        if value is None:
            return None
        value = value.astimezone(UTC)
        return f"{value:%Y-%m-%dT%H:%M:%S}.{value.microsecond // 1000:03d}Z"


class Text(serializers.CharField):
    """A string, and nothing that could be made one; null is the empty string, unless null is allowed."""

    def run_validation(self, data: Any = empty) -> str | None:
        # Here, so that it is refused wherever the empty string is.
        return super().run_validation("" if data is None and not self.allow_null else data)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return str(super().to_internal_value(data))
