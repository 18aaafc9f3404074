"""The short way past the middleware of pages for people, which programs and phones take: they bring no cookie, and what
they get is no page.

Each of these costs little, together they cost a third of a short answer. CSRF stays a matter of each view: those of
programs are exempt, and any other is still checked below these URLs too. Locked log-ins and logs are for everybody.
"""

from collections.abc import Callable
from copy import copy
from typing import Any, cast

from django.core.handlers.exception import convert_exception_to_response
from django.http import HttpRequest, HttpResponse

from config.proxies import PHONE_PAGES

GetResponse = Callable[[HttpRequest], HttpResponse]

PROGRAMS = ("/api/v1/", "/api/2.0/", "/backend/", "/emservice/", "/rest/", "/v4/", *PHONE_PAGES, "/healthz")
# By the names under which MIDDLEWARE has them.
OF_PAGES = {
    "config.middleware.PeopleTimeZones",
    "config.middleware.PortalCookies",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
}
# Should a browser show such an answer as a page all the same.
NOTHING = "default-src 'none'; frame-ancestors 'none'"


def short_way(get_response: GetResponse) -> GetResponse:
    """For a place before all of them."""
    short = _without_pages(get_response)

    def middleware(request: HttpRequest) -> HttpResponse:
        if not request.path.startswith(PROGRAMS):
            return get_response(request)
        response = short(request)
        response.headers.setdefault("Content-Security-Policy", NOTHING)
        return response

    return middleware


def _without_pages(get_response: GetResponse) -> GetResponse:
    """The same chain of middleware without those of pages; Django puts a wrapper around each, and the handler last."""
    layer: Any = getattr(get_response, "__wrapped__", None)
    if not hasattr(layer, "get_response"):
        return get_response
    rest = _without_pages(layer.get_response)
    if f"{type(layer).__module__}.{type(layer).__name__}" in OF_PAGES:
        return rest
    shortened = copy(layer)
    shortened.get_response = rest
    return cast(GetResponse, convert_exception_to_response(shortened))
