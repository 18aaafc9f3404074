"""The dialect of the events integration, /v4: its rate limits and errors, who may use which URL, the base of its views.

The limits are those of the provider (events spec §6), and off unless ops want them.
"""

import math
import time
from collections.abc import Mapping
from typing import Any, NamedTuple

from django.conf import settings
from django.core.exceptions import ObjectDoesNotExist
from django.core.exceptions import ValidationError as DjangoValidationError
from django.utils import timezone
from rest_framework import exceptions
from rest_framework.exceptions import ErrorDetail, Throttled
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle

from contacts_app.accounts.models import Account, Extension
from contacts_app.core.actor import Actor
from contacts_app.core.api.authentication import client_address
from contacts_app.core.api.dialect import BoundedJSONParser, Conflict, Dialect
from contacts_app.core.api.throttling import RateOfCredential, over_limit
from contacts_app.core.api.view import DialectView
from contacts_app.core.errors import Refusal
from profiles_app.events.models.setup import Level


class RequestLimit(NamedTuple):
    requests: int
    seconds: int
    per_endpoint: bool
    per_account: bool  # or else per address


RULES = (
    RequestLimit(30, 30, per_endpoint=True, per_account=True),
    RequestLimit(360, 30, per_endpoint=True, per_account=False),
    RequestLimit(120, 60, per_endpoint=False, per_account=True),
    RequestLimit(1440, 60, per_endpoint=False, per_account=False),
)


class RateLimited(Throttled):
    """`limits` stand in the error as `@rateLimit`."""

    def __init__(self, rule: RequestLimit, reset: int, wait: float) -> None:
        super().__init__(wait)
        self.detail = ErrorDetail("Too much requests", self.default_code)
        self.limits = {
            "RateLimit-Limit": rule.requests,
            "RateLimit-Remaining": 0,
            "RateLimit-Reset": reset,
            "Retry-After": math.ceil(wait),
        }


class RateLimits(BaseThrottle):
    """Counts requests in windows of time, in the cache: each process its own where the cache is not shared."""

    def allow_request(self, request: Request, view: Any) -> bool:
        if settings.EVENTS_RATE_LIMITS:
            endpoint = f"{view.basename}-{view.action or request.method}"
            for number, rule in enumerate(RULES):
                who = view.kwargs["voip_id"] if rule.per_account else client_address(request)
                what = endpoint if rule.per_endpoint else ""
                _count(rule, f"events-rate:{number}:{who}:{what}")
        return True


def _count(rule: RequestLimit, key: str) -> None:
    if (reset := over_limit(key, rule.requests, rule.seconds)) is not None:
        raise RateLimited(rule, int(reset), max(reset - time.time(), 1))


# What the API says whatever the reason is; the reason stands in `@details` or `fields`.
MESSAGES = {401: "Unauthorized", 403: "Forbidden", 404: "Not found", 422: "Validation failed"}
# Errors with `@code` and `@details`, and OAuth's words beside `@error` (events spec §6).
CODES = {401: "access_denied", 500: "server_error", 503: "temporarily_unavailable"}


class EventsDialect(Dialect):
    """`{"@error": {"@message", "@httpStatusCode", "@time", …}}` (events spec §6)."""

    prefixes = ("/v4/",)
    tag = "events"

    def error(self, status_code: int, message: str, fields: Mapping[str, list[str]], code: str = "") -> dict[str, Any]:
        error: dict[str, Any] = {
            "@message": MESSAGES.get(status_code, message),
            "@httpStatusCode": status_code,
            "@time": timezone.now().isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        }
        if status_code == 403:
            error["@details"] = message
        elif status_code == 409:
            error["@messages"] = [message]
        elif status_code == 422:
            error["fields"] = dict(fields)
        elif word := CODES.get(status_code):
            return self.oauth_error(error, word, message)
        return {"@error": error}

    def oauth_error(self, error: dict[str, Any], code: str, message: str) -> dict[str, Any]:
        described = error | {"@code": f"oauth2.{code}", "@details": message}
        return {"@error": described, "error": code, "error_description": message}


class Unprocessable(exceptions.ValidationError):
    status_code = 422


def level_of(actor: Actor, voip_id: int, extension_id: int | None) -> Level:
    """The account or extension that a URL names, if the actor may use the URL (events spec §3)."""
    is_let_in = actor.manages or actor.extension is not None
    if not is_let_in or (actor.account is not None and actor.account.voip_id != voip_id):
        raise exceptions.PermissionDenied
    if actor.extension is not None and actor.extension.number != extension_id:
        raise exceptions.PermissionDenied("This token is for its extension's URLs only.")
    account = actor.account or Account.objects.filter(voip_id=voip_id).first()
    if account is None:
        raise exceptions.NotFound
    if extension_id is None:
        return Level(account)
    extension = actor.extension or Extension.objects.filter(account=account, number=extension_id).first()
    if extension is None:
        raise exceptions.NotFound
    return Level(account, extension)


class ObjectParser(BoundedJSONParser):
    """Bodies are JSON objects, whatever is wrong inside them."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> dict[str, Any]:
        body = super().parse(stream, media_type, parser_context)
        if not isinstance(body, dict):
            raise exceptions.ParseError("The body must be a JSON object.")
        return body


class OpenView(DialectView):
    """A view of this dialect; what is wrong with a body is a 422, unless it is no JSON object at all."""

    dialect = EventsDialect()
    parser_classes = [ObjectParser]

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, DjangoValidationError):
            exc = Unprocessable(exc.message_dict)
        elif isinstance(exc, exceptions.ValidationError):
            exc = Unprocessable(exc.detail)
        elif isinstance(exc, Refusal):
            exc = Conflict(exc.message)
        elif isinstance(exc, ObjectDoesNotExist):
            exc = exceptions.NotFound()
        response = super().handle_exception(exc)
        if isinstance(exc, RateLimited):
            response.data["@error"]["@rateLimit"] = exc.limits
        return response


class EventsView(OpenView):
    """A view whose URL names an account or an extension of it."""

    throttle_classes = [RateOfCredential, RateLimits]
    level: Level

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        self.level = level_of(self.actor, kwargs["voip_id"], kwargs.get("extension_id"))
