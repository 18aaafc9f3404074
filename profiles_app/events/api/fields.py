"""Fields that take the JSON type they name and nothing that could be made one."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from contacts_app.core.api.reading import Narrowed
from contacts_app.core.api.view import Record
from contacts_app.core.values import one_line

BIGGEST_ID = 2**63 - 1
LAST_SECOND = 253_402_300_799  # of the year 9999, which is where dates end


class _StringOnly:
    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")  # type: ignore[attr-defined]
        return str(super().to_internal_value(data))  # type: ignore[misc]


class EventText(_StringOnly, serializers.CharField):
    def __init__(self, **kwargs: Any) -> None:
        usual: dict[str, Any] = {"trim_whitespace": False, "validators": [one_line]}
        super().__init__(**(usual | kwargs))


class Email(_StringOnly, serializers.EmailField):
    pass


class Choice(_StringOnly, serializers.ChoiceField):
    default_error_messages = {"invalid": "Must be a string."}


class WholeNumber(serializers.IntegerField):
    def to_internal_value(self, data: Any) -> int:
        if not isinstance(data, int) or isinstance(data, bool):
            self.fail("invalid")
        return data


class RowId(WholeNumber):
    """The id of another row; null and, where the published schema allows it, 0 are none."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**({"min_value": 1, "max_value": BIGGEST_ID} | kwargs))


@extend_schema_field({"type": "integer", "description": "Unix time in seconds."})
class UnixTime(WholeNumber):
    def __init__(self, **kwargs: Any) -> None:
        limits = {} if kwargs.get("read_only") else {"min_value": 1, "max_value": LAST_SECOND}
        super().__init__(**(limits | kwargs))

    def run_validation(self, data: Any = serializers.empty) -> Any:
        seconds = super().run_validation(data)
        return datetime.fromtimestamp(seconds, UTC) if isinstance(seconds, int) else seconds

    def to_representation(self, value: datetime) -> int:  # type: ignore[override]
        return int(value.timestamp())


class JsonObject(serializers.Field[dict[str, Any], Any, Any, Any]):
    """A JSON object; what may stand in it is for others to say."""

    default_error_messages = {"invalid": "Must be an object."}

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, dict):
            self.fail("invalid")
        return data

    def to_representation(self, value: Any) -> Any:
        return value


class EventsRecord(Narrowed, Record):
    """What every object with a level begins with."""

    is_shown_whole = True
    id = serializers.IntegerField(read_only=True)
    voip_id = serializers.IntegerField(read_only=True, source="account.voip_id")
    extension_id = serializers.IntegerField(read_only=True, allow_null=True, source="extension.number")

    @classmethod
    def narrowed(cls, record: dict[str, Any], context: Mapping[str, Any]) -> dict[str, Any]:
        """The members that the context names as `shown`, if not all."""
        return {name: record[name] for name in context.get("shown") or record}
