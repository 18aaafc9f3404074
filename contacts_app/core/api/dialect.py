"""What the wire dialects have in common: bounded JSON bodies, and errors in each dialect's own words.

A dialect is a subclass of `Dialect` that says which URLs are its own and how it words an error; its views name it with
`dialect = …`. Errors outside any view (unknown URL, server error) find their dialect by the URL's prefix.
"""

import io
import math
from collections.abc import Mapping
from contextlib import suppress
from typing import IO, Any, ClassVar, cast

import orjson
import structlog
from django.conf import settings
from django.core.exceptions import PermissionDenied as DjangoPermissionDenied
from django.core.exceptions import RequestDataTooBig
from django.core.exceptions import ValidationError as DjangoValidationError
from django.db import DatabaseError, IntegrityError
from django.db import Error as AnyDatabaseError
from django.db.models import ProtectedError, RestrictedError
from django.http import Http404, HttpRequest, JsonResponse
from rest_framework import exceptions, status
from rest_framework.parsers import JSONParser
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response
from rest_framework.utils.encoders import JSONEncoder

from contacts_app.core.database import RETRY_AFTER, passes_by

log = structlog.get_logger(__name__)


class BodyTooLarge(exceptions.APIException):
    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_detail = "The request body is too large."
    default_code = "too-large"


class Unavailable(exceptions.APIException):
    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_detail = "The database is busy or being restarted; try again in a moment"
    default_code = "unavailable"
    # Becomes Retry-After.
    wait = RETRY_AFTER


class Conflict(exceptions.APIException):
    status_code = status.HTTP_409_CONFLICT
    default_detail = "The request conflicts with the present state."
    default_code = "conflict"


class Unfit(exceptions.ValidationError):
    """What was sent is refused by a service, for a reason that has a code."""

    def __init__(self, fields: Mapping[str, list[str]], code: str) -> None:
        super().__init__(dict(fields))
        self.code = code


class BoundedJSONParser(JSONParser):
    """JSON of a bounded size: Django's own limit does not hold for bodies that are read as a stream."""

    # None: API_BODY_MAX_BYTES. Some dialects document a limit of their own.
    max_bytes: ClassVar[int | None] = None

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        limit = self.max_bytes or settings.API_BODY_MAX_BYTES
        try:
            announced = int(parser_context["request"].META.get("CONTENT_LENGTH") or 0)
        except ValueError:
            announced = 0
        if announced > limit:
            raise BodyTooLarge(f"The request body is larger than {limit} bytes.")
        try:
            # JSON is UTF-8 (RFC 8259 §8.1), whatever the Content-Type names: some of Python's codecs unpack.
            utf_8 = {**parser_context, "encoding": "utf-8"}
            body = super().parse(cast(IO[Any], _Bounded(stream, limit)), media_type, utf_8)
            if not _is_text(body):
                raise exceptions.ParseError("JSON parse error - half of a surrogate pair")
            return body
        except RecursionError:
            raise exceptions.ParseError("JSON parse error - nested too deeply") from None


class Json(JSONRenderer):
    """The same text as DRF's, but for the spelling of a few characters, in a twentieth of the time."""

    def render(self, data: object, accepted_media_type: str | None = None, renderer_context: Any = None) -> bytes:
        # Indented for people who ask for it in a parameter of their media type, and numbers of any size.
        if data is not None and ";" not in (accepted_media_type or ""):
            with suppress(orjson.JSONEncodeError):
                return orjson.dumps(data, _otherwise, AS_DRF)
        text: bytes = super().render(data, accepted_media_type, renderer_context)
        return text


_otherwise = JSONEncoder().default
AS_DRF = orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_NON_STR_KEYS


def _is_text(value: object) -> bool:
    """Whether all strings in a JSON value can be written: it may escape half a character (RFC 8259 §8.2)."""
    if isinstance(value, str):
        return value.isascii() or value.encode("utf-8", "ignore").decode() == value
    if isinstance(value, dict):
        return all(_is_text(key) and _is_text(item) for key, item in value.items())
    return all(map(_is_text, value)) if isinstance(value, list) else True


class _Bounded(io.RawIOBase):
    """A stream that refuses to be read beyond a limit (a chunked body announces no length)."""

    def __init__(self, stream: Any, limit: int) -> None:
        super().__init__()
        self.stream, self.left = stream, limit

    def read(self, size: int = -1) -> bytes:
        content: bytes = self.stream.read(self.left + 1 if size < 0 else min(size, self.left + 1))
        self.left -= len(content)
        if self.left < 0:
            raise BodyTooLarge("The request body is too large.")
        return content


