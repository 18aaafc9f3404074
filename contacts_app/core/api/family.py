"""The dialect of /api/v1: envelope, pages, errors and messages, in the shapes of the phone profiles API and its siblings
(phone profiles spec §2), and what the OpenAPI document says of them. A resource declares the rest.
"""

from collections.abc import Collection, Mapping
from typing import Any, ClassVar, cast

from django.db import IntegrityError, transaction
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.pagination import BasePagination
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from contacts_app.core.api.dialect import Conflict, Dialect, Unfit
from contacts_app.core.api.family_document import FamilySchema
from contacts_app.core.api.fields import Shape
from contacts_app.core.api.preconditions import Guarded
from contacts_app.core.api.rows import Rows
from contacts_app.core.api.view import Manages, OwnsOrManages, Utf8Renderer
from contacts_app.core.api.viewset import DialectViewSet
from contacts_app.core.errors import Refusal
from contacts_app.core.lists.total import DEEPEST

DEFAULT_LIMIT, MAX_LIMIT = 100, 1000
# Beyond what a database takes as an offset nothing can be.
MAX_OFFSET = 2**31 - 1
TOO_DEEP = (
    f"Offsets end at {DEEPEST}. Narrow the list down by its filters; phones can also be read on with "
    "after=, the MAC address of the last one there was."
)
MESSAGES = {
    "create": "{} created",
    "retrieve": "{} found",
    "update": "{} updated",
    "partial_update": "{} updated",
    "destroy": "{} deleted",
}


# Codes of errors that have none of their own.
CODES = {
    400: "invalid",
    403: "permission-denied",
    404: "not-found",
    422: "idempotency-key-reused",
    429: "throttled",
    500: "server-error",
    503: "unavailable",
}


class FamilyDialect(Dialect):
    """`{"success": false, "code": …, "message": …}`, and on 400 what is wrong with which field."""

    prefixes = ("/api/v1/",)
    content_type = "application/json; charset=utf-8"

    def error(
        self, status_code: int, message: str, fields: Mapping[str, list[str]], code: str = ""
    ) -> dict[str, object]:
        body: dict[str, Any] = {"success": False, "code": code or CODES.get(status_code, "error"), "message": message}
        if status_code == 400 and fields:
            body["errors"] = [{"field": field, "message": text} for field, texts in fields.items() for text in texts]
        return body


class Paging(Shape):
    limit = serializers.IntegerField(default=DEFAULT_LIMIT, min_value=1, max_value=MAX_LIMIT)
    offset = serializers.IntegerField(default=0, min_value=0, max_value=MAX_OFFSET)


class Pages(BasePagination):
    """`limit` and `offset`; where in the whole a page stands is the metadata of the answer."""

    metadata: dict[str, Any]

    def page_of(self, rows: Rows, request: Request, view: Any) -> list[Any]:
        limit, offset = self._asked(request)
        page, total = rows.window(limit, offset) if offset <= DEEPEST else ([], rows.total())
        self.metadata = {"total": total.number, "limit": limit, "offset": offset}
        if not total.is_exact:
            self.metadata["total_is_estimate"] = True
        if offset > DEEPEST and (not total.is_exact or offset < total.number):
            raise ValidationError({"offset": TOO_DEEP})
        return page

    def _asked(self, request: Request) -> tuple[int, int]:
        asked = request.query_params
        if asked.keys().isdisjoint(("limit", "offset")):
            return DEFAULT_LIMIT, 0
        paging = Paging(data=asked)
        paging.is_valid(raise_exception=True)
        return paging.validated_data["limit"], paging.validated_data["offset"]

    def get_schema_operation_parameters(self, view: object) -> list[dict[str, object]]:
        limit = {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT}
        offset = {"type": "integer", "minimum": 0, "maximum": MAX_OFFSET, "default": 0}
        return [
            {"in": "query", "name": name, "schema": schema} for name, schema in (("limit", limit), ("offset", offset))
        ]


