"""`/accounts/action/?do=login`: a session by cookies, for clients that send no password along (notification contacts
spec §6).

The session is one of those of REST, so that people see and end it there; its cookies go to this dialect alone and open
no page of the portal.
"""

from typing import Any

from django.conf import settings
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import AuthenticationFailed, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from contacts_app.contacts.api.cookies import CSRF, SESSION
from contacts_app.contacts.api.dialect import ROOT, NotificationsViewSet
from contacts_app.contacts.api.schema import answers
from contacts_app.core.api.authentication import client_address
from contacts_app.core.api.fields import Shape
from contacts_app.core.api.view import Text
from contacts_app.people.login import (
    PasswordRefused,
    close_session,
    cookie_token,
    csrf_token,
    open_session,
    person_by_password,
)
from contacts_app.people.models import LoginSession


class PasswordRecord(Shape):
    username = Text(max_length=254, required=False, help_text="Email or user name; of a login.")
    password = Text(max_length=1024, required=False, trim_whitespace=False)


class ActionRecord(serializers.Serializer[Any]):
    action = serializers.ChoiceField(choices=["login", "logout"])
    result = serializers.ChoiceField(choices=["success"])


class AccountActions(NotificationsViewSet):
    body_class = PasswordRecord
    rights = {"create": ()}

    def get_authenticators(self) -> Any:
        # Who logs in may still have the cookies of a session that is over.
        is_logout = self.request is not None and self.request.GET.get("do") == "logout"
        return super().get_authenticators() if is_logout else []

    def get_permissions(self) -> Any:
        return []

    @extend_schema(
        parameters=[OpenApiParameter("do", str, required=True, enum=["login", "logout"])],
        request=PasswordRecord,
        responses=answers(200, ActionRecord, 400),
    )
    def create(self, request: Request) -> Response:
        """Log in, or out. The answer to a login brings the cookies `sessionid` and `csrftoken`."""
        match request.query_params.get("do"):
            case "login":
                return self._login(request)
            case "logout":
                return self._logout(request)
        raise ValidationError({"do": "Must be login or logout."})

    def _login(self, request: Request) -> Response:
        sent = self.sent()
        if missing := {"username", "password"} - sent.keys():
            raise ValidationError(dict.fromkeys(sorted(missing), "This field is required"))
        try:
            user = person_by_password(request._request, **sent)
        except PasswordRefused as refused:
            raise AuthenticationFailed(str(refused)) from None
        session = open_session(user, client_address(request) or None).session
        response = Response({"action": "login", "result": "success"})
        values = ((SESSION, cookie_token(session), True), (CSRF, csrf_token(str(session.uuid)), False))
        for name, value, is_hidden in values:
            response.set_cookie(
                name,
                value,
                path=ROOT,
                expires=session.expires_at,
                secure=settings.SESSION_COOKIE_SECURE,
                httponly=is_hidden,
                samesite="Lax",
            )
        return response

    def _logout(self, request: Request) -> Response:
        if not request.user:
            raise AuthenticationFailed("There is no session")
        self.sent()
        if self.actor.session_uuid:
            close_session(LoginSession.objects.get(uuid=self.actor.session_uuid), client_address(request) or None)
        response = Response({"action": "logout", "result": "success"})
        for name in (SESSION, CSRF):
            response.delete_cookie(name, path=ROOT)
        return response
