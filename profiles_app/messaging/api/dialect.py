"""The dialect of /rest: credentials, envelope, errors, and what its resources share (messaging spec §2, §3).

What the OpenAPI document says of all that comes first.
"""

from collections.abc import Collection, Mapping, Sequence
from functools import cache
from typing import Any, ClassVar
from uuid import UUID

from django.conf import settings
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_serializer, inline_serializer
from rest_framework import serializers
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from contacts_app.accounts.api import AccountViewSet
from contacts_app.accounts.models import Account
from contacts_app.core.api.authentication import CredentialAuthentication, authorization, in_query, x_auth_token
from contacts_app.core.api.dialect import Conflict, Dialect
from contacts_app.core.api.view import Manages
from contacts_app.core.api.viewset import DialectSchema, EditableViewSet
from contacts_app.core.errors import Refusal

Shape = type[serializers.BaseSerializer[Any]]

UUID_SCHEMA = {"type": "string", "format": "uuid"}
ACCOUNT = OpenApiParameter("account", UUID_SCHEMA, description="For staff: the account that is meant.")
UUID_IN_PATH = OpenApiParameter("uuid", UUID_SCHEMA, OpenApiParameter.PATH)
UUID_IN_QUERY = OpenApiParameter(
    "uuid", UUID_SCHEMA, description="The document prints this URL without the UUID; it may stand here."
)


class MessagingFailure(serializers.Serializer[Any]):
    success = serializers.BooleanField(help_text="False.")
    message = serializers.CharField()
    status = serializers.IntegerField(help_text="The HTTP status.")


@cache
def envelope(name: str, record: Shape, *, many: bool = False) -> Any:
    """The answer of a route that succeeds; `name` names it in the document."""
    payload: Any = record(many=many)
    members = {"success": serializers.BooleanField(help_text="True."), "payload": payload}
    shape: Any = inline_serializer(f"{name}Envelope", members)
    # A list stands in its envelope; it is not a list of envelopes.
    return extend_schema_serializer(many=False)(shape)


def answers(shape: Any, *failures: int, created: bool = False) -> dict[int, Any]:
    """All answers of a route: its success and the failures that it knows besides those of any credential."""
    successes = (200, 201) if created else (200,)
    return {**dict.fromkeys(successes, shape), **dict.fromkeys((400, 401, 403, 429, *failures), MessagingFailure)}


class MessagingSchema(DialectSchema):
    def get_description(self) -> str:  # type: ignore[override]
        return str(self.view.descriptions.get(self.view.action) or super().get_description())

    def get_override_parameters(self) -> list[Any]:
        of_account = self.view.action in ("list", "create") and self.view.queryset is not None
        return [UUID_IN_PATH] if "{uuid}" in self.path else [ACCOUNT] if of_account else []

    def get_response_serializers(self) -> Any:
        action, name, record = self.view.action, self.view.name_in_document, self.view.serializer_class
        shape = envelope(f"{name}s", record, many=True) if action == "list" else envelope(name, record)
        conflicts = [409] if action in self.view.conflicts else []
        return answers(shape, 404, *conflicts, created=action == "create")


class MessagingAuthentication(CredentialAuthentication):
    """Credentials also come as query parameters, and `Authorization` counts first."""

    carriers = (authorization, x_auth_token, in_query("jwt"), in_query("bearer"))


class MessagingScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = MessagingAuthentication
    # Every class of its own has to name its schemes anew.
    name = ["restBearer", "restToken", "restBasic", "restJwt", "restBearerInQuery"]

    def get_security_definition(self, auto_schema: Any) -> list[dict[str, Any]]:
        return [
            {"type": "http", "scheme": "bearer", "description": "An API token, or the access token of a login."},
            {"type": "apiKey", "in": "header", "name": "X-Auth-Token", "description": "As bearer."},
            {"type": "http", "scheme": "basic", "description": "Email or user name, and password."},
            {"type": "apiKey", "in": "query", "name": "jwt", "description": "As bearer."},
            {"type": "apiKey", "in": "query", "name": "bearer", "description": "As bearer."},
        ]


# Every other refusal conflicts with the present state.
REFUSED_AS_ABSENT = ("no-sender", "other-account", "no-number", "no-lease")


