"""`/auth`, where a password becomes a token, and `/token`, where tokens that live long are made (messaging spec §2).

The text of a token is in the answer that made it and nowhere else.
"""

import math
from datetime import timedelta
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request
from rest_framework.response import Response

from contacts_app.core.api.authentication import client_address
from contacts_app.core.api.view import Instant, LoggedIn, Text, find, parse_uuid
from contacts_app.people.login import TokenRefused, open_session, renewed_access_token
from contacts_app.people.models import LoginSession, User
from contacts_app.tokens.models import PREFIX, ApiToken
from contacts_app.tokens.services import MAKES_TOKENS, change_token, create_token_for, revoke_token, tokens_of
from profiles_app.messaging.api.dialect import MessagingViewSet, answers, envelope
from profiles_app.messaging.api.fields import AccountBrief, Shown, UserBrief, Whole


class Person(UserBrief):
    """A user as the document shows one; what Patchbay does not know of people is null. No password, ever."""

    phone_number = serializers.CharField(source="phone", allow_null=True)
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


class MessagingLogin(MessagingViewSet):
    permission_classes = [LoggedIn]
    rights = {"retrieve": ()}

    @extend_schema(responses=answers(envelope("User", Person)))
    def retrieve(self, request: Request) -> Response:
        """Log in with Basic credentials. Somebody who is logged in already gets a fresh token of the same login."""
        if self.actor.user is None:
            raise AuthenticationFailed("An API token belongs to nobody who could log in")
        return Response(Person(self.actor.user, context={"token": self._token(self.actor.user)}).data)

    def _token(self, user: User) -> str:
        if self.actor.session_uuid:
            session = LoginSession.objects.select_related("user").get(uuid=self.actor.session_uuid)
            try:
                return renewed_access_token(session)
            except TokenRefused as refused:
                raise AuthenticationFailed(str(refused)) from None
        return open_session(user, client_address(self.request) or None).access


MIN_TTL = 60
TEN_YEARS = 10 * 365 * 24 * 3600


class TokenInput(serializers.Serializer[Any]):
    name = Text(max_length=255)
    ttl = Whole(
        required=False,
        allow_null=True,
        min_value=MIN_TTL,
        max_value=TEN_YEARS,
        help_text="Seconds from now; absent: until it is deleted.",
    )


def lifetime(sent: dict[str, Any]) -> timedelta | None:
    return None if sent.get("ttl") is None else timedelta(seconds=sent["ttl"])


class TokenOutput(Shown):
    ttl = serializers.SerializerMethodField(help_text="Seconds that are left; null: no end.")
    token = serializers.SerializerMethodField(help_text="Only where the token is made, null elsewhere.")
    expired_on = Instant(source="expires_at", allow_null=True)

    class Meta:
        model = ApiToken
        fields = ["uuid", "name", "ttl", "token", "expired_on", "created_on", "modified_on"]

    def get_ttl(self, token: ApiToken) -> int | None:
        if token.expires_at is None:
            return None
        return max(0, math.ceil((token.expires_at - timezone.now()).total_seconds()))

    def get_token(self, token: ApiToken) -> str | None:
        text: str | None = self.context.get("text")
        return text


ONE = envelope("Token", TokenOutput)
MANY = envelope("MessagingTokens", TokenOutput, many=True)


class MessagingTokens(MessagingViewSet):
    serializer_class = TokenOutput
    body_class = TokenInput
    thing = name_in_document = "Token"
    lookup_url_kwarg = "token"
    rights = {
        "create": MAKES_TOKENS,
        "good": "contacts_app.view_apitoken",
        **dict.fromkeys(("all", "partial_update", "destroy"), "contacts_app.change_apitoken"),
    }

    def get_queryset(self) -> QuerySet[ApiToken]:
        return tokens_of(self.actor)

    def seen_by(self) -> None:
        """Which tokens are good depends on the time."""

    @extend_schema(responses=answers(ONE, created=True))
    def create(self, request: Request) -> Response:
        """Make a token with the rights of the caller. One made with a token ends no later than that one."""
        sent = self.sent()
        token, text = create_token_for(actor=self.actor, name=sent["name"], lifetime=lifetime(sent))
        return self.created(TokenOutput(token, context={"text": text}).data)

    @extend_schema(responses=answers(MANY))
    @action(detail=False, url_path="list")
    def good(self, request: Request) -> Response:
        """The good tokens of the caller."""
        return Response(TokenOutput(self.get_queryset(), many=True).data)

    @extend_schema(responses=answers(MANY))
    @action(detail=False, methods=["delete"])
    def all(self, request: Request) -> Response:
        """Revoke all tokens of the caller, the one that is asked with too; the payload lists them."""
        tokens = list(self.get_queryset())
        for token in tokens:
            revoke_token(token)
        return Response(TokenOutput(tokens, many=True).data)

    def partial_update(self, request: Request, token: str) -> Response:
        """Rename a token by its UUID, or let it live this long from now."""
        row = self.get_object()
        if sent := self.sent(row):
            change_token(row, actor=self.actor, name=sent.get("name"), lifetime=lifetime(sent))
        return Response(self.shown(row))

    def destroy(self, request: Request, token: str) -> Response:
        """Revoke a token by its text or its UUID."""
        if token.startswith(f"{PREFIX}_"):
            found = ApiToken.objects.find(token, client_address(request))
            named: dict[str, Any] = {"pk": found.pk if found else None}
        else:
            # What is no UUID may be the text of another provider's token, which is as unknown here as any.
            named = {"uuid": parse_uuid(token)}
        row = find(self.get_queryset(), self.thing, **named)
        revoke_token(row)
        return Response(self.shown(row))
