"""Middleware for requests of every kind: an id for each, and answers to phones without headers for browsers."""

import re
from collections.abc import Callable
from uuid import uuid4

from django.http import HttpRequest, HttpResponse

GetResponse = Callable[[HttpRequest], HttpResponse]

PHONE_PAGES = "/cisco/services/"
PHONE_HEADERS = frozenset({"allow", "content-type", "content-length"})
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
