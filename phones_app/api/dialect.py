"""The dialect of the phone family, /api/v1: envelopes, errors, and what all its views have in common.

The shapes are those of the phone profiles API and its siblings (phone profiles spec §2).
"""

from collections.abc import Mapping
from typing import Any

from rest_framework.exceptions import ValidationError
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from contacts_app.api.dialect import Conflict, Dialect
from contacts_app.api.rights import Manages
from contacts_app.api.view import DialectView, Utf8Renderer
from contacts_app.services.errors import Refusal


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
