"""Answers to phones carry no headers for browsers: 69xx phones fail on some (Cisco phones spec §1.5)."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

PREFIX = "/cisco/services/"
KEPT = frozenset({"allow", "content-type", "content-length"})


def bare_answers(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """A middleware for the outermost place, where the others have added what they add."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if request.path.startswith(PREFIX):
            response.cookies.clear()
            for name in [name for name in response.headers if name.lower() not in KEPT]:
                del response.headers[name]
        return response

    return middleware
