"""The credentials that people and programs bring to the APIs, and OAuth's token endpoint, which hands out new ones.

A client of OAuth is an API token: its key id is the `client_id`, its secret the `client_secret` (events spec §3).
"""

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.core.cache import cache
from django.utils import timezone
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from contacts_app.core.actor import Actor
from contacts_app.core.api.authentication import client_address
from contacts_app.people.login import (
    LoginTokens,
    PasswordRefused,
    TokenRefused,
    open_session,
    person_by_password,
    refresh_session,
    session_of,
)
from contacts_app.people.models import LoginSession, User
from contacts_app.people.second_factor import by_password_alone
from contacts_app.tokens.models import PREFIX, ApiToken
from contacts_app.tokens.services import create_token

# Checking a password costs a deliberately slow hash; a verified one is remembered this long (seconds).
BASIC_REMEMBERED_SECONDS = 60


def api_token(request: Request, text: str) -> Actor | None:
    if not text.startswith(f"{PREFIX}_"):
        return None
    if token := ApiToken.objects.find(text, client_address(request)):
        return token.as_actor()
    raise AuthenticationFailed("Invalid, expired or revoked token")


def login_session(request: Request, text: str) -> Actor:
    return _of_session(text, "access")


def cookie_session(request: Request, text: str) -> Actor:
    return _of_session(text, "cookie")


def _of_session(text: str, kind: str) -> Actor:
    try:
        session, claims = session_of(text, kind)
    except TokenRefused as refused:
        raise AuthenticationFailed(str(refused)) from None
    ends = min(session.expires_at, datetime.fromtimestamp(claims["exp"], UTC))
    return session.user.as_actor("rest", str(session.uuid), ends)


def password(request: Request, encoded: str) -> Actor:
    try:
        name, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise AuthenticationFailed("Malformed Basic credentials") from None
    user = _remembered(encoded)
    if user is None:
        try:
            user = person_by_password(request._request, username=name, password=secret)
        except PasswordRefused as refused:
            raise AuthenticationFailed(str(refused)) from None
        cache.set(_basic_key(encoded), (user.pk, user.password), BASIC_REMEMBERED_SECONDS)
    return user.as_actor("rest")


def _remembered(encoded: str) -> User | None:
    known = cache.get(_basic_key(encoded))
    if known is None:
        return None
    people = by_password_alone(User.objects.select_related("account"))
    user = people.filter(pk=known[0], password=known[1], is_active=True).first()
    return user if user and (user.account is None or user.account.is_active) else None


def _basic_key(encoded: str) -> str:
    return "basic:" + hmac.new(settings.SECRET_KEY.encode(), encoded.encode(), hashlib.sha256).hexdigest()


ACCOUNT_OWNER, EXTENSION_USER = "account-owner", "extension-user"


class GrantRefused(Exception):
    """`code` is one of OAuth's words (RFC 6749 §5.2)."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True)
class Grant:
    """What the token endpoint answers. `actor` is who will come with the access token."""

    actor: Actor
    access_token: str
    refresh_token: str | None
    expires_in: int


def client_of(client_id: str, client_secret: str, address: str) -> ApiToken:
    """The API token whose credentials these are; its whole text is taken for the secret too. Raises GrantRefused."""
    whole = client_secret.startswith(f"{PREFIX}_")
    client = ApiToken.objects.find(client_secret if whole else f"{PREFIX}_{client_id}_{client_secret}", address)
    if client is None or client.key_id != client_id or client.parent_id is not None:
        raise GrantRefused("invalid_client", "Unknown client or wrong secret")
    return client


def grant_to_client(client: ApiToken, scope: str = "") -> Grant:
    """An access token with the client's own rights, which dies with the client. Raises GrantRefused."""
    _require_scope(client.as_actor(), scope)
    ApiToken.objects.filter(parent=client, expires_at__lt=timezone.now()).delete()
    lifetime = timedelta(seconds=settings.ACCESS_TOKEN_SECONDS)
    token, text = create_token(
        account=client.account,
        extension=client.extension,
        name=f"Minted from {client}"[:255],
        read_only=client.read_only,
        expires_at=timezone.now() + lifetime,
        networks=client.networks,
        created_by=client.created_by,
        parent=client,
    )
    return Grant(token.as_actor(), text, None, settings.ACCESS_TOKEN_SECONDS)


def grant_to_person(client: ApiToken, user: User, address: str, scope: str = "") -> Grant:
    """A login session for somebody whose password has been verified. Raises GrantRefused."""
    _require_same_account(client, user)
    _require_scope(user.as_actor("rest"), scope)
    return _granted(open_session(user, address or None))


def grant_again(client: ApiToken, refresh_token: str) -> Grant:
    """New tokens for a refresh token, which is good once. Raises GrantRefused."""
    try:
        session, _ = session_of(refresh_token, "refresh")
        _require_same_account(client, session.user)
        return _granted(refresh_session(refresh_token))
    except TokenRefused as refused:
        raise GrantRefused("invalid_grant", str(refused)) from None


def scope_of(actor: Actor) -> str:
    """Which of the API's scopes an actor has; a person without rights over the account has none."""
    if actor.extension is not None:
        return EXTENSION_USER
    return ACCOUNT_OWNER if actor.manages else ""


def expiry_of(actor: Actor) -> datetime | None:
    """When the actor's token ends; None if it does not, or if there is none."""
    if actor.token is not None:
        ends: datetime | None = actor.token.expires_at
        return ends
    if actor.session_uuid:
        return LoginSession.objects.get(uuid=actor.session_uuid).expires_at
    return None


def _require_same_account(client: ApiToken, user: User) -> None:
    if client.account_id is not None and client.account_id != user.account_id:
        raise GrantRefused("invalid_grant", "This person does not belong to the client's account")


def _require_scope(actor: Actor, scope: str) -> None:
    if not set(scope.split()) <= {scope_of(actor)}:
        raise GrantRefused("invalid_scope", "The client has no such scope")


def _granted(tokens: LoginTokens) -> Grant:
    actor = tokens.session.user.as_actor("rest", str(tokens.session.uuid))
    return Grant(actor, tokens.access, tokens.refresh, settings.ACCESS_TOKEN_SECONDS)
