"""The dialect of /api/2.0: errors as a list, JSON or 406, and what its views have in common."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpResponse
from rest_framework.exceptions import NotAcceptable, NotFound, PermissionDenied
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.request import Request
from rest_framework.response import Response

from contacts_app.accounts.api import AccountViewSet
from contacts_app.contacts.api.cookies import CookieAuthentication
from contacts_app.core.api.dialect import BoundedJSONParser, Dialect
from contacts_app.core.api.view import Manages, Utf8Renderer, parse_uuid
from contacts_app.core.errors import Refusal

ROOT = "/api/2.0/"
# `error_type` by status (notification contacts spec §6); other 4xx are about what was sent, 5xx about us.
ERROR_TYPES = {401: "permission", 403: "permission", 404: "notexist", 429: "concurrency", 503: "concurrency"}


def error_point(field: str) -> str | None:
    """The field's own name: the place of a record in a bulk is not part of it (notification contacts spec §6)."""
    names = [part for part in field.split(".") if not part.isdigit()]
    return names[-1] if names else None


class NotificationsDialect(Dialect):
    """`[{"error_message": …, "error_point": …, "error_type": …}]`: a list, also of one error."""

    prefixes = (ROOT,)
    tag = "notifications"
    content_type = "application/json; charset=utf-8"

    def error(
        self, status_code: int, message: str, fields: Mapping[str, list[str]], code: str = ""
    ) -> list[dict[str, object]]:
        kind = ERROR_TYPES.get(status_code, "backend" if status_code >= 500 else "validation")
        found = [(error_point(field), " ".join(texts)) for field, texts in fields.items()]
        return [
            {"error_message": text, "error_point": point, "error_type": kind}
            for point, text in found or [(None, message)]
        ]


class JsonOrRefusal(DefaultContentNegotiation):
    """Who asks for something else than JSON gets 406. `format=` beats the Accept header, the last one counts."""

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        asked = request.query_params.getlist("format")
        if asked and asked[-1] != "json":
            raise NotAcceptable("Only JSON is spoken here.")
        if asked or request.META.get("HTTP_ACCEPT", "*/*") == "*/*":
            return renderers[0], renderers[0].media_type
        return super().select_renderer(request, renderers, format_suffix)

    def get_accept_list(self, request: Request) -> list[str]:
        return (request.META.get("HTTP_ACCEPT") or "*/*").split(",")


class OneMebibyteOfJson(BoundedJSONParser):
    max_bytes = 1024 * 1024


class NotificationsViewSet(AccountViewSet):
    """A resource of this dialect, for those who may do everything in their scope."""

    dialect = NotificationsDialect()
    authentication_classes = [CookieAuthentication]
    renderer_classes = [Utf8Renderer]
    parser_classes = [OneMebibyteOfJson]
    content_negotiation_class = JsonOrRefusal
    permission_classes = [Manages]

    def get_authenticate_header(self, request: Request) -> str:
        # What the documented clients know to answer; any other credential is as good.
        return 'Basic realm="users"'

    def options(self, request: Request, *args: object, **kwargs: object) -> HttpResponse:  # type: ignore[override]
        """The methods, in the body as well as in `Allow`."""
        return HttpResponse(",".join(self.allowed_methods), content_type="text/plain; charset=utf-8")

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, Refusal):
            exc = PermissionDenied(exc.message)
        return super().handle_exception(exc)

    def named(self) -> dict[str, object]:
        """Anything that is not a UUID names no row either."""
        uuid = parse_uuid(self.kwargs["uuid"])
        if uuid is None:
            raise self.absent()
        return {"uuid": uuid}

    def absent(self) -> NotFound:
        return NotFound(f"Object with uuid {self.kwargs['uuid']} does not exist")
