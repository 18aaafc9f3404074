"""Any credential of Patchbay -> the actor behind it, for every dialect that can carry it.

Bearer (API token or access token of a login), `X-Auth-Token` (the same two) and Basic (people). A credential that is
present and not good is refused; no credential is no actor.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable
from typing import ClassVar

from django.conf import settings
from django.contrib.auth import authenticate
from django.core.cache import cache
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.request import Request

from contacts_app.models import User
from contacts_app.services.actor import Actor, person, program
from contacts_app.services.login import TokenRefused, session_of
from contacts_app.services.token import PREFIX, find_token

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
# Checking a password costs a deliberately slow hash; a verified one is remembered this long (seconds).
BASIC_REMEMBERED_SECONDS = 60


def client_address(request: Request) -> str:
    return str(request.META.get("REMOTE_ADDR", ""))


# Says how a credential came (in lower case) and what it is; None when it did not come this way.
Carrier = Callable[[Request], tuple[str, str] | None]


def authorization(request: Request) -> tuple[str, str] | None:
    header = request.META.get("HTTP_AUTHORIZATION", "")
    scheme, _, value = header.partition(" ")
    return (scheme.lower(), value.strip()) if header else None


def x_auth_token(request: Request) -> tuple[str, str] | None:
    token = request.META.get("HTTP_X_AUTH_TOKEN", "")
    return ("bearer", token.strip()) if token else None


def in_query(name: str) -> Carrier:
    """A token as a query parameter."""

    def carrier(request: Request) -> tuple[str, str] | None:
        token = request.query_params.get(name, "")
        return ("bearer", token.strip()) if token else None

    return carrier


class CredentialAuthentication(BaseAuthentication):
    """Sets request.user to an Actor. Read-only tokens may only read.

    Of several credentials the one of the first of `carriers` counts, alone.
    """

    carriers: ClassVar[tuple[Carrier, ...]] = (x_auth_token, authorization)

    def authenticate(self, request: Request) -> tuple[Actor, None] | None:
        found = next(filter(None, (carrier(request) for carrier in self.carriers)), None)
        if found is None:
            return None
        scheme, value = found
        if scheme == "bearer" and value:
            actor = self._bearer(request, value)
        elif scheme == "basic" and value:
            actor = self._basic(request, value)
        else:
            raise AuthenticationFailed("Unsupported or empty Authorization header")
        if actor.read_only and request.method not in SAFE_METHODS:
            raise PermissionDenied("This token may only read")
        return actor, None

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="api"'

    def _bearer(self, request: Request, text: str) -> Actor:
        if text.startswith(f"{PREFIX}_"):
            if token := find_token(text, client_address(request)):
                return program(token)
            raise AuthenticationFailed("Invalid, expired or revoked token")
        try:
            session, _ = session_of(text, "access")
        except TokenRefused as refused:
            raise AuthenticationFailed(str(refused)) from None
        return person(session.user, "rest", str(session.uuid))

    def _basic(self, request: Request, encoded: str) -> Actor:
        try:
            name, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            raise AuthenticationFailed("Malformed Basic credentials") from None
        user = self._remembered(encoded)
        if user is None:
            # The address is part of axes' lockout, so the underlying Django request goes along.
            user = authenticate(request=request._request, username=name, password=password)
            if not isinstance(user, User):
                raise AuthenticationFailed("Invalid credentials")
            cache.set(_basic_key(encoded), (user.pk, user.password), BASIC_REMEMBERED_SECONDS)
        return person(user, "rest")

    def _remembered(self, encoded: str) -> User | None:
        known = cache.get(_basic_key(encoded))
        if known is None:
            return None
        user = (
            User.objects.select_related("account")
            .filter(pk=known[0], password=known[1], is_active=True)
            .first()
        )
        return user if user and (user.account is None or user.account.is_active) else None


def _basic_key(encoded: str) -> str:
    return "basic:" + hmac.new(settings.SECRET_KEY.encode(), encoded.encode(), hashlib.sha256).hexdigest()
