"""Errors that no view answers: JSON in the dialect's own words on API URLs, Django's plain pages elsewhere."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views import defaults

from contacts_app.core.api.dialect import plain_error


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return plain_error(request, 400, "Bad request") or defaults.bad_request(request, exception)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return plain_error(request, 403, "Forbidden") or defaults.permission_denied(request, exception)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return plain_error(request, 404, "Not found") or defaults.page_not_found(request, exception)


def locked_out(request: HttpRequest, *_: Any) -> HttpResponse:
    """Too many wrong passwords, by whatever way they came (django-axes)."""
    message = "Too many failed logins; try again later"
    return plain_error(request, 429, message) or HttpResponse(message, status=429, content_type="text/plain")


def server_error(request: HttpRequest, *_: Any) -> HttpResponse:
    return plain_error(request, 500, "Internal server error") or defaults.server_error(request)
