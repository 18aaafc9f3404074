"""Logging in through REST: email or user name and password become a pair of signed tokens tied to a revocable session."""

import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import jwt
from django.conf import settings
from django.contrib.auth import authenticate
from django.contrib.auth.backends import ModelBackend
from django.db import transaction
from django.db.models import Q
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import salted_hmac

from contacts_app.core.actor import forget_actors
from contacts_app.people.models import LoginSession, User
from contacts_app.people.second_factor import by_password_alone

ALGORITHM = "HS256"
LIVE_SESSIONS_PER_USER = 5  # Phone profiles spec §6: the oldest gives way.


class EmailOrUsernameBackend(ModelBackend):
    """Django's own backend, which also takes the user name that the phone profiles API logs in with."""

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> User | None:
        name = (username or kwargs.get("email") or "").strip()
        if not name or password is None or "\x00" in name:
            return None
        user = User.objects.select_related("account").filter(Q(email__iexact=name) | Q(username__iexact=name)).first()
        if user is None:
            User().set_password(password)  # The same work as for a known name, so that time tells nothing.
            return None
        usable = user.is_active and (user.account is None or user.account.is_active)
        return user if user.check_password(password) and usable else None


def counted_name(request: HttpRequest, credentials: dict[str, Any] | None) -> str:
    """The name under which failed logins are counted: in lower case, as any case of it logs in."""
    name = credentials.get("username") if credentials else request.POST.get("username")
    # As much of it as django-axes' column takes.
    return str(name or "").replace("\x00", "").strip().lower()[:255]


class PasswordRefused(Exception):
    """The name or the password is wrong, or the password alone is not enough."""


NEEDS_SECOND_FACTOR = "This person logs in with a second factor, in the admin; programs come with an API token"


def person_by_password(request: HttpRequest, *, username: str, password: str) -> User:
    """Whoever has this password, for the APIs, where nobody can be asked for a second factor. Raises PasswordRefused.

    The request goes along because its address is part of the lockout after wrong passwords.
    """
    user = authenticate(request=request, username=username, password=password)
    if not isinstance(user, User):
        raise PasswordRefused("Invalid credentials")
    if not by_password_alone(User.objects.filter(pk=user.pk)).exists():
        raise PasswordRefused(NEEDS_SECOND_FACTOR)
    return user


@dataclass(frozen=True)
class LoginTokens:
    access: str
    refresh: str
    session: LoginSession


class TokenRefused(Exception):
    """The token is malformed, expired, revoked or of the wrong kind."""


def _sign(kind: str, session: LoginSession, lifetime: timedelta, **claims: str) -> str:
    now = timezone.now()
    payload = {"typ": kind, "sid": str(session.uuid), "sub": str(session.user.uuid), "iat": now, "exp": now + lifetime}
    return jwt.encode(payload | claims, settings.SECRET_KEY, algorithm=ALGORITHM)


def access_token(session: LoginSession) -> str:
    """A fresh access token of a live session. Provider clients look for the user in the claims `uuid` and `role`."""
    lifetime = timedelta(seconds=settings.ACCESS_TOKEN_SECONDS)
    user = session.user
    return _sign("access", session, lifetime, jti=str(uuid.uuid4()), uuid=str(user.uuid), role=user.role)


def _pair(session: LoginSession) -> LoginTokens:
    access = access_token(session)
    refresh = _sign("refresh", session, session.expires_at - timezone.now(), jti=str(session.refresh_id))
    return LoginTokens(access, refresh, session)


def open_session(user: User, ip: str | None) -> LoginTokens:
    """Begin a login session of `user`; the oldest sessions beyond five end."""
    now = timezone.now()
    with transaction.atomic():
        session = LoginSession.objects.create(
            user=user, ip=ip, expires_at=now + timedelta(seconds=settings.REFRESH_TOKEN_SECONDS)
        )
        live = LoginSession.objects.filter(user=user, revoked_at=None, expires_at__gt=now).order_by(
            "-created_at", "-pk"
        )
        surplus = list(live.values_list("pk", flat=True)[LIVE_SESSIONS_PER_USER:])
        if LoginSession.objects.filter(pk__in=surplus).update(revoked_at=now):
            forget_actors()
        User.objects.filter(pk=user.pk).update(last_login=now, last_login_ip=ip)
    user.last_login, user.last_login_ip = now, ip
    return _pair(session)


def session_of(token: str, kind: str) -> tuple[LoginSession, dict[str, Any]]:
    """The live session that a signed token belongs to, and the token's claims. Raises TokenRefused."""
    try:
        claims = jwt.decode(
            token, settings.SECRET_KEY, algorithms=[ALGORITHM], options={"require": ["exp", "sid", "typ", "jti"]}
        )
        session_uuid = uuid.UUID(claims["sid"])
    except (jwt.InvalidTokenError, ValueError, TypeError, AttributeError):
        raise TokenRefused("Invalid or expired token") from None
    session = LoginSession.objects.select_related("user__account").filter(uuid=session_uuid).first()
    if session is None or claims["typ"] != kind or session.revoked_at or session.expires_at <= timezone.now():
        raise TokenRefused("Invalid or expired token")
    user = session.user
    if not user.is_active or (user.account is not None and not user.account.is_active):
        raise TokenRefused("Invalid or expired token")
    return session, claims


def cookie_token(session: LoginSession) -> str:
    """What a cookie carries that is good as long as the session is."""
    return _sign("cookie", session, session.expires_at - timezone.now(), jti=str(uuid.uuid4()))


def csrf_token(session_uuid: str) -> str:
    """What proves that a change by this session's cookie was meant by who logged in."""
    return salted_hmac("csrf of a login session", session_uuid, algorithm="sha256").hexdigest()


def refresh_session(refresh_token: str) -> LoginTokens:
    """New tokens for old: each refresh token is good once, and one that is used again ends its session."""
    session, claims = session_of(refresh_token, "refresh")
    _meet_todays_demands(session)
    fresh = uuid.uuid4()
    taken = LoginSession.objects.filter(pk=session.pk, refresh_id=claims["jti"], revoked_at=None).update(
        refresh_id=fresh, expires_at=timezone.now() + timedelta(seconds=settings.REFRESH_TOKEN_SECONDS)
    )
    if not taken:
        close_session(session, ip=None)
        raise TokenRefused("This refresh token was used before; log in again")
    session.refresh_from_db()
    return _pair(session)


def renewed_access_token(session: LoginSession) -> str:
    """Another access token for who comes with one. Raises TokenRefused where the log-in would be refused today."""
    _meet_todays_demands(session)
    return access_token(session)


def _meet_todays_demands(session: LoginSession) -> None:
    """A role may demand a second factor by now, or passwords may be no longer taken: then the session ends."""
    if not (settings.LOCAL_LOGIN and by_password_alone(User.objects.filter(pk=session.user_id)).exists()):
        close_session(session, ip=None)
        raise TokenRefused(NEEDS_SECOND_FACTOR)


def close_session(session: LoginSession, ip: str | None) -> None:
    """Log out: the access and the refresh token of the session end now."""
    LoginSession.objects.filter(pk=session.pk, revoked_at=None).update(revoked_at=timezone.now())
    forget_actors()
    if ip:
        User.objects.filter(pk=session.user_id).update(last_logout_ip=ip)
