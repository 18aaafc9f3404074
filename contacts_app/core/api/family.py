"""The dialect of the phone family, /api/v1: envelopes, errors, and what all its views have in common.

The shapes are those of the phone profiles API and its siblings (phone profiles spec §2).

`limit` and `offset` of the lists that can grow long, with the total in the answer's metadata.

What the OpenAPI document says of the phone family: envelopes, errors, and the ways to authenticate.
"""

from collections.abc import Mapping
from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.utils import OpenApiParameter, inline_serializer
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from contacts_app.core.api.dialect import Conflict, Dialect
from contacts_app.core.api.view import DialectView, Manages, Utf8Renderer
from contacts_app.core.errors import Refusal
from contacts_app.core.lists.total import DEEPEST, of_keys, total_of
from phones_app.inventory.api.fields import Shape


class PhoneDialect(Dialect):
    """`{"success": false, "message": …}`, and on 400 what is wrong with which field."""

    prefixes = ("/api/v1/",)
    content_type = "application/json; charset=utf-8"

    def error(self, status_code: int, message: str, fields: Mapping[str, list[str]]) -> dict[str, Any]:
        body: dict[str, Any] = {"success": False, "message": message}
        if status_code == 400 and fields:
            body["errors"] = [
                {"field": field, "message": text} for field, texts in fields.items() for text in texts
            ]
        return body


class PhoneFamilyView(DialectView):
    """A view of this dialect, unless it says otherwise for those who may do everything in their scope."""

    dialect = PhoneDialect()
    renderer_classes = [Utf8Renderer]
    permission_classes = [Manages]

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, Refusal):
            exc = ValidationError(exc.fields) if exc.fields else Conflict(exc.message)
        return super().handle_exception(exc)


def answer(
    data: Any, message: str = "", *, status: int = 200, metadata: Mapping[str, Any] | None = None
) -> Response:
    """The envelope of success, with only those members that the document shows for the route."""
    body: dict[str, Any] = {"success": True}
    if message:
        body["message"] = message
    body["data"] = data
    if metadata is not None:
        body["metadata"] = metadata
    return Response(body, status=status)


def check_has_known_field(body: Any, record: Serializer[Any]) -> None:
    """An update that changes nothing known is a mistake of the sender (phone profiles spec §3)."""
    writable = {name for name, field in record.fields.items() if not field.read_only}
    if isinstance(body, Mapping) and writable.isdisjoint(body):
        raise ValidationError("No known field to update")


DEFAULT_LIMIT, MAX_LIMIT = 100, 1000
# Beyond what a database takes as an offset nothing can be.
MAX_OFFSET = 2**31 - 1

TOO_DEEP = (
    f"Offsets end at {DEEPEST}. Narrow the list down by its filters; phones can also be read on with "
    "after=, the MAC address of the last one there was."
)

M = TypeVar("M", bound=Model)


class Paging(Shape):
    limit = serializers.IntegerField(default=DEFAULT_LIMIT, min_value=1, max_value=MAX_LIMIT)
    offset = serializers.IntegerField(default=0, min_value=0, max_value=MAX_OFFSET)


PAGING = [
    OpenApiParameter(
        "limit", {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT}
    ),
    OpenApiParameter("offset", {"type": "integer", "minimum": 0, "maximum": MAX_OFFSET, "default": 0}),
]


def page(request: Request, rows: "QuerySet[M]") -> tuple[list[M], dict[str, Any]]:
    """The asked-for rows and the metadata that says where in the whole they stand."""
    paging = Paging(data=request.query_params)
    paging.is_valid(raise_exception=True)
    limit, offset = paging.validated_data["limit"], paging.validated_data["offset"]
    total = total_of(rows)
    metadata: dict[str, Any] = {"total": total.number, "limit": limit, "offset": offset}
    if not total.is_exact:
        metadata["total_is_estimate"] = True
    if total.is_exact and offset >= total.number:
        return [], metadata
    if offset > DEEPEST:
        raise ValidationError({"offset": TOO_DEEP})
    rows = total.narrow(rows)
    if not offset and total.is_exact:
        return list(rows[:limit]), metadata
    # What is skipped, or sorted out, on the way to the page need not be joined.
    keys = list(rows.values_list("pk", flat=True)[offset : offset + limit])
    return list(of_keys(rows, keys)), metadata


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

    target_class = "contacts_app.core.api.authentication.CredentialAuthentication"
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
