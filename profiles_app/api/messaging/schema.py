"""What the OpenAPI document says of this dialect: its envelope and its errors."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, inline_serializer
from rest_framework import serializers

Shape = serializers.BaseSerializer[Any] | serializers.Field[Any, Any, Any, Any]

UUID_IN_QUERY = OpenApiParameter(
    "uuid",
    {"type": "string", "format": "uuid"},
    description="The document prints this URL without the UUID; it may stand here.",
)
UUID_IN_PATH = OpenApiParameter("uuid", {"type": "string", "format": "uuid"}, OpenApiParameter.PATH)
ACCOUNT = OpenApiParameter(
    "account", {"type": "string", "format": "uuid"}, description="For staff: the account that is meant."
)


class MessagingFailure(serializers.Serializer[Any]):
    success = serializers.BooleanField(default=False)
    message = serializers.CharField()
    status = serializers.IntegerField(help_text="The HTTP status.")


def envelope(name: str, payload: Shape) -> Any:
    """The answer of a route that succeeds; `name` names it in the document."""
    return inline_serializer(
        f"{name}Envelope", {"success": serializers.BooleanField(default=True), "payload": payload}
    )


def answers(shape: Any, *failures: int, created: bool = False) -> dict[int, Any]:
    """All answers of a route: its success and the failures that it knows besides those of any credential."""
    successes = (200, 201) if created else (200,)
    return {
        **dict.fromkeys(successes, shape),
        **dict.fromkeys((400, 401, 403, 429, *failures), MessagingFailure),
    }
