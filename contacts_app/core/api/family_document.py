"""What the OpenAPI document says of /api/v1: its envelope, its errors, and the headers that its operations take."""

from functools import cache
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema_serializer, inline_serializer
from rest_framework import serializers

from contacts_app.core.api.document import DocumentSchema, NamedShapes
from contacts_app.core.api.fields import Shape
from contacts_app.core.api.idempotency import NAME as IDEMPOTENCY_KEY
from contacts_app.core.api.idempotency import takes_key
from contacts_app.core.api.preconditions import GUARDED, Guarded

# What an action may answer besides its success and 401, 403 and 429.
FAILURES = {"list": (400,), "create": (400,), "retrieve": (400, 404), "update": (400, 404), "destroy": (400, 404)}
FAILURES_OF_OTHERS = (400, 404, 409)
# Headers of careful clients, which any operation of their kind takes, and what it may answer because of them.
KEY_IN_HEADER = OpenApiParameter(
    IDEMPOTENCY_KEY,
    {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
    OpenApiParameter.HEADER,
    description="The same request with the same key is done once and answered alike for a day.",
)
MATCH_IN_HEADER = OpenApiParameter(
    "If-Match",
    str,
    OpenApiParameter.HEADER,
    description="The `ETag` of the record as it was read; 412 if it is another.",
)
BECAUSE_OF = {KEY_IN_HEADER: (400, 409, 422), MATCH_IN_HEADER: (412,)}


class FieldError(Shape):
    field = serializers.CharField()
    message = serializers.CharField()


class Failure(Shape):
    success = serializers.BooleanField(help_text="False.")
    code = serializers.CharField(
        help_text="What is wrong, in kebab case, for programs. It stays when `message` changes."
    )
    message = serializers.CharField()
    errors = FieldError(many=True, required=False, help_text="Only with status 400.")  # type: ignore[assignment]


class PageMetadata(Shape):
    total = serializers.IntegerField()
    limit = serializers.IntegerField()
    offset = serializers.IntegerField()
    total_is_estimate = serializers.BooleanField(
        required=False, help_text="There, and true, when the list is too long to be counted exactly."
    )


class NoMetadata(NamedShapes, serializers.DictField):
    shapes = {"NoMetadata": {"type": "object", "description": "Always empty."}}


class Gone(NamedShapes, serializers.DictField):
    child = serializers.CharField()
    shapes = {
        "Deleted": {
            "type": "object",
            "description": "What named the deleted row.",
            "additionalProperties": {"type": "string"},
        }
    }


@cache
def _envelope(name: str, data: Any, many: bool, message: bool, metadata: Any) -> Any:
    members: dict[str, Any] = {
        "data": data if isinstance(data, serializers.Field) else data(many=True) if many else data(),
        "success": serializers.BooleanField(help_text="True."),
    }
    if message:
        members["message"] = serializers.CharField()
    if metadata is not None:
        members["metadata"] = metadata()
    # A list stands in its envelope; it is not a list of envelopes.
    shape: Any = inline_serializer(f"{name}Answer", members)
    return extend_schema_serializer(many=False)(shape)


def envelope(name: str, data: Any, *, many: bool = False, message: bool = True, metadata: Any = NoMetadata) -> Any:
    """The answer of a route that succeeds; `name` names it in the document, `data` is a field or the class of one."""
    return _envelope(name, data, many, message, metadata)


def answers(status: int, shape: Any, *failures: int) -> dict[int, Any]:
    """All answers of a route: its success and the failures that it knows besides those of any credential."""
    return {status: shape, **dict.fromkeys((401, 403, 429, *failures), Failure)}


class FamilySchema(DocumentSchema):
    """What a viewset's declarations say of its actions, unless an action says otherwise itself.

    An action of its own is taken for one on a row, without a body, that answers with the row.
    """

    def get_description(self) -> str:  # type: ignore[override]
        usual = {"partial_update": "The same as PUT."}
        return str((usual | self.view.descriptions).get(self.view.action) or super().get_description())

    def get_override_parameters(self) -> list[Any]:
        is_guarded = isinstance(self.view, Guarded) and self.view.action in GUARDED
        takes = {KEY_IN_HEADER: self.method == "POST" and takes_key(self.view), MATCH_IN_HEADER: is_guarded}
        return [parameter for parameter, is_taken in takes.items() if is_taken]

    def _get_response_bodies(self, direction: Any = "response") -> dict[str, object]:
        """Also what an operation answers because of the headers above, whatever it says of itself."""
        bodies: dict[str, Any] = super()._get_response_bodies(direction)
        taken = self.get_override_parameters()
        more = [status for parameter, statuses in BECAUSE_OF.items() if parameter in taken for status in statuses]
        for status in map(str, more):
            if status not in bodies:
                bodies[status] = self._get_response_for_code(Failure, status)
        return bodies

    def get_request_serializer(self) -> Any:
        body, action = self.view.body_class or self.view.serializer_class, self.view.action
        if action in ("update", "partial_update"):
            return body(partial=True)
        return body if action == "create" else None

    def get_response_serializers(self) -> Any:
        view, name, record = self.view, self.view.name_in_document, self.view.serializer_class
        action = "update" if view.action == "partial_update" else view.action
        failures = view.failures.get(action, FAILURES.get(action, FAILURES_OF_OTHERS))
        metadata = None if view.metadata is None else NoMetadata
        shape = envelope(name, record, metadata=metadata)
        if action == "list":
            paged = PageMetadata if view.pagination_class else None
            shown = view.list_class or record
            shape = envelope(f"{name}s", shown, many=True, message=paged is not None, metadata=paged)
        elif action == "destroy":
            shape = envelope(f"{name}Deleted", Gone, metadata=metadata)
        return answers(201 if action == "create" else 200, shape, *failures)
