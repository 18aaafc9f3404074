"""`/auth/login`, `/auth/refresh`, `/auth/logout`: a password becomes tokens (phone profiles spec §1, §6)."""

from contextlib import suppress
from typing import Any

from django.contrib.auth import authenticate
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import AuthenticationFailed, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from contacts_app.core.api.authentication import client_address
from contacts_app.core.api.family import Failure, NoMetadata, PhoneFamilyView, answer, envelope
from contacts_app.core.api.view import LoggedIn, Text
from contacts_app.people.api.me import UserRecord
from contacts_app.people.login import (
    TokenRefused,
    Tokens,
    close_session,
    open_session,
    refresh_session,
    session_of,
)
from contacts_app.people.models import LoginSession, User
from phones_app.inventory.api.fields import Shape


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


NOTHING = serializers.DictField(help_text="Empty.")
FAILURES = {400: Failure, 401: Failure}
LOGGED_IN = {200: envelope("Login", LoggedInUser(), metadata=NoMetadata), **FAILURES, 429: Failure}
REFRESHED = {200: envelope("Refresh", TokenPair(), metadata=NoMetadata), **FAILURES}
LOGGED_OUT = {200: envelope("Logout", NOTHING, metadata=NoMetadata), **FAILURES}


def _spelled(tokens: Tokens) -> dict[str, Any]:
    return {"accessToken": tokens.access, "refreshToken": tokens.refresh}


class OpenToAll(PhoneFamilyView):
    """Whatever credential comes along is not looked at."""

    authentication_classes = []
    permission_classes = []

    def get_authenticate_header(self, request: Request) -> str:
        # Without it a wrong password would be answered by 403.
        return 'Bearer realm="api"'


class Login(OpenToAll):
    @extend_schema(request=Credentials, responses=LOGGED_IN, auth=[])
    def post(self, request: Request) -> Response:
        """Log in. After too many failures a name is locked out for a while at that address (429)."""
        credentials = Credentials(data=request.data)
        credentials.is_valid(raise_exception=True)
        user = authenticate(request=request._request, **credentials.validated_data)
        if not isinstance(user, User):
            raise AuthenticationFailed("Invalid credentials")
        tokens = open_session(user, client_address(request) or None)
        data = {"user": UserRecord().to_representation(user), **_spelled(tokens)}
        return answer(data, "Login successful", metadata={})


class Refresh(OpenToAll):
    @extend_schema(request=RefreshRequest, responses=REFRESHED, auth=[])
    def post(self, request: Request) -> Response:
        """New tokens for old ones. A refresh token is good once; used again, it ends its session."""
        wanted = RefreshRequest(data=request.data)
        wanted.is_valid(raise_exception=True)
        try:
            tokens = refresh_session(wanted.validated_data["refreshToken"])
        except TokenRefused as refused:
            raise AuthenticationFailed(str(refused)) from None
        return answer(_spelled(tokens), "Token refreshed", metadata={})


class Logout(PhoneFamilyView):
    permission_classes = [LoggedIn]

    @extend_schema(request=LogoutRequest, responses=LOGGED_OUT)
    def post(self, request: Request) -> Response:
        """End the session of the access token, and that of the refresh token if one is sent."""
        wanted = LogoutRequest(data=request.data)
        wanted.is_valid(raise_exception=True)
        actor = self.actor
        sessions = LoginSession.objects.filter(uuid=actor.session_uuid) if actor.session_uuid else []
        ending = list(sessions)
        if refresh_token := wanted.validated_data.get("refreshToken"):
            # One that is no longer good has nothing left to end.
            with suppress(TokenRefused):
                ending.append(session_of(refresh_token, "refresh")[0])
        if not (actor.session_uuid or refresh_token):
            raise ValidationError("This credential belongs to no login session")
        for session in ending:
            if session.user_id == actor.pk:
                close_session(session, client_address(request) or None)
        return answer({}, "Logout successful", metadata={})
