"""`/auth`: a password becomes a token, and the person it belongs to is told (messaging spec §2)."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request
from rest_framework.response import Response

from contacts_app.api.authentication import client_address
from contacts_app.api.fields import Instant
from contacts_app.api.rights import LoggedIn
from contacts_app.models import LoginSession, User
from contacts_app.services.login import access_token, open_session
from profiles_app.api.messaging.dialect import MessagingViewSet
from profiles_app.api.messaging.embedded import AccountBrief, Null, UserBrief
from profiles_app.api.messaging.schema import answers, envelope


class Person(UserBrief):
    """A user as the document shows one; what Patchbay does not know of people is null. No password, ever."""

    created_on = Instant(source="created_at")
    modified_on = Instant(source="updated_at")
    phone_number = serializers.CharField(source="phone", allow_null=True)
    avatar = Null()
    gender = Null()
    dob = Null()
    gmail_user_id = Null()
    facebook_user_id = Null()
    apple_user_id = Null()
    wechat_user_id = Null()
    deleted_on = Null()
    token = serializers.SerializerMethodField()
    account = AccountBrief(allow_null=True)

    class Meta:
        model = User
        fields = [
            *("created_on", "modified_on", *UserBrief.Meta.fields, "phone_number"),
            *("avatar", "gender", "dob", "gmail_user_id", "facebook_user_id", "apple_user_id"),
            *("wechat_user_id", "deleted_on", "token", "account"),
        ]

    def get_token(self, user: User) -> str:
        return str(self.context["token"])


class Auth(MessagingViewSet):
    permission_classes = [LoggedIn]

    @extend_schema(operation_id="Authenticate", responses=answers(envelope("User", Person)))
    def list(self, request: Request) -> Response:
        """Log in with Basic credentials. Somebody who is logged in already gets a fresh token of the same login."""
        if self.actor.user is None:
            raise AuthenticationFailed("An API token belongs to nobody who could log in")
        return Response(Person(self.actor.user, context={"token": self._token(self.actor.user)}).data)

    def _token(self, user: User) -> str:
        if self.actor.session_uuid:
            return access_token(LoginSession.objects.select_related("user").get(uuid=self.actor.session_uuid))
        return open_session(user, client_address(self.request) or None).access
