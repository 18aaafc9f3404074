"""What the OpenAPI document says of this dialect: its credentials, its envelope, its errors, and what is usual."""

from functools import cache
from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter, extend_schema_serializer, inline_serializer
from rest_framework import serializers

Shape = type[serializers.BaseSerializer[Any]]

UUID = {"type": "string", "format": "uuid"}
ACCOUNT = OpenApiParameter("account", UUID, description="For staff: the account that is meant.")
UUID_IN_PATH = OpenApiParameter("uuid", UUID, OpenApiParameter.PATH)
UUID_IN_QUERY = OpenApiParameter(
    "uuid", UUID, description="The document prints this URL without the UUID; it may stand here."
)
# The document's word for each action; `{}` is the record's name.
OPERATIONS = {
    "list": "List{}s",
    "create": "Create{}",
    "retrieve": "Get{}ByUUID",
    "partial_update": "Modify{}",
    "destroy": "Remove{}ByUUID",
    "update_named": "Modify{}ByQuery",
    "destroy_named": "Remove{}ByQuery",
}


class MessagingFailure(serializers.Serializer[Any]):
    success = serializers.BooleanField(default=False)
    message = serializers.CharField()
    status = serializers.IntegerField(help_text="The HTTP status.")


@cache
def envelope(name: str, record: Shape, *, many: bool = False) -> Any:
    """The answer of a route that succeeds; `name` names it in the document."""
    payload: Any = record(many=many)
    members = {"success": serializers.BooleanField(default=True), "payload": payload}
    shape: Any = inline_serializer(f"{name}Envelope", members)
    # A list stands in its envelope; it is not a list of envelopes.
    return extend_schema_serializer(many=False)(shape)


def answers(shape: Any, *failures: int, created: bool = False) -> dict[int, Any]:
    """All answers of a route: its success and the failures that it knows besides those of any credential."""
    successes = (200, 201) if created else (200,)
    return {
        **dict.fromkeys(successes, shape),
        **dict.fromkeys((400, 401, 403, 429, *failures), MessagingFailure),
    }


class MessagingSchema(AutoSchema):
    """What a viewset's declarations say of its usual actions, unless an action says otherwise itself."""

    view: Any

    def get_operation_id(self) -> str:
        return OPERATIONS[self.view.action].format(self.view.name_in_document)

    def get_description(self) -> str:  # type: ignore[override]
        return str(self.view.descriptions.get(self.view.action) or super().get_description())

    def get_override_parameters(self) -> list[Any]:
        of_account = self.view.action in ("list", "create") and self.view.queryset is not None
        return [UUID_IN_PATH] if "{uuid}" in self.path else [ACCOUNT] if of_account else []

    def get_request_serializer(self) -> Any:
        body: Any = self.view.body_class
        return body(partial=True) if self.method == "PATCH" else body

    def get_response_serializers(self) -> Any:
        action, name, record = self.view.action, self.view.name_in_document, self.view.serializer_class
        shape = envelope(f"{name}s", record, many=True) if action == "list" else envelope(name, record)
        conflicts = [409] if action in self.view.conflicts else []
        return answers(shape, 404, *conflicts, created=action == "create")


class MessagingScheme(OpenApiAuthenticationExtension):
    target_class = "profiles_app.api.messaging.dialect.MessagingAuthentication"
    # Every class of its own has to name its schemes anew.
    name = ["restBearer", "restToken", "restBasic", "restJwt", "restBearerInQuery"]

    def get_security_definition(self, auto_schema: Any) -> list[dict[str, Any]]:
        return [
            {
                "type": "http",
                "scheme": "bearer",
                "description": "An API token, or the access token of a login.",
            },
            {"type": "apiKey", "in": "header", "name": "X-Auth-Token", "description": "As bearer."},
            {"type": "http", "scheme": "basic", "description": "Email or user name, and password."},
            {"type": "apiKey", "in": "query", "name": "jwt", "description": "As bearer."},
            {"type": "apiKey", "in": "query", "name": "bearer", "description": "As bearer."},
        ]
