"""What the OpenAPI document says of any route of any dialect, so that clients can be generated from it.

Names follow rules: an operation is called after its URL, a request body has a component of its own beside the answer's,
and every shape of a union is a component with a name. `document.toml` says what answers mean.
"""

import re
from collections.abc import Mapping
from copy import deepcopy
from typing import Any, ClassVar, Literal

from drf_spectacular.extensions import OpenApiSerializerFieldExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent

from contacts_app.core.tables import table

Direction = Literal["request", "response"]
Schema = dict[str, Any]

WORDS = table(__file__, "document.toml")
# Where a capital letter begins a word, and what stands between words in a URL.
BETWEEN_WORDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[^A-Za-z0-9]+")
OTHERWISE = {"PUT": "update", "PATCH": "partial_update", "DELETE": "destroy"}
# Endings of the names of classes, which say what the name of the component says anyway.
OF_REQUESTS = re.compile("(Request|Input)$")


class DocumentSchema(AutoSchema):
    """The base of the schema classes of all dialects."""

    view: Any

    def words(self) -> list[str]:
        """The words of the URL, without the dialect's prefix and what names a row."""
        return [word for part in self._tokenize_path() for word in BETWEEN_WORDS.sub(" ", part).lower().split()]

    def get_operation_id(self) -> str:
        """The words of the URL, then what is done there, unless the last word says that."""
        action = self.view.action
        done = action if action in WORDS["success"] else OTHERWISE.get(self.method)
        return "_".join([*self.words(), done] if done else self.words())

    def get_tags(self) -> list[str]:
        return [self.view.dialect.tag or self._tokenize_path()[0].partition(".")[0]]

    def get_serializer_name(self, serializer: Any, direction: Direction) -> str:
        """The generator itself puts `Request` at the end of the names of request bodies."""
        name = super().get_serializer_name(serializer, direction)
        if direction == "request":
            return OF_REQUESTS.sub("", name)
        return f"Partial{name}" if serializer.partial else name

    def _map_serializer_field(self, field: Any, direction: Direction, *args: Any, **kwargs: Any) -> Schema | None:
        """Nothing that only answers have is described for a request, at any depth."""
        is_described = direction == "response" or not field.read_only
        usual: Any = super()._map_serializer_field
        return usual(field, direction, *args, **kwargs) if is_described else None

    def _map_basic_serializer(self, serializer: Any, direction: Direction) -> Schema:
        """What a request may leave out is still in every answer that shows a record; a partial one promises nothing."""
        schema: Schema = super()._map_basic_serializer(serializer, direction)  # type: ignore[no-untyped-call]
        if direction == "response" and serializer.partial:
            schema.pop("required", None)
        elif direction == "response" and getattr(serializer, "is_shown_whole", False):
            schema["required"] = sorted(schema["properties"])
        if not vars(type(serializer)).get("__doc__"):
            # That of a base class tells programmers what the base is for.
            schema.pop("description", None)
        return schema

    def _get_response_for_code(self, serializer: object, status_code: str, *args: object, **kwargs: object) -> Schema:
        usual: Any = super()._get_response_for_code
        answer: Schema = usual(serializer, status_code, *args, **kwargs)
        if not answer["description"] or not serializer:
            succeeds = WORDS["success"].get(self.view.action) if status_code.startswith("2") else None
            answer["description"] = succeeds or WORDS["status"][status_code]
        return answer

    def named(self, name: str, schema: Schema) -> Schema:
        """A reference to a schema that stands among the components."""
        make: Any = ResolvedComponent
        # A copy, as the generator takes enumerations out of it.
        self.registry.register_on_missing(make(name, make.SCHEMA, deepcopy(schema), object=name))
        return {"$ref": f"#/components/schemas/{name}"}


class NamedShapes:
    """For a field whose value has one of these `shapes`, by the names of their components.

    Only objects need names; what else may stand in their place is described as it is.
    """

    shapes: ClassVar[Mapping[str, Schema]] = {}


class ShapesHaveNames(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    target_class = NamedShapes
    match_subclasses = True

    def map_serializer_field(self, auto_schema: Any, direction: Direction) -> Schema:
        shapes = [
            auto_schema.named(name, schema) if schema["type"] == "object" else schema
            for name, schema in self.target.shapes.items()
        ]
        return shapes[0] if len(shapes) == 1 else {"anyOf": shapes}
