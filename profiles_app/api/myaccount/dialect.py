"""What the routes of this dialect have in common: its errors, its one way to authenticate, its view."""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import AuthenticationFailed, NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import set_rollback

from contacts_app.api.authentication import CredentialAuthentication, authorization
from contacts_app.api.dialect import Dialect
from contacts_app.api.rights import Manages
from contacts_app.api.rows import find
from contacts_app.api.viewset import DialectViewSet
from contacts_app.services.actor import Actor
from contacts_app.services.errors import Refusal
from profiles_app.api.myaccount.fields import NUMBER

CODES = {
    400: "bad_request",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    409: "conflict",
    413: "too_large",
    415: "unsupported_media_type",
    429: "too_many_requests",
}


class MyAccountDialect(Dialect):
    """`{"error": {"code": …, "message": …, "fields": {…}}}` (MyAccount spec §6)."""

    prefixes = ("/backend/api/v1/",)

    def error(self, status_code: int, message: str, fields: Mapping[str, list[str]]) -> dict[str, Any]:
        code = "validation" if status_code == 400 and fields else CODES.get(status_code, "error")
        return self.error_of(code, message, fields)

    def error_of(self, code: str, message: str, fields: Mapping[str, list[str]]) -> dict[str, Any]:
        return {"error": {"code": code, "message": message, "fields": dict(fields)}}


class BearerAuthentication(CredentialAuthentication):
    """`Authorization: Bearer …` alone: anything else is no credential here (MyAccount spec §6)."""

    carriers = (authorization,)

    def _basic(self, request: Request, encoded: str) -> Actor:
        raise AuthenticationFailed("This API takes Bearer keys only")

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = BearerAuthentication
    name = "key"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {"type": "http", "scheme": "bearer", "description": "API token, or access token of a login."}


@extend_schema(tags=["MyAccount profiles"])
class MyAccountViewSet(DialectViewSet):
    """A resource of this dialect, for those who may do everything in their scope. URLs name rows by their numbers."""

    dialect: MyAccountDialect = MyAccountDialect()  # type: ignore[misc]
    authentication_classes = [BearerAuthentication]
    permission_classes = [Manages]

    def get_object(self) -> Any:
        number = self.kwargs[self.lookup_url_kwarg or self.lookup_field]
        if not NUMBER.fullmatch(number):
            raise NotFound(f"{self.thing} not found")
        return find(self.get_queryset(), self.thing, **{self.lookup_field: int(number)})

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, Refusal):
            set_rollback()
            fields = {"name": [exc.message]} if exc.code == "duplicate_name" else {}
            return Response(self.dialect.error_of(exc.code, exc.message, fields), status=409)
        return super().handle_exception(exc)


class MyAccountProblem(serializers.Serializer[Any]):
    code = serializers.CharField()
    message = serializers.CharField()
    fields = serializers.DictField(  # type: ignore[assignment]
        child=serializers.ListField(child=serializers.CharField()),
        help_text="What is wrong with which member or parameter.",
    )


class MyAccountFailure(serializers.Serializer[Any]):
    error = MyAccountProblem()


def answers(status: int, shape: Any, *failures: int) -> dict[int, Any]:
    """All answers of a route: its success, and the failures that it knows besides 401 and 403."""
    return {status: shape, **dict.fromkeys((401, 403, *failures), MyAccountFailure)}
