"""`/token`: long-lived bearer tokens. Their text is in the answer that made them and nowhere else (messaging spec §2)."""

import math
from datetime import timedelta
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from contacts_app.api.authentication import client_address
from contacts_app.api.fields import Instant, Text
from contacts_app.api.rows import find, uuid_in_url
from contacts_app.models import ApiToken
from contacts_app.services.token import (
    PREFIX,
    change_token,
    create_token_for,
    find_token,
    revoke_token,
    tokens_of,
)
from profiles_app.api.messaging.dialect import MessagingView, answer, created
from profiles_app.api.messaging.fields import Whole
from profiles_app.api.messaging.schema import answers, envelope

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

    def lifetime(self) -> timedelta | None:
        ttl = self.validated_data.get("ttl")
        return None if ttl is None else timedelta(seconds=ttl)


class TokenOutput(serializers.ModelSerializer[ApiToken]):
    ttl = serializers.SerializerMethodField(help_text="Seconds that are left; null: no end.")
    token = serializers.SerializerMethodField(help_text="Only where the token is made, null elsewhere.")
    expired_on = Instant(source="expires_at", allow_null=True)
    created_on = Instant(source="created_at")
    modified_on = Instant(source="updated_at")

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


ONE = envelope("Token", TokenOutput())
MANY = envelope("Tokens", TokenOutput(many=True))


class TokenCreation(MessagingView):
    @extend_schema(operation_id="CreateToken", request=TokenInput, responses=answers(ONE, created=True))
    def post(self, request: Request) -> Response:
        """Make a token with the rights of whoever asks. One made with a token ends no later than that one."""
        wanted = TokenInput(data=request.data)
        wanted.is_valid(raise_exception=True)
        name = wanted.validated_data["name"]
        token, text = create_token_for(actor=self.actor, name=name, lifetime=wanted.lifetime())
        return created(TokenOutput(token, context={"text": text}).data)


class TokenList(MessagingView):
    @extend_schema(operation_id="ListTokens", responses=answers(MANY))
    def get(self, request: Request) -> Response:
        """The good tokens of whoever asks."""
        return answer(TokenOutput(tokens_of(self.actor), many=True).data)


class AllTokens(MessagingView):
    @extend_schema(operation_id="DeleteAllTokens", responses=answers(MANY))
    def delete(self, request: Request) -> Response:
        """Revoke all tokens of whoever asks, the one that is asked with too; the payload lists them."""
        tokens = list(tokens_of(self.actor))
        for token in tokens:
            revoke_token(token)
        return answer(TokenOutput(tokens, many=True).data)


class TokenItem(MessagingView):
    @extend_schema(operation_id="ModifyToken", request=TokenInput(partial=True), responses=answers(ONE, 404))
    def patch(self, request: Request, token: str) -> Response:
        """Rename a token by its UUID, or let it live this long from now."""
        row = find(tokens_of(self.actor), "Token", uuid=uuid_in_url(token))
        wanted = TokenInput(data=request.data, partial=True)
        wanted.is_valid(raise_exception=True)
        if wanted.validated_data:
            change_token(
                row, actor=self.actor, name=wanted.validated_data.get("name"), lifetime=wanted.lifetime()
            )
        return answer(TokenOutput(row).data)

    @extend_schema(operation_id="DeleteToken", responses=answers(ONE, 404))
    def delete(self, request: Request, token: str) -> Response:
        """Revoke a token by its text or its UUID."""
        if token.startswith(f"{PREFIX}_"):
            found = find_token(token, client_address(request))
            row = find(tokens_of(self.actor), "Token", pk=found.pk) if found else None
            if row is None:
                raise NotFound("Token not found")
        else:
            row = self._by_uuid(token)
        revoke_token(row)
        return answer(TokenOutput(row).data)

    def _by_uuid(self, text: str) -> ApiToken:
        # What is no UUID may be the text of another provider's token, which is as unknown here as any.
        try:
            uuid = uuid_in_url(text)
        except serializers.ValidationError:
            raise NotFound("Token not found") from None
        token: ApiToken = find(tokens_of(self.actor), "Token", uuid=uuid)
        return token
