"""Errors that no view answers: JSON in the dialect's own words on API URLs, the portal's pages on its own, Django's plain
ones elsewhere.
"""

import sys
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.loader import render_to_string
from django.views import csrf, defaults

from config.middleware import PORTAL
from contacts_app.core.api.dialect import Unavailable, plain_error
from contacts_app.core.database import RETRY_AFTER, passes_by
from profiles_app.myaccount.portal.gate import turned_away


def _answer(status: int, message: str, plain: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    return lambda request, *args, **kwargs: plain_error(request, status, message) or plain(request, *args, **kwargs)


bad_request = _answer(400, "Bad request", defaults.bad_request)
forbidden = _answer(403, "Forbidden", defaults.permission_denied)
not_found = _answer(404, "Not found", defaults.page_not_found)
_broken = _answer(500, "Internal server error", defaults.server_error)


def server_error(request: HttpRequest) -> HttpResponse:
    """500, but 503 where the error passes by itself, whether it came up in a view or around it."""
    if not passes_by(sys.exc_info()[1]):
        return _broken(request)
    told = plain_error(request, Unavailable.status_code, Unavailable.default_detail)
    # Without the request: what knows its user would ask the database.
    response = told or HttpResponse(render_to_string("503.html"), status=Unavailable.status_code)
    response["Retry-After"] = str(RETRY_AFTER)
    return response


def locked_out(request: HttpRequest, *_: object) -> HttpResponseBase:
    """Too many wrong passwords, over whichever log-in (django-axes)."""
    message = "Too many failed logins; try again later"
    answer = plain_error(request, 429, message) or _in_portal(request, 429)
    answer = answer or HttpResponse(message, status=429, content_type="text/plain")
    answer["Retry-After"] = str(int(settings.AXES_COOLOFF_TIME.total_seconds()))
    return answer


def not_from_here(request: HttpRequest, reason: str = "") -> HttpResponseBase:
    """A form that lacks the token of its page, as after a log-in in another window."""
    return _in_portal(request, 403, "csrf") or csrf.csrf_failure(request, reason)


def _in_portal(request: HttpRequest, status: int, why: str = "") -> HttpResponseBase | None:
    return turned_away(request, status, why) if request.path.startswith(PORTAL) else None
