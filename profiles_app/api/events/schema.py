"""What the OpenAPI document says of the events integration: envelopes, query parameters, errors, examples."""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    extend_schema,
    extend_schema_field,
    extend_schema_view,
    inline_serializer,
)
from rest_framework import serializers

from profiles_app.api.events.query import FARTHEST
from profiles_app.services.callback_schemas import (
    APPLICATIONS,
    EMAIL,
    HTTP,
    Schema,
    application_schema,
)
from profiles_app.services.listener_filter import FILTER_VALUES
from profiles_app.services.tags import TAGS

Record = type[serializers.Serializer[Any]]
V = TypeVar("V", bound=type)

SUCCESS = inline_serializer("EventsDeleted", {"success": serializers.BooleanField(default=True)})
MODE = OpenApiParameter("mode", str, enum=["brief", "full"], description="`brief`: id and name alone.")
PAGING = [
    OpenApiParameter("limit", {"type": "integer", "minimum": 1, "maximum": 500, "default": 25}),
    OpenApiParameter("offset", {"type": "integer", "minimum": 0, "maximum": FARTHEST, "default": 0}),
    OpenApiParameter("sort[id]", str, enum=["asc", "desc"], description="`desc` if not given."),
    OpenApiParameter("include_subaccounts", int, enum=[0, 1]),
    MODE,
]


class ErrorBody(serializers.Serializer[Any]):
    """Members of `@error`; some statuses have more."""

    def get_fields(self) -> dict[str, Any]:
        return {
            "@message": serializers.CharField(),
            "@httpStatusCode": serializers.IntegerField(),
            "@time": serializers.DateTimeField(),
            "@code": serializers.CharField(required=False, help_text="401 and 500."),
            "@details": serializers.CharField(required=False, help_text="401, 403 and 500."),
            "@rateLimit": serializers.DictField(
                child=serializers.IntegerField(), required=False, help_text="429."
            ),
            "@messages": serializers.ListField(
                child=serializers.CharField(), required=False, help_text="409."
            ),
            "fields": serializers.DictField(
                child=serializers.ListField(child=serializers.CharField()), required=False, help_text="422."
            ),
        }


class EventsError(serializers.Serializer[Any]):
    def get_fields(self) -> dict[str, Any]:
        return {
            "@error": ErrorBody(),
            "error": serializers.CharField(required=False, help_text="401 and 500."),
            "error_description": serializers.CharField(required=False, help_text="401 and 500."),
        }


def failures(*statuses: int) -> dict[int, Any]:
    return dict.fromkeys((*statuses, 429), EventsError)


class EventsSchema(AutoSchema):
    """Names the lists, which the generator takes for single objects because of their envelope."""

    def get_operation_id(self) -> str:
        name = super().get_operation_id()
        return re.sub("_retrieve$", "_list", name) if getattr(self.view, "is_list", False) else name


def example(body: dict[str, Any]) -> OpenApiExample:
    return OpenApiExample("As in the guide", value=body, response_only=True, status_codes=["200", "201"])


BRIEF: Schema = {
    "type": "object",
    "properties": {"id": {"type": "integer"}, "name": {"type": "string", "nullable": True}},
    "required": ["id", "name"],
    "additionalProperties": False,
}


def full_or_brief(record: Record) -> Schema:
    """What `mode` decides; the record itself is described where it is made."""
    return {"oneOf": [{"$ref": f"#/components/schemas/{record.__name__}"}, BRIEF]}


def list_of(name: str, record: Record, *, brief: bool = False) -> Any:
    several = {"type": "array", "items": full_or_brief(record)}
    items: Any = extend_schema_field(several)(type("Items", (serializers.JSONField,), {}))
    return inline_serializer(
        f"Events{name.title().replace('_', '')}List",
        {
            "filters": serializers.DictField(help_text="What was asked for."),
            "sort": serializers.DictField(child=serializers.ChoiceField(["asc", "desc"])),
            "total": serializers.IntegerField(help_text="Before paging."),
            "limit": serializers.IntegerField(),
            "offset": serializers.IntegerField(),
            "items": items() if brief else record(many=True),
        },
    )


def _listing(name: str, record: Record, filterable: Iterable[str], note: str, *, brief: bool = False) -> Any:
    filters = [OpenApiParameter(f"filters[{field}]", str, description="`op:args`") for field in filterable]
    return extend_schema(
        description=f"{note} Newest first.".strip(),
        parameters=[*PAGING, *filters],
        responses={200: list_of(name, record, brief=brief), **failures(401, 403, 404, 422)},
    )


def documented_list(name: str, record: Record, *, note: str = "") -> Callable[[V], V]:
    """Describe a list to which nothing is added."""
    return extend_schema_view(get=_listing(name, record, (), note))


def documented_collection(
    name: str,
    record: Record,
    *,
    request: Record | None = None,
    filterable: Iterable[str] = (),
    examples: Sequence[OpenApiExample] = (),
    note: str = "",
    brief: bool = False,
) -> Callable[[V], V]:
    """Describe a list and the creation of an object."""
    return extend_schema_view(
        get=_listing(name, record, filterable, note, brief=brief),
        post=extend_schema(
            description=note,
            request=request or record,
            responses={201: record, **failures(400, 401, 403, 404, 422)},
            examples=list(examples),
        ),
    )


def documented_item(
    name: str,
    record: Record,
    *,
    examples: Sequence[OpenApiExample] = (),
    note: str = "",
    brief: bool = False,
) -> Callable[[V], V]:
    """Describe reading, changing and deleting one object."""
    return extend_schema_view(
        get=extend_schema(
            parameters=[MODE],
            responses={200: full_or_brief(record) if brief else record, **failures(401, 403, 404, 422)},
            examples=list(examples),
        ),
        patch=extend_schema(
            description=f"Change what is sent. {note}".strip(),
            request=record(partial=True),
            responses={200: record, **failures(400, 401, 403, 404, 409, 422)},
            examples=list(examples),
        ),
        delete=extend_schema(description=note, responses={200: SUCCESS, **failures(401, 403, 404, 409)}),
    )


def _in_openapi(schema: Any) -> Any:
    """A JSON Schema in the words of OpenAPI 3.0, which has one type a schema and no type of null."""
    if isinstance(schema, list):
        return [_in_openapi(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    plain = {name: _in_openapi(value) for name, value in schema.items()}
    if isinstance(types := plain.get("type"), list):
        del plain["type"]
        kinds = [kind for kind in types if kind != "null"]
        plain |= {"type": kinds[0]} if len(kinds) == 1 else {"oneOf": [{"type": kind} for kind in kinds]}
        if "null" in types:
            plain["nullable"] = True
    return plain


def config_schema() -> Schema:
    applications = [
        application_schema(name)
        | {
            "properties": application_schema(name)["properties"]
            | {"application": {"type": "string", "enum": [name]}}
        }
        for name in APPLICATIONS
    ]
    shown: Schema = _in_openapi({"anyOf": [HTTP, EMAIL, *applications]})
    # Secrets are shown as `true`, and `true` sent back means: keep it.
    header = shown["anyOf"][0]["properties"]["headers"]["items"]["properties"]
    header["value"] = {"oneOf": [header["value"], {"type": "boolean", "enum": [True]}]}
    return shown


tags_schema = extend_schema_field(
    {"type": "array", "minItems": 1, "maxItems": 100, "items": {"type": "string", "enum": list(TAGS)}}
)
value_schema = extend_schema_field(_in_openapi({"oneOf": list(FILTER_VALUES.values())}))
