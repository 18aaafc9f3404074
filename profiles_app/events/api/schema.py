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

SUCCESS = inline_serializer("EventsDeleted", {"success": serializers.BooleanField(help_text="True.")})
MODE = OpenApiParameter("mode", str, enum=["brief", "full"], description="`brief`: id and name alone.")


class ErrorBody(Record):
    """What went wrong; some statuses have more to say of it."""

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
    """With 401, 500 and a refused grant, OAuth's `error` and `error_description` stand beside `@error`."""

    # Those two have no place here: in many languages `@error` and `error` would become one name.
    odd = {"@error": ErrorBody()}


def failures(*statuses: int) -> dict[int, Any]:
    return dict.fromkeys((*statuses, 429), EventsError)


BRIEF: Schema = {
    "type": "object",
    "properties": {"id": {"type": "integer"}, "name": {"type": "string", "nullable": True}},
    "required": ["id", "name"],
    "additionalProperties": False,
}


class Operation(NamedTuple):
    """What is said of an action of every resource; `note` and `item_note` are the resource's."""

    description: str
    success: int
    failures: tuple[int, ...]
    has_example: bool = True


OPERATIONS = {
    "list": Operation("{view.note} Newest first.", 200, (401, 403, 404, 422), has_example=False),
    "create": Operation("Add one. {view.note}", 201, (400, 401, 403, 404, 422)),
    "retrieve": Operation("One of them.", 200, (401, 403, 404, 422)),
    "partial_update": Operation("Change what is sent. {view.item_note}", 200, (400, 401, 403, 404, 409, 422)),
    "destroy": Operation("Delete one. {view.item_note}", 200, (401, 403, 404, 409), has_example=False),
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
            answer = self.full_or_brief(self.resolve_serializer(answer, "response").ref)
        return {self.operation.success: answer, **failures(*self.operation.failures)}

    def get_paginated_name(self, serializer_name: str) -> str:
        name = self.view.basename if self.operation else f"{self.view.basename}_{self.view.action}"
        return f"Events{name.title().replace('_', '')}List"

    def _get_paginator(self) -> Any:
        paginator = super()._get_paginator()  # type: ignore[no-untyped-call]
        if self.view.brief:
            paginator.item_schema = self.full_or_brief
        return paginator

    def full_or_brief(self, full: Schema) -> Schema:
        """What `mode` decides."""
        return {"oneOf": [full, self.named("IdAndName", BRIEF)]}


def _in_openapi(schema: Any) -> Any:
    """A JSON Schema in the words of OpenAPI 3.0, which has one type a schema and no type of null."""
    if isinstance(schema, list):
        return [_in_openapi(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    plain = {name: _in_openapi(value) for name, value in schema.items()}
    if "enum" in plain:
        plain.setdefault("type", "string")
    if isinstance(types := plain.get("type"), list):
        del plain["type"]
        kinds = [kind for kind in types if kind != "null"]
        plain |= {"type": kinds[0]} if len(kinds) == 1 else {"oneOf": [{"type": kind} for kind in kinds]}
        if "null" in types:
            plain["nullable"] = True
    return plain


def _shown(schema: Schema) -> Schema:
    """One of the spellings of a rate limit is enough: in many languages both would become one name."""
    shown: Schema = _in_openapi(schema)
    places = [shown["properties"], shown["properties"].get("parameters", {}).get("properties", {})]
    for properties in places:
        properties.pop("rate_limit", None)
    return shown


def config_shapes() -> dict[str, Schema]:
    """The configurations of callbacks."""
    http = _shown(HTTP)
    # Secrets are shown as `true`, and `true` sent back means: keep it.
    header = http["properties"]["headers"]["items"]["properties"]
    kept = {"type": "boolean", "description": "`true`: a secret, kept as it is."}
    header["value"] = {"oneOf": [header["value"], kept]}
    applications = {_title(name): _shown(application_schema(name)) for name in APPLICATIONS}
    shapes = {"Http": http, "Email": _shown(EMAIL)} | applications
    return {f"CallbackConfig{name}": schema for name, schema in shapes.items()}


def filter_shapes() -> dict[str, Schema]:
    """The values of filters."""
    return {f"FilterValue{_title(name)}": _in_openapi(schema) for name, schema in FILTER_VALUES.items()}


def _title(name: str) -> str:
    return name.title().replace("-", "")


def tags_schema(names: Iterable[str]) -> Any:
    items = {"type": "string", "enum": list(names)}
    return extend_schema_field({"type": "array", "minItems": 1, "maxItems": 100, "items": items})
