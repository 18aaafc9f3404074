"""Middleware for requests of every kind: an id for each, whose work it is what they change, and answers to phones without
headers for browsers.
"""

import logging
import re
from collections.abc import Callable
from functools import partial
from time import perf_counter
from typing import cast
from uuid import uuid4

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django_structlog.middlewares import RequestMiddleware
from django_structlog.middlewares import request as request_log
from structlog.contextvars import bind_contextvars, clear_contextvars

from config.proxies import PHONE_PAGES
from contacts_app.core.actor import Actor
from contacts_app.core.history.authorship import Author, authored, one_line
from contacts_app.core.metrics import Timed
from contacts_app.people.models import User
from contacts_app.people.zones import zone_of_person

GetResponse = Callable[[HttpRequest], HttpResponse]

# `Refresh` and `Expires` are for the phone (mobility spec §4).
PHONE_HEADERS = frozenset({"allow", "content-type", "content-length", "expires", "refresh"})
REQUESTS = Timed(
    "patchbay_request_seconds",
    "How long requests took, by the API that they are of, and how they were answered (2xx to 5xx).",
    *("surface", "method", "answer"),
    buckets=(0.01, 0.05, 0.1, 0.5, 1, 5, 20),
)
ADMIN = "/admin/"
PORTAL = "/my-account/"
SURFACES = ("/api/v1/", "/api/2.0/", "/rest/", "/v4/", "/backend/", "/emservice/", ADMIN, PORTAL, *PHONE_PAGES)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
# Pages for people, by the namespaces of their URLs; all else is REST.
CHANNELS = {"admin": "admin", "portal": "portal"}
# Forms of the admin have a field for the reason, clients of the APIs a header.
REASON_FIELD = "_reason"
REASON_HEADER = "HTTP_X_CHANGE_REASON"
REQUEST_LOG = logging.getLogger(request_log.__name__)
# An id given by a client or a proxy stays, as long as it cannot be mistaken for anything else.
KEPT_ID = re.compile(r"[A-Za-z0-9-]{8,64}")


def bare_answers(get_response: GetResponse) -> GetResponse:
    """For the outermost place, after all others have added headers: 69xx phones fail on some (Cisco phones spec §1.5)."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if request.path.startswith(PHONE_PAGES):
            response.cookies.clear()
            for name in [name for name in response.headers if name.lower() not in PHONE_HEADERS]:
                del response.headers[name]
        return response

    return middleware


def time_requests(get_response: GetResponse) -> GetResponse:
    def middleware(request: HttpRequest) -> HttpResponse:
        began = perf_counter()
        response = get_response(request)
        surface = next((prefix for prefix in SURFACES if request.path.startswith(prefix)), "other")
        # Clients may make methods up, and each would be a number of its own for ever.
        method = request.method if request.method in METHODS else "other"
        REQUESTS.took(perf_counter() - began, surface, str(method), f"{response.status_code // 100}xx")
        return response

    return middleware


def name_requests(get_response: GetResponse) -> GetResponse:
    """For a place before that of the logs: they, and clients in their answers, read the request's id from its header."""

    def middleware(request: HttpRequest) -> HttpResponse:
        given = request.META.get("HTTP_X_REQUEST_ID", "")
        name = given if KEPT_ID.fullmatch(given) else str(uuid4())
        request.META["HTTP_X_REQUEST_ID"] = name
        response = get_response(request)
        response["X-REQUEST-ID"] = name
        return response

    return middleware


class RequestLog(RequestMiddleware):
    """What every line that is logged during a request says of it, and no more work where nothing is logged.

    A session is read only for those who bring one.
    """

    def __call__(self, request: HttpRequest) -> HttpResponse:
        self.prepare(request)
        response = cast(HttpResponse, self.get_response(request))
        self.handle_response(request, response)
        return response

    def prepare(self, request: HttpRequest) -> None:
        if REQUEST_LOG.isEnabledFor(logging.INFO):
            super().prepare(request)
        else:
            self.bind_ip(request)
            self.bind_user_id(request)
            bind_contextvars(request_id=request.META["HTTP_X_REQUEST_ID"])

    def handle_response(self, request: HttpRequest, response: HttpResponse) -> None:
        is_logged = REQUEST_LOG.isEnabledFor(self._log_level_for_status_code(response.status_code))
        if is_logged or response.streaming or hasattr(request, "_raised_exception"):
            super().handle_response(request, response)
        else:
            clear_contextvars()

    @classmethod
    def bind_ip(cls, request: HttpRequest) -> None:
        bind_contextvars(ip=request.META.get("REMOTE_ADDR"))

    @staticmethod
    def bind_user_id(request: HttpRequest) -> None:
        user = request.__dict__.get("user")
        if type(user) is Actor:
            bind_contextvars(user_id=user.pk)
        elif settings.SESSION_COOKIE_NAME in request.COOKIES:
            RequestMiddleware.bind_user_id(request)


class PortalCookies:
    """Give the self-service portal cookies of its own, for a place around that of sessions: its log-in is none of the
    admin, nor the other way round, and a browser can have both at once.
    """

    own = {name: f"portal_{name}" for name in (settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME, "messages")}

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path.startswith(PORTAL):
            return self.get_response(request)
        for name, portals in self.own.items():
            request.COOKIES.pop(name, None)
            if portals in request.COOKIES:
                request.COOKIES[name] = request.COOKIES[portals]
        response = self.get_response(request)
        for name, portals in self.own.items():
            if cookie := response.cookies.pop(name, None):
                cookie.set(portals, cookie.value, cookie.coded_value)
                cookie["path"] = PORTAL
                response.cookies[portals] = cookie
        return response


class PeopleTimeZones:
    """Show times of the admin in the time zone of the person who is logged in, and take them so from forms. For a place
    behind the log-in; pages are drawn on the way back through here.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path.startswith(ADMIN):
            return self.get_response(request)
        with timezone.override(zone_of_person(getattr(request, "user", None))):
            return self.get_response(request)


def know_authors(get_response: GetResponse) -> GetResponse:
    """Tell history, while a request lasts, whose work it is."""

    def middleware(request: HttpRequest) -> HttpResponse:
        with authored(partial(author_of, request)):
            return get_response(request)

    return middleware


def author_of(request: HttpRequest) -> Author:
    """Who that is stands in `request.user`: the admin's login puts a user there, that of the APIs an actor."""
    namespace = request.resolver_match.namespace if request.resolver_match else ""
    channel, in_admin = CHANNELS.get(namespace, "rest"), namespace == "admin"
    user = getattr(request, "user", None)
    actor = user if isinstance(user, Actor) else None
    if isinstance(user, User):
        actor = user.as_actor(channel)
    reason = request.META.get(REASON_HEADER, "").encode("latin-1", "replace").decode("utf-8", "replace")
    if in_admin and request.method == "POST":
        reason = request.POST.get(REASON_FIELD, "")
    return (actor or Actor("not logged in", channel)).as_author(
        request_id=request.META.get("HTTP_X_REQUEST_ID", ""), reason=one_line(reason)
    )
