"""What the OpenAPI document says of this dialect, and what a resource says of itself."""

from typing import Any
from uuid import UUID

from drf_spectacular.extensions import OpenApiSerializerExtension
from drf_spectacular.plumbing import build_array_type
from drf_spectacular.utils import extend_schema_serializer, inline_serializer
from rest_framework import serializers

from contacts_app.contacts.api.dialect import ERROR_TYPES, ROOT
from contacts_app.contacts.api.query import DEFAULT_LIMIT
from contacts_app.core.tables import table

Record = serializers.Serializer[Any]


class NotificationsError(serializers.Serializer[Any]):
    error_message = serializers.CharField()
    error_point = serializers.CharField(allow_null=True, help_text="The field, where one is to blame.")
    error_type = serializers.ChoiceField(choices=sorted({"validation", "backend", *ERROR_TYPES.values()}))


class NotificationsErrors(serializers.Serializer[Any]):
    """What every error is answered with: a list, mostly of one."""


class ErrorsAreAList(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]
    # The generator makes no lists of answers that are not a success.
    target_class = NotificationsErrors

    def map_serializer(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        return build_array_type(auto_schema.resolve_serializer(NotificationsError, direction).ref)


class ListMeta(serializers.Serializer[Any]):
    limit = serializers.IntegerField()
    offset = serializers.IntegerField()
    total_count = serializers.IntegerField()


def listed(name: str, record: type[Record]) -> Any:
    """A list; with `fields=` its records have fewer members."""
    shape: Any = inline_serializer(f"{name}List", {"meta": ListMeta(), "objects": record(many=True, partial=True)})
    # A list stands in its envelope; it is not a list of envelopes.
    return extend_schema_serializer(many=False)(shape)


def objects(name: str, record: type[Record], *, at_least: int = 0) -> object:
    return inline_serializer(f"{name}Objects", {"objects": serializers.ListField(child=record(), min_length=at_least)})


def answers(status: int, shape: object, *failures: int) -> dict[int, object]:
    """All answers of a route: its success, and the failures that it knows besides those of any."""
    return {status: shape, **dict.fromkeys((401, 403, 406, 429, *failures), NotificationsErrors)}


def contact_uri(uuid: UUID) -> str:
    return f"{ROOT}notification_contacts/{uuid}/"


def describe_contacts(filters: list[str], ordering: list[str]) -> dict[str, object]:
    """What `notification_contacts/schema/` says to programs (notification contacts spec §3)."""
    return {
        "allowed_detail_http_methods": ["get", "put", "delete"],
        "allowed_list_http_methods": ["get", "post"],
        "default_format": "application/json",
        "default_limit": DEFAULT_LIMIT,
        "fields": table(__file__, "fields.json"),
        "filtering": dict.fromkeys(filters, "exact"),
        "ordering": ordering,
    }
