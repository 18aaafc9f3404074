"""The middleware of pages for people: what programs and phones ask, which bring no cookie, goes past it.

Each of them costs little, together they cost a tenth of a phone's question. CSRF stays a matter of each view: those of
programs are exempt, and any other is still checked below these URLs too.
"""

from collections.abc import Awaitable

from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.csrf import CsrfViewMiddleware
from django.utils.deprecation import MiddlewareMixin

from config.proxies import PHONE_PAGES

PROGRAMS = ("/api/v1/", "/api/2.0/", "/backend/", "/emservice/", "/rest/", "/v4/", *PHONE_PAGES, "/healthz")


class OfPages(MiddlewareMixin):
    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        return self.get_response(request) if request.path.startswith(PROGRAMS) else super().__call__(request)


class Sessions(OfPages, SessionMiddleware):
    pass


class CsrfCookie(OfPages, CsrfViewMiddleware):
    pass


class Logins(OfPages, AuthenticationMiddleware):
    pass


class Messages(OfPages, MessageMiddleware):
    pass
