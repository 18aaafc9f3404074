"""What a listener's filter may hold: a phone number or a schedule to compare events with (events spec §5.5)."""

from typing import Any

from profiles_app.models import ListenerFilter
from profiles_app.services import json_schema

_NUMBER = {"type": "string", "format": "phone-number", "maxLength": 33}
FILTER_VALUES: dict[str, dict[str, Any]] = {
    ListenerFilter.Type.NUMBER: {
        "type": "object",
        "description": "Exactly one of `eq`, `in` and `match` (in which `%` is any run of characters).",
        "minProperties": 1,
        "maxProperties": 1,
        "additionalProperties": False,
        "properties": {
            "eq": _NUMBER,
            "in": {"type": "array", "items": _NUMBER, "minItems": 1, "maxItems": 1000},
            "match": {"type": "string", "format": "phone-number-pattern", "maxLength": 64},
        },
    },
    ListenerFilter.Type.SCHEDULE: {
        "type": "object",
        "required": ["id"],
        "additionalProperties": False,
        "properties": {"id": {"type": "integer", "minimum": 1, "maximum": 2**63 - 1}},
    },
}


def checked_filter_value(filter_type: str, value: Any, path: str = "filter_value") -> Any:
    """The value to store. Raises ValidationError by field."""
    schema = FILTER_VALUES[filter_type]
    json_schema.check(schema, value, path)
    return json_schema.normalised(schema, value)