class FamilyViewSet(DialectViewSet):
    """A resource of this dialect, unless it says otherwise for those who may do everything in their scope.

    `list_class`: what a list shows of a row, where that is less than the record. `messages`: what an action says when
    it succeeds, unless it sets `message`. `metadata`: None where the document shows no such member.
    For the OpenAPI document: `name_in_document` is that of a record, `descriptions` and `failures` are the actions'.
    """

    dialect = FamilyDialect()
    schema = FamilySchema()
    renderer_classes = [Utf8Renderer]
    permission_classes = [Manages]
    filter_backends = [DjangoFilterBackend]
    pagination_class: Any = Pages
    list_class: ClassVar[type[BaseSerializer[Any]] | None] = None
    messages: ClassVar[Mapping[str, str]] = {}
    message = ""
    metadata: Mapping[str, object] | None = {}
    name_in_document: ClassVar[str] = ""
    descriptions: ClassVar[Mapping[str, str]] = {}
    failures: ClassVar[Mapping[str, Collection[int]]] = {}

    def get_serializer_class(self) -> Any:
        return (self.action == "list" and self.list_class) or super().get_serializer_class()

    def asked(self, query: type[BaseSerializer[Any]]) -> dict[str, Any]:
        """The checked parameters of the query string."""
        asked = query(data=self.request.query_params)
        asked.is_valid(raise_exception=True)
        return dict(asked.validated_data)

    def get_paginated_response(self, data: object) -> Response:
        self.metadata = cast(Pages, self.paginator).metadata
        self.message = f"{self.metadata['total']} {self.thing.lower()}(s) found"
        return Response(data)

    def envelope(self, content: Any) -> dict[str, Any]:
        """Only those members that the document shows for the route."""
        message = self.message or {**MESSAGES, **self.messages}.get(self.action, "").format(self.thing)
        body = {"success": True} | ({"message": message} if message else {}) | {"data": content}
        return body if self.metadata is None else body | {"metadata": self.metadata}

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, Refusal):
            exc = Unfit(exc.fields, exc.code) if exc.fields else Conflict(exc.message, exc.code)
        return super().handle_exception(exc)


class ReadableByOwners(FamilyViewSet):
    """People of any level read what is their own; writing is for those who manage the account."""

    def get_permissions(self) -> list[BasePermission]:
        return [OwnsOrManages() if self.request.method in ("GET", "HEAD") else Manages()]


class FamilyResource(Guarded, FamilyViewSet):
    """Rows that can also be written. `named_by`: what an answer shows of a deleted row.

    `taken`: what a conflict says of a `row` that the database finds to be there already.
    """

    named_by: ClassVar[tuple[str, ...]] = ("uuid", "name")
    taken: ClassVar[str] = ""

    def sent(self, row: Any = None, body: Any = None) -> dict[str, Any]:
        return super().sent(None if row is None or row._state.adding else row, body)

    def refuse_nothing(self, serializer: Any) -> None:
        """An update that changes nothing known is a mistake of the sender (phone profiles spec §3)."""
        sent, fields = self.request.data, serializer.fields
        if isinstance(sent, Mapping) and all(fields[name].read_only for name in fields if name in sent):
            raise ValidationError("No known field to update")

    def store(self, row: Any, changed: Collection[str] | None) -> None:
        # Only what was sent: something else may be writing its part of the row at this moment.
        row.save(update_fields=None if changed is None else [*changed, "updated_at"])

    def save(self, row: Any, sent: dict[str, Any]) -> None:
        try:
            with transaction.atomic():
                super().save(row, sent)
        except IntegrityError:
            if not self.taken:
                raise
            raise Conflict(self.taken.format(row=row)) from None

    def update(self, request: Request, **named: str) -> Response:
        return self.partial_update(request, **named)

    def destroy(self, request: Request, **named: str) -> Response:
        row = self.removed()
        shown = self.shown(row)
        self.remove(row)
        return Response({name: str(shown[name]) for name in self.named_by})
