"""What the OpenAPI document says of the events integration: answers, errors, examples, and schemas from our tables."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema_field, inline_serializer
from rest_framework import serializers
from rest_framework.serializers import CharField, DictField, IntegerField, ListField

from contacts_app.core.api.view import Record
from contacts_app.core.api.viewset import DialectSchema
from profiles_app.events.callback_config import APPLICATIONS, EMAIL, HTTP, Schema, application_schema
from profiles_app.events.listener_changes import FILTER_VALUES

SUCCESS = inline_serializer("EventsDeleted", {"success": serializers.BooleanField(default=True)})
MODE = OpenApiParameter("mode", str, enum=["brief", "full"], description="`brief`: id and name alone.")


class ErrorBody(Record):
    """Members of `@error`; some statuses have more."""

    odd = {
        "@message": CharField(),
        "@httpStatusCode": IntegerField(),
        "@time": serializers.DateTimeField(),
        "@code": CharField(required=False, help_text="401 and 500."),
        "@details": CharField(required=False, help_text="401, 403 and 500."),
        "@rateLimit": DictField(child=IntegerField(), required=False, help_text="429."),
        "@messages": ListField(child=CharField(), required=False, help_text="409."),
        "fields": DictField(child=ListField(child=CharField()), required=False, help_text="422."),
    }


class EventsError(Record):
    odd = {
        "@error": ErrorBody(),
        "error": CharField(required=False, help_text="401 and 500."),
        "error_description": CharField(required=False, help_text="401 and 500."),
    }


def failures(*statuses: int) -> dict[int, Any]:
    return dict.fromkeys((*statuses, 429), EventsError)


BRIEF: Schema = {
    "type": "object",
    "properties": {"id": {"type": "integer"}, "name": {"type": "string", "nullable": True}},
    "required": ["id", "name"],
    "additionalProperties": False,
}


def full_or_brief(full: Schema) -> Schema:
    """What `mode` decides."""
    return {"oneOf": [full, BRIEF]}


class Operation(NamedTuple):
    """What is said of an action of every resource; `note` and `item_note` are the resource's."""

    description: str
    success: int
    failures: tuple[int, ...]
    has_example: bool = True


OPERATIONS = {
    "list": Operation("{view.note} Newest first.", 200, (401, 403, 404, 422), has_example=False),
    "create": Operation("{view.note}", 201, (400, 401, 403, 404, 422)),
    "retrieve": Operation("", 200, (401, 403, 404, 422)),
    "partial_update": Operation("Change what is sent. {view.item_note}", 200, (400, 401, 403, 404, 409, 422)),
    "destroy": Operation("{view.item_note}", 200, (401, 403, 404, 409), has_example=False),
}


class ResourceSchema(DialectSchema):
    """Describes a resource by what its viewset declares; its further actions describe themselves."""

    @property
    def operation(self) -> Operation | None:
        return OPERATIONS.get(self.view.action)

    def get_description(self) -> str:  # type: ignore[override]
        if self.operation is None:
            return super().get_description()
        return self.operation.description.format(view=self.view).strip()

    def get_override_parameters(self) -> list[Any]:
        return [MODE] if self.method == "GET" else []

    def get_examples(self) -> list[OpenApiExample]:
        return list(self.view.examples) if self.operation and self.operation.has_example else []

    def get_response_serializers(self) -> Any:
        if self.operation is None:
            return super().get_response_serializers()
        answer = self.view.serializer_class
        if self.view.action == "destroy":
            answer = SUCCESS
        elif self.view.action == "retrieve" and self.view.brief:
            answer = full_or_brief({"$ref": f"#/components/schemas/{answer.__name__}"})
        return {self.operation.success: answer, **failures(*self.operation.failures)}

    def get_paginated_name(self, serializer_name: str) -> str:
        name = self.view.basename if self.operation else f"{self.view.basename}_{self.view.action}"
        return f"Events{name.title().replace('_', '')}List"

    def _get_paginator(self) -> Any:
        paginator = super()._get_paginator()  # type: ignore[no-untyped-call]
        if self.view.brief:
            paginator.item_schema = full_or_brief
        return paginator


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
    shown: Schema = _in_openapi({"anyOf": [HTTP, EMAIL, *map(application_schema, APPLICATIONS)]})
    # Secrets are shown as `true`, and `true` sent back means: keep it.
    header = shown["anyOf"][0]["properties"]["headers"]["items"]["properties"]
    header["value"] = {"oneOf": [header["value"], {"type": "boolean", "enum": [True]}]}
    return shown


def tags_schema(names: Iterable[str]) -> Any:
    items = {"type": "string", "enum": list(names)}
    return extend_schema_field({"type": "array", "minItems": 1, "maxItems": 100, "items": items})


value_schema = extend_schema_field(_in_openapi({"oneOf": list(FILTER_VALUES.values())}))
