"""One id for each request: it stands in every log line, and in the answer, where clients look for it."""

import re
from collections.abc import Callable
from uuid import uuid4

from django.http import HttpRequest, HttpResponse

# What a client or a proxy in front calls its request stays, as long as it cannot be mistaken for anything else.
KEPT = re.compile(r"[A-Za-z0-9-]{8,64}")


def name_requests(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """A middleware for a place before that of the logs, which read the id from the request's header."""

    def middleware(request: HttpRequest) -> HttpResponse:
        given = request.META.get("HTTP_X_REQUEST_ID", "")
        name = given if KEPT.fullmatch(given) else str(uuid4())
        request.META["HTTP_X_REQUEST_ID"] = name
        response = get_response(request)
        response["X-REQUEST-ID"] = name
        return response

    return middleware
