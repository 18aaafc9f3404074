"""What the OpenAPI document says of the phone family: envelopes, errors, and the ways to authenticate."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.utils import inline_serializer
from rest_framework import serializers

from phones_app.api.fields import Shape


class FieldError(Shape):
    field = serializers.CharField()
    message = serializers.CharField()


class Failure(Shape):
    success = serializers.BooleanField(default=False)
    message = serializers.CharField()
    errors = FieldError(many=True, required=False, help_text="Only with status 400.")  # type: ignore[assignment]


class PageMetadata(Shape):
    total = serializers.IntegerField()
    limit = serializers.IntegerField()
    offset = serializers.IntegerField()
    total_is_estimate = serializers.BooleanField(
        required=False, help_text="There, and true, when the list is too long to be counted exactly."
    )


class NoMetadata(Shape):
    """Always empty."""


def envelope(
    name: str,
    data: serializers.BaseSerializer[Any] | serializers.Field[Any, Any, Any, Any],
    *,
    message: bool = True,
    metadata: type[Shape] | None = None,
) -> Any:
    """The answer of a route that succeeds; `name` names it in the document."""
    members: dict[str, Any] = {"success": serializers.BooleanField(default=True)}
    if message:
        members["message"] = serializers.CharField()
    members["data"] = data
    if metadata is not None:
        members["metadata"] = metadata()
    return inline_serializer(f"{name}Answer", members)


def answers(status: int, shape: Any, *failures: int) -> dict[int, Any]:
    """All answers of a route: its success and the failures that it knows besides those of any credential."""
    return {status: shape, **dict.fromkeys((401, 403, 429, *failures), Failure)}


class CredentialScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """API tokens and access tokens as bearer or in a header of their own, and Basic for people."""

    target_class = "contacts_app.api.authentication.CredentialAuthentication"
    name = ["bearer", "token", "basic"]

    def get_security_definition(self, auto_schema: Any) -> list[dict[str, Any]]:
        return [
            {"type": "http", "scheme": "bearer", "description": "API token, or access token of a login."},
            {"type": "apiKey", "in": "header", "name": "X-Auth-Token", "description": "As bearer."},
            {"type": "http", "scheme": "basic", "description": "Email or user name, and password."},
        ]

    def get_security_requirement(self, auto_schema: Any) -> list[dict[str, list[Any]]]:
        """Any one of them is enough."""
        return [{name: []} for name in self.name]