class Dialect:
    """One provider's way to speak: `prefixes` of its URLs and the body of its errors.

    `tag`: what the OpenAPI document gathers its operations under; empty: the first word of each URL.
    """

    prefixes: ClassVar[tuple[str, ...]] = ()
    tag: ClassVar[str] = ""
    content_type: ClassVar[str] = "application/json"

    def error(self, status_code: int, message: str, fields: Mapping[str, list[str]], code: str = "") -> Any:
        """The error body; `fields` maps the request's fields to what is wrong with them.

        `code` says in kebab case what is wrong, for programs; empty: no more than the status says.
        """
        raise NotImplementedError

    def response(
        self, status_code: int, message: str, fields: Mapping[str, list[str]] | None = None, code: str = ""
    ) -> Response:
        return Response(self.error(status_code, message, fields or {}, code), status=status_code)


def flatten(detail: object, path: str = "") -> dict[str, list[str]]:
    """DRF's nested error detail as {dotted field: messages}; errors of no field stand under ""."""
    if isinstance(detail, Mapping):
        found: dict[str, list[str]] = {}
        for key, value in detail.items():
            name = "" if key in ("non_field_errors", "__all__") else str(key)
            for field, messages in flatten(value, ".".join(part for part in (path, name) if part)).items():
                found.setdefault(field, []).extend(messages)
        return found
    if isinstance(detail, list) and any(isinstance(item, Mapping | list) for item in detail):
        found = {}
        for index, item in enumerate(detail):
            for field, messages in flatten(item, f"{path}.{index}" if path else str(index)).items():
                found.setdefault(field, []).extend(messages)
        return found
    return {path: [str(item) for item in detail] if isinstance(detail, list) else [str(detail)]}


# SQLSTATE of a foreign key and of a unique index that would not hold, and how SQLite says the same.
RACES = ("23503", "23505", "UNIQUE constraint failed", "FOREIGN KEY constraint failed")


def _lost_race(error: DatabaseError) -> exceptions.APIException | None:
    """What the database says when two requests that were both right came at once; None for everything else.

    Who asks alone hears the same from the check before, in better words. What a check constraint refuses is a
    mistake of ours.
    """
    if isinstance(error, IntegrityError):
        said = getattr(error.__cause__, "sqlstate", None) or str(error)
        if isinstance(error, ProtectedError | RestrictedError) or said.startswith(RACES):
            return Conflict("Somebody else changed or made the same thing at this moment")
        return None
    # Django's word for an UPDATE of a row that is no longer there (Model.save with update_fields).
    gone = type(error) is DatabaseError and "did not affect any rows" in str(error)
    return exceptions.NotFound("Somebody else deleted it at this moment") if gone else None


def error_response(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler: whatever went wrong, in the words of the view's dialect."""
    # The settings that DRF's views are made from name this module, so it cannot be the first to import them.
    from rest_framework.views import set_rollback

    dialect: Dialect = context["view"].dialect
    if isinstance(error, Http404):
        error = exceptions.NotFound()
    elif isinstance(error, DjangoPermissionDenied):
        error = exceptions.PermissionDenied(str(error) or None)
    elif isinstance(error, DatabaseError) and (lost := _lost_race(error)):
        error = lost
    elif isinstance(error, AnyDatabaseError) and passes_by(error):
        log.warning("the database went away", reason=str(error))
        error = Unavailable()
    elif isinstance(error, RequestDataTooBig):
        error = BodyTooLarge()
    elif isinstance(error, DjangoValidationError):
        error = exceptions.ValidationError(error.message_dict if hasattr(error, "error_dict") else error.messages)
    if not isinstance(error, exceptions.APIException):
        return None
    set_rollback()
    fields: dict[str, list[str]] = {}
    code: str = error.code if isinstance(error, Unfit) else getattr(error.detail, "code", "")
    if isinstance(error, exceptions.ValidationError):
        fields = flatten(error.detail)
        message = "; ".join(f"{field}: {text}" if field else text for field, texts in fields.items() for text in texts)
    else:
        message = str(error.detail)
    named = {field: texts for field, texts in fields.items() if field}
    response = dialect.response(error.status_code, message, named, code.replace("_", "-"))
    if header := getattr(error, "auth_header", None):
        response["WWW-Authenticate"] = header
    if wait := getattr(error, "wait", None):
        # In whole seconds (RFC 9110 §10.2.3), none of which is too few.
        response["Retry-After"] = str(max(1, math.ceil(wait)))
    return response


def dialect_of(path: str) -> Dialect | None:
    """The dialect whose URLs begin like this path."""
    for dialect in Dialect.__subclasses__():
        if path.startswith(dialect.prefixes):
            return dialect()
    return None


def plain_error(request: HttpRequest, status_code: int, message: str) -> JsonResponse | None:
    """An error outside any view, as JSON of the dialect that the URL belongs to; None where no dialect does."""
    if dialect := dialect_of(request.path):
        body = dialect.error(status_code, message, {})
        return JsonResponse(body, status=status_code, safe=False, content_type=dialect.content_type)
    return None
