"""`/auth`: a password becomes tokens, and people are added (phone profiles spec §1, §6)."""

from contextlib import suppress
from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import AuthenticationFailed, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from contacts_app.core.actor import Actor
from contacts_app.core.api.authentication import client_address
from contacts_app.core.api.family import FamilyViewSet
from contacts_app.core.api.family_document import Failure, answers, envelope
from contacts_app.core.api.fields import Shape
from contacts_app.core.api.view import LoggedIn, Text
from contacts_app.people.api.users import MAKES_PEOPLE, PersonRecord, UserRecord
from contacts_app.people.login import (
    LoginTokens,
    PasswordRefused,
    TokenRefused,
    close_session,
    open_session,
    person_by_password,
    refresh_session,
    session_of,
)
from contacts_app.people.models import LoginSession
from contacts_app.people.services import create_user

# Who registers without anybody's token has no account and the lowest level: they see what is given to them by name.
THE_PUBLIC = Actor("registration", "rest", level=9)
# Whatever credential comes along is not looked at.
OPEN_TO_ALL: dict[str, Any] = {"authentication_classes": [], "permission_classes": []}


class Credentials(Shape):
    username = Text(max_length=254, help_text="Email or user name.")
    password = Text(max_length=1024, trim_whitespace=False)


class RefreshRequest(Shape):
    refreshToken = Text(max_length=4096)


class LogoutRequest(Shape):
    refreshToken = Text(required=False, allow_blank=True, max_length=4096)


class TokenPair(Shape):
    accessToken = serializers.CharField()
    refreshToken = serializers.CharField()


class LoggedInUser(TokenPair):
    user = UserRecord()


class Registration(PersonRecord):
    """The documented members; all but five have a default."""

    username = Text(max_length=254)

    class Meta(PersonRecord.Meta):
        fields = [
            *("first_name", "last_name", "username", "email", "password", "phone", "lang", "location"),
            *("nationality", "timezone"),
        ]
        extra_kwargs = {name: {"required": True, "allow_blank": False} for name in ("first_name", "last_name")}

    account = None  # type: ignore[assignment]
    permission_level = None  # type: ignore[assignment]

    def validate(self, attrs: dict[str, Any]) -> dict[str, object]:
        return attrs


NOTHING = serializers.DictField(help_text="Empty.")
FAILURES = {400: Failure, 401: Failure}
LOGGED_IN = {200: envelope("Login", LoggedInUser), **FAILURES, 429: Failure}


def _spelled(tokens: LoginTokens) -> dict[str, str]:
    return {"accessToken": tokens.access, "refreshToken": tokens.refresh}


class LoginViewSet(FamilyViewSet):
    messages = {
        "login": "Login successful",
        "refresh": "Token refreshed",
        "logout": "Logout successful",
        "register": "User registered",
    }

    rights = {**dict.fromkeys(("login", "refresh", "logout"), ()), "register": MAKES_PEOPLE}

    def get_permissions(self) -> Any:
        is_open = self.action == "register" and settings.PUBLIC_REGISTER and not self.request.user
        return [] if is_open else super().get_permissions()

    def get_authenticate_header(self, request: Request) -> str:
        # Without it a wrong password would be answered by 403.
        return super().get_authenticate_header(request) or 'Bearer realm="api"'

    @extend_schema(request=Credentials, responses=LOGGED_IN, auth=[])
    @action(detail=False, methods=["post"], **OPEN_TO_ALL)
    def login(self, request: Request) -> Response:
        """Log in. After too many failures a name is locked out for a while at that address (429)."""
        try:
            user = person_by_password(request._request, **self.sent(body=Credentials))
        except PasswordRefused as refused:
            raise AuthenticationFailed(str(refused)) from None
        tokens = open_session(user, client_address(request) or None)
        return Response({"user": UserRecord().to_representation(user), **_spelled(tokens)})

    @extend_schema(request=RefreshRequest, responses={200: envelope("Refresh", TokenPair), **FAILURES}, auth=[])
    @action(detail=False, methods=["post"], **OPEN_TO_ALL)
    def refresh(self, request: Request) -> Response:
        """New tokens for old ones. A refresh token is good once; used again, it ends its session."""
        try:
            return Response(_spelled(refresh_session(self.sent(body=RefreshRequest)["refreshToken"])))
        except TokenRefused as refused:
            raise AuthenticationFailed(str(refused)) from None

    @extend_schema(request=LogoutRequest, responses={200: envelope("Logout", NOTHING), **FAILURES})
    @action(detail=False, methods=["post"], permission_classes=[LoggedIn])
    def logout(self, request: Request) -> Response:
        """End the session of the access token, and that of the refresh token if one is sent."""
        refresh_token = self.sent(body=LogoutRequest).get("refreshToken")
        actor = self.actor
        if not (actor.session_uuid or refresh_token):
            raise ValidationError("This credential belongs to no login session")
        sessions = LoginSession.objects.filter(uuid=actor.session_uuid) if actor.session_uuid else []
        ending = list(sessions)
        if refresh_token:
            # One that is no longer good has nothing left to end.
            with suppress(TokenRefused):
                ending.append(session_of(refresh_token, "refresh")[0])
        for session in ending:
            if session.user_id == actor.pk:
                close_session(session, client_address(request) or None)
        return Response({})

    @extend_schema(request=Registration, responses=answers(201, envelope("Registered", UserRecord), 400, 409))
    @action(detail=False, methods=["post"])
    def register(self, request: Request) -> Response:
        """Add a person to one's own account; with `PUBLIC_REGISTER` also oneself, without a token and an account."""
        by = self.actor or THE_PUBLIC
        user = create_user(
            actor=by, account=by.account, permission_level=max(1, by.level), **self.sent(body=Registration)
        )
        return Response(UserRecord().to_representation(user), status=201)
