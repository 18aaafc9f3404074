"""A request's body that is a file, taken in pieces, and the tag of a content."""

from collections.abc import Iterator
from typing import IO, Any, cast

from django.http import HttpResponseBase, HttpResponseNotModified, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.utils.http import parse_etags
from rest_framework.exceptions import APIException, ParseError, UnsupportedMediaType
from rest_framework.parsers import BaseParser, MultiPartParser
from rest_framework.request import Request

from contacts_app.core.api.dialect import BodyTooLarge
from contacts_app.core.uploads import WholeBody
from phones_app.shared_files import store
from phones_app.shared_files.intake import LIMITS
from phones_app.shared_files.models import SharedFile
from phones_app.shared_files.sending import as_attachment, tag_of_content


class LengthRequired(APIException):
    status_code = 411
    default_detail = "The length of the file has to be announced: send a Content-Length."
    default_code = "length-required"


class FileParser(BaseParser):
    """The body as it is, whatever its media type; nothing of it is read yet."""

    media_type = "*/*"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        return stream


class WholeForm(MultiPartParser):
    """A form with files; of one whose sender has gone in the middle nothing is taken."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        body = WholeBody(stream, int(parser_context["request"].META.get("CONTENT_LENGTH") or 0))
        parsed = super().parse(cast("IO[bytes]", body), media_type, parser_context)
        try:
            body.ensure_whole()
        except MultiPartParserError as error:
            raise ParseError(str(error)) from None
        return parsed


def body_of(request: Request) -> Iterator[bytes]:
    """The body in pieces. Raises APIException for one that is too large, empty, or ends before its announced length."""
    if "chunked" in request.META.get("HTTP_TRANSFER_ENCODING", "").lower():
        # A server reads such a body before it knows how long it is.
        raise LengthRequired
    if (request.content_type or "").startswith("multipart/"):
        raise UnsupportedMediaType(request.content_type)
    announced = int(request.META.get("CONTENT_LENGTH") or 0)
    if announced > LIMITS.each:
        raise BodyTooLarge(f"The file is larger than {LIMITS.each} bytes.")
    if not announced:
        raise ParseError("The body is empty; it is to be the file.")
    return _pieces(request.data, announced)


def _pieces(stream: Any, announced: int) -> Iterator[bytes]:
    left = announced
    try:
        while left and (piece := stream.read(min(left, store.CHUNK))):
            left -= len(piece)
            yield piece
    except UnreadablePostError:
        pass
    if left:
        raise ParseError("The body ended before its announced length.")


def content_of(request: Request, row: SharedFile) -> HttpResponseBase:
    """The file to be downloaded, or a 304. Raises Refusal."""
    tag = tag_of_content(row)
    known = parse_etags(request.META.get("HTTP_IF_NONE_MATCH", ""))
    if known == ["*"] or tag in (one.removeprefix("W/") for one in known):
        return HttpResponseNotModified(headers={"ETag": tag})
    return as_attachment(row)
