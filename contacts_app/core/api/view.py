"""What the views of all wire dialects share: who asks, who may use a route (phone profiles spec §6), nothing but JSON,
the row that a URL names (malformed is 400, absent or another tenant's is 404), and a few fields.

Whose rows an actor sees is `Actor.sees`.
"""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any, ClassVar, TypeVar, cast
from uuid import UUID

from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponseNotModified
from django.utils.http import parse_etags
from rest_framework import serializers
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.fields import empty
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from contacts_app.core.actor import Actor
from contacts_app.core.api.dialect import Dialect, Json
from contacts_app.core.api.idempotency import Keeping, Replayed, begin
from contacts_app.core.api.made_once import MadeOnce
from contacts_app.core.api.rights import permissions_for, refuse_unless
from contacts_app.core.api.throttling import RateOfCredential
from contacts_app.core.values import one_line

# What a 304 says again (RFC 9110 §15.4.5).
KEPT = ("Cache-Control", "Vary")


def tag_of(content: bytes) -> str:
    """A strong entity tag: another content, another tag (RFC 9110 §8.8.1)."""
    return f'"{blake2b(content, digest_size=12).hexdigest()}"'


class JsonAlone(DefaultContentNegotiation):
    """There is JSON only, so neither an Accept header nor `?format=` can be wrong."""

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        return renderers[0], renderers[0].media_type


class Utf8Renderer(Json):
    """JSON that names its character set, as the servers of some documents do."""

    charset = "utf-8"


class DialectView(APIView):
    """A view that speaks its `dialect`, in errors too. `rights`: what actions need of staff (`core.api.rights`).

    `hurried`: actions that write and yet, as reads, take who asks from memory: a call waits for their answer.
    """

    dialect: ClassVar[Dialect]
    rights: ClassVar[Mapping[str, str | Sequence[str]]] = {}
    hurried: ClassVar[Sequence[str]] = ()
    content_negotiation_class: type[DefaultContentNegotiation] = JsonAlone
    metadata_class = None
    throttle_classes = [RateOfCredential]
    # What names the state of the record that is answered; empty: all of the answer does.
    tag = ""
    keeping: Keeping | None = None

    @property
    def actor(self) -> Actor:
        """Who asks; the one authentication of Patchbay puts no other kind of user there."""
        return cast(Actor, self.request.user)

    def model(self) -> type[Model] | None:
        """What the verbs of `rights` are about."""
        queryset = getattr(self, "queryset", None)
        return None if queryset is None else queryset.model

    def check_permissions(self, request: Request) -> None:
        super().check_permissions(request)
        # A method that there is not is answered as such.
        action, actions = getattr(self, "action", None), getattr(self, "action_map", {})
        if request.user and action in actions.values():
            kind: Any = type(self)
            refuse_unless(self.actor, permissions_for(kind, action, self.model()))

    def initialize_request(self, request: HttpRequest, *args: object, **kwargs: object) -> Request:
        # A charset in the request's Content-Type would be used for the query string too, whatever it is. Without one it
        # is UTF-8, and saying so has the query string read once more.
        if request.encoding:
            request.encoding = "utf-8"
        return super().initialize_request(request, *args, **kwargs)

    def initial(self, request: Request, *args: object, **kwargs: object) -> None:
        super().initial(request, *args, **kwargs)
        if request.method == "POST":
            self.keeping = begin(request, self)

    def handle_exception(self, exc: Exception) -> Response:
        # What is kept is the bytes of an answer, which need no rendering any more.
        return cast(Response, exc.response()) if isinstance(exc, Replayed) else super().handle_exception(exc)

    def finalize_response(self, request: Request, response: Any, *args: object, **kwargs: object) -> Any:
        """An answer to a read names its state, and is left out for those who have it (RFC 9110 §13.1.2)."""
        response = super().finalize_response(request, response, *args, **kwargs)
        if request.method not in ("GET", "HEAD"):
            if self.tag:
                response["ETag"] = self.tag
            if self.keeping is not None:
                self.keeping.end(response)
            return response
        if response.status_code != 200 or not isinstance(response, Response):
            return response
        tag = self.tag or tag_of(response.render().content)
        known = parse_etags(request.META.get("HTTP_IF_NONE_MATCH", ""))
        if known == ["*"] or tag in (one.removeprefix("W/") for one in known):
            response = HttpResponseNotModified(headers={name: response[name] for name in KEPT if name in response})
        response["ETag"] = tag
        return response


class LoggedIn(BasePermission):
    """Any credential."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        return bool(request.user)


class Manages(LoggedIn):
    """Level 0: everything in its scope. A token of one extension has no part in phones and profiles."""

    message = "This needs permission level 0"

    def has_permission(self, request: Request, view: APIView) -> bool:
        return super().has_permission(request, view) and cast(Actor, request.user).manages


class OwnsOrManages(LoggedIn):
    """People of any level; the view narrows what they get to their own."""

    message = "This token has no phone profiles"

    def has_permission(self, request: Request, view: APIView) -> bool:
        actor = cast(Actor, request.user)
        return super().has_permission(request, view) and (actor.manages or actor.user is not None)


M = TypeVar("M", bound=Model)


def parse_uuid(text: str) -> UUID | None:
    """A UUID in its usual spelling and any case; None for anything else."""
    try:
        uuid = UUID(text)
    except ValueError:
        return None
    return uuid if str(uuid) == text.lower() else None


def uuid_in_url(text: str, name: str = "uuid") -> UUID:
    """The UUID that a URL names; anything else is a 400."""
    uuid = parse_uuid(text)
    if uuid is None:
        raise ValidationError({name: "Must be a UUID."})
    return uuid


def find(rows: "QuerySet[M]", thing: str, **lookup: object) -> M:
    """The one row, or a 404 that says what was not found. Rows of other tenants are not among `rows`."""
    row = rows.filter(**lookup).first()
    if row is None:
        raise NotFound(f"{thing} not found")
    return row


class Instant(serializers.DateTimeField):
    """ISO 8601 in UTC with milliseconds and `Z` (phone profiles spec §3, messaging spec §3)."""

    def to_representation(self, value: datetime | None) -> str | None:  # type: ignore[override]
        if value is None:
            return None
        return value.astimezone(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


class Text(serializers.CharField):
    """A line, and nothing that could be made one; null is the empty string, unless null is allowed."""

    is_one_line: ClassVar[bool] = True

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if self.is_one_line and one_line not in self.validators:
            self.validators.append(one_line)

    def run_validation(self, data: object = empty) -> Any:
        # Here, so that it is refused wherever the empty string is.
        text: str | None = super().run_validation("" if data is None and not self.allow_null else data)
        return text

    def to_internal_value(self, data: object) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return str(super().to_internal_value(data))


class LongText(Text):
    """A text of any number of lines."""

    is_one_line = False


class Truth(serializers.BooleanField):
    """true or false, and nothing that could be made one."""

    def to_internal_value(self, data: object) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class Record(MadeOnce):
    # Members whose names no attribute can have, such as `:tags` and `from`.
    odd: ClassVar[Mapping[str, serializers.Field[Any, Any, Any, Any]]] = {}

    def get_fields(self) -> dict[str, Any]:
        return {**super().get_fields(), **deepcopy(self.odd)}
