"""The dialect of /rest: credentials, envelope, errors, and what its resources share (messaging spec §2, §3)."""

from collections.abc import Collection, Mapping
from typing import Any, ClassVar
from uuid import UUID

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from contacts_app.api.authentication import CredentialAuthentication, authorization, in_query, x_auth_token
from contacts_app.api.dialect import Conflict, Dialect
from contacts_app.api.rights import Manages
from contacts_app.api.viewset import AccountViewSet, EditableViewSet
from contacts_app.models import Account
from contacts_app.services.errors import Refusal
from profiles_app.api.messaging.schema import UUID_IN_QUERY, MessagingSchema

# Every other refusal conflicts with the present state.
REFUSED_AS_ABSENT = ("no-sender", "other-account")


class MessagingAuthentication(CredentialAuthentication):
    """Credentials also come as query parameters, and `Authorization` counts first."""

    carriers = (authorization, x_auth_token, in_query("jwt"), in_query("bearer"))


class MessagingDialect(Dialect):
    """`{"success": false, "message": …, "status": …}`; the status is that of the answer."""

    prefixes = ("/rest/",)

    def error(self, status_code: int, message: str, fields: Mapping[str, list[str]]) -> dict[str, Any]:
        return {"success": False, "message": message, "status": status_code}


class MessagingViewSet(AccountViewSet):
    """A resource of this dialect, unless it says otherwise for those who may do everything in their scope.

    For the OpenAPI document: `name_in_document` is that of a record, `descriptions` are those of the usual actions,
    and `conflicts` the actions that may answer 409.
    """

    dialect = MessagingDialect()
    schema = MessagingSchema()
    authentication_classes = [MessagingAuthentication]
    permission_classes = [Manages]
    name_in_document: ClassVar[str] = ""
    descriptions: ClassVar[Mapping[str, str]] = {}
    conflicts: ClassVar[Collection[str]] = ()

    def envelope(self, content: Any) -> dict[str, Any]:
        return {"success": True, "payload": content}

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, Refusal):
            exc = NotFound(exc.message) if exc.code in REFUSED_AS_ABSENT else Conflict(exc.message)
        return super().handle_exception(exc)

    def created(self, content: Any) -> Response:
        return Response(content, settings.MESSAGING_CREATED_STATUS)

    def account_of(self, uuid: UUID) -> Account:
        """Tenants may name any account: it is their own that is meant."""
        return self.actor.account or super().account_of(uuid)


class ProfileViewSet(EditableViewSet, MessagingViewSet):
    """Profiles of either kind: plain lists, and rows that may also be named in the query or in the body (§4)."""

    def new(self) -> Any:
        return self.queryset.model(account=self.account_of_new())

    def get_object(self) -> Any:
        if "uuid" not in self.kwargs and (text := self.uuid_elsewhere()) is not None:
            self.kwargs["uuid"] = text
        if "uuid" not in self.kwargs:
            raise ValidationError({"uuid": "Say which one: in the path, as ?uuid= or in the body."})
        return super().get_object()

    def save(self, row: Any, sent: dict[str, Any]) -> None:
        """A body that says nothing changes nothing, the time of the last change included."""
        if sent:
            super().save(row, sent)

    def uuid_elsewhere(self) -> str | None:
        """The UUID in the query or in the body, for the URLs that the document prints without."""
        if not settings.MESSAGING_UUID_ANYWHERE:
            return None
        text = self.request.query_params.get("uuid")
        if text is None and self.request.method != "GET" and isinstance(self.request.data, Mapping):
            text = self.request.data.get("uuid")
        return text if text is None or isinstance(text, str) else ""

    @extend_schema(parameters=[UUID_IN_QUERY])
    def list(self, request: Request) -> Response:
        return super().list(request) if self.uuid_elsewhere() is None else self.retrieve(request)

    def create(self, request: Request) -> Response:
        row = self.new()
        self.save(row, self.sent(row))
        return self.created(self.shown(self.get_queryset().get(pk=row.pk)))

    def destroy(self, request: Request, **named: str) -> Response:
        """Delete a row; the answer shows it once more."""
        row = self.get_object()
        gone = self.shown(row)
        self.remove(row)
        return Response(gone)

    @extend_schema(parameters=[UUID_IN_QUERY])
    def update_named(self, request: Request) -> Response:
        """As with the UUID in the path; here it stands in the query or in the body."""
        return self.partial_update(request)

    @extend_schema(parameters=[UUID_IN_QUERY])
    def destroy_named(self, request: Request) -> Response:
        """As with the UUID in the path; here it stands in the query or in the body."""
        return self.destroy(request)