class MessagingDialect(Dialect):
    """`{"success": false, "message": …, "status": …}`; the status is that of the answer."""

    prefixes = ("/rest/",)
    tag = "messaging"

    def error(self, status_code: int, message: str, fields: Mapping[str, list[str]], code: str = "") -> dict[str, Any]:
        return {"success": False, "message": message, "status": status_code}


class MessagingViewSet(AccountViewSet):
    """A resource of this dialect, unless it says otherwise for those who may do everything in their scope.

    For the OpenAPI document: `name_in_document` is that of a record, `descriptions` are those of the usual actions,
    and `conflicts` the actions that may answer 409.
    """

    dialect = MessagingDialect()
    accounts = Account.objects.all()
    schema = MessagingSchema()
    authentication_classes = [MessagingAuthentication]
    permission_classes = [Manages]
    name_in_document: ClassVar[str] = ""
    descriptions: ClassVar[Mapping[str, str]] = {}
    conflicts: ClassVar[Collection[str]] = ()

    def envelope(self, content: Any) -> dict[str, Any]:
        return {"success": True, "payload": content}

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, Refusal) and exc.fields:
            exc = ValidationError(dict(exc.fields))
        elif isinstance(exc, Refusal):
            exc = NotFound(exc.message) if exc.code in REFUSED_AS_ABSENT else Conflict(exc.message)
        return super().handle_exception(exc)

    def created(self, content: Any) -> Response:
        return Response(content, settings.MESSAGING_CREATED_STATUS)

    def account_of(self, uuid: UUID) -> Any:
        """Tenants may name any account: it is their own that is meant."""
        return self.actor.account or super().account_of(uuid)


class MessagingRecords(EditableViewSet, MessagingViewSet):
    """Records that are listed, made, changed and deleted: plain lists; what is deleted is answered once more."""

    def new(self) -> Any:
        return self.queryset.model(account=self.account_of_new())

    def save(self, row: Any, sent: dict[str, Any]) -> None:
        """A body that says nothing changes nothing, the time of the last change included."""
        if sent:
            super().save(row, sent)

    def create(self, request: Request) -> Response:
        row = self.new()
        self.save(row, self.sent(row))
        return self.created(self.shown(self.get_queryset().get(pk=row.pk)))

    def destroy(self, request: Request, **named: str) -> Response:
        """Delete a row; the answer shows it once more."""
        row = self.removed()
        gone = self.shown(row)
        self.remove(row)
        return Response(gone)


class MessagingProfilesViewSet(MessagingRecords):
    """Profiles of either kind: plain lists; a row may also be named in the query or in the body (messaging spec §4)."""

    rights: ClassVar[Mapping[str, str | Sequence[str]]] = {"update_named": "change", "destroy_named": "delete"}

    def named(self) -> dict[str, Any]:
        if "uuid" not in self.kwargs and (text := self.uuid_elsewhere()) is not None:
            self.kwargs["uuid"] = text
        if "uuid" not in self.kwargs:
            raise ValidationError({"uuid": "Say which one: in the path, as ?uuid= or in the body."})
        return super().named()

    def uuid_elsewhere(self) -> str | None:
        """The UUID in the query or in the body, for the URLs that the document prints without."""
        if not settings.MESSAGING_UUID_ANYWHERE:
            return None
        text = self.request.query_params.get("uuid")
        if text is None and self.request.method != "GET" and isinstance(self.request.data, Mapping):
            text = self.request.data.get("uuid")
        return text if text is None or isinstance(text, str) else ""

    @extend_schema(parameters=[UUID_IN_QUERY])
    def list(self, request: Request, **named: Any) -> Response:
        return super().list(request) if self.uuid_elsewhere() is None else self.retrieve(request)

    @extend_schema(parameters=[UUID_IN_QUERY])
    def update_named(self, request: Request) -> Response:
        """As with the UUID in the path; here it stands in the query or in the body."""
        return self.partial_update(request)

    @extend_schema(parameters=[UUID_IN_QUERY])
    def destroy_named(self, request: Request) -> Response:
        """As with the UUID in the path; here it stands in the query or in the body."""
        return self.destroy(request)
