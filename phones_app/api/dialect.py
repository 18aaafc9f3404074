"""The dialect of the phone family, /api/v1: envelopes, errors, and what all its views have in common.

The shapes are those of the phone profiles API and its siblings (phone profiles spec §2).
"""

from collections.abc import Mapping
from typing import Any, TypeVar, cast
from uuid import UUID

from django.db.models import Model, QuerySet
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer
from rest_framework.views import APIView

from contacts_app.api.dialect import Conflict, Dialect
from contacts_app.services.actor import Actor
from phones_app.api.rights import Manages
from phones_app.services.errors import ProfileRefused, Refusal, describe

M = TypeVar("M", bound=Model)


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


class Utf8Renderer(JSONRenderer):
    """JSON that names its character set, as the document's server does."""

    charset = "utf-8"


class JsonAlone(DefaultContentNegotiation):
    """There is JSON only, so neither an Accept header nor `?format=` can be wrong."""

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        return renderers[0], renderers[0].media_type


class PhoneFamilyView(APIView):
    """A view of this dialect, unless it says otherwise for those who may do everything in their scope."""

    dialect = PhoneDialect()
    renderer_classes = [Utf8Renderer]
    content_negotiation_class = JsonAlone
    permission_classes = [Manages]
    metadata_class = None

    @property
    def actor(self) -> Actor:
        """Who asks; the one authentication of Patchbay puts no other kind of user there."""
        return cast(Actor, self.request.user)

    def initialize_request(self, request: Any, *args: Any, **kwargs: Any) -> Request:
        # A charset in the request's Content-Type would be used for the query string too, whatever it is.
        request.encoding = "utf-8"
        return super().initialize_request(request, *args, **kwargs)

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, ProfileRefused):
            exc = ValidationError({"cnf_xml": [describe(finding) for finding in exc.findings]})
        elif isinstance(exc, Refusal):
            exc = Conflict(exc.message)
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


def uuid_in_url(text: str, name: str = "uuid") -> UUID:
    """The UUID that a URL names, in its usual spelling and any case; anything else is a 400."""
    try:
        uuid = UUID(text)
    except ValueError:
        uuid = None
    if uuid is None or str(uuid) != text.lower():
        raise ValidationError({name: "Must be a UUID."})
    return uuid


def find(rows: "QuerySet[M]", thing: str, **lookup: Any) -> M:
    """The one row, or a 404 that says what was not found. Rows of other tenants are not among `rows`."""
    row = rows.filter(**lookup).first()
    if row is None:
        raise NotFound(f"{thing} not found")
    return row


def check_has_known_field(body: Any, record: Serializer[Any]) -> None:
    """An update that changes nothing known is a mistake of the sender (phone profiles spec §3)."""
    writable = {name for name, field in record.fields.items() if not field.read_only}
    if isinstance(body, Mapping) and writable.isdisjoint(body):
        raise ValidationError("No known field to update")
