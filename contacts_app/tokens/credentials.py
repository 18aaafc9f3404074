"""The credentials that people and tokens bring to the APIs: what each looks like and whom it stands for."""

import base64
import binascii
import hashlib
import hmac

from django.conf import settings
from django.contrib.auth import authenticate
from django.core.cache import cache
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from contacts_app.core.actor import Actor
from contacts_app.core.api.authentication import client_address
from contacts_app.people.login import TokenRefused, session_of
from contacts_app.people.models import User
from contacts_app.tokens.services import PREFIX, find_token

# Checking a password costs a deliberately slow hash; a verified one is remembered this long (seconds).
BASIC_REMEMBERED_SECONDS = 60


def api_token(request: Request, text: str) -> Actor | None:
    if not text.startswith(f"{PREFIX}_"):
        return None
    if token := find_token(text, client_address(request)):
        return token.as_actor()
    raise AuthenticationFailed("Invalid, expired or revoked token")


def login_session(request: Request, text: str) -> Actor:
    try:
        session, _ = session_of(text, "access")
    except TokenRefused as refused:
        raise AuthenticationFailed(str(refused)) from None
    return session.user.as_actor("rest", str(session.uuid))


def password(request: Request, encoded: str) -> Actor:
    try:
        name, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise AuthenticationFailed("Malformed Basic credentials") from None
    user = _remembered(encoded)
    if user is None:
        # The address is part of axes' lockout, so the underlying Django request goes along.
        user = authenticate(request=request._request, username=name, password=secret)
        if not isinstance(user, User):
            raise AuthenticationFailed("Invalid credentials")
        cache.set(_basic_key(encoded), (user.pk, user.password), BASIC_REMEMBERED_SECONDS)
    return user.as_actor("rest")


def _remembered(encoded: str) -> User | None:
    known = cache.get(_basic_key(encoded))
    if known is None:
        return None
    user = (
        User.objects.select_related("account").filter(pk=known[0], password=known[1], is_active=True).first()
    )
    return user if user and (user.account is None or user.account.is_active) else None


def _basic_key(encoded: str) -> str:
    return "basic:" + hmac.new(settings.SECRET_KEY.encode(), encoded.encode(), hashlib.sha256).hexdigest()
