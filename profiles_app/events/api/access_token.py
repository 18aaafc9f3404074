"""`/v4/oauth/access-token` and `/v4/ping`: getting a token, looking at it, ending it (events spec §3)."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from contacts_app.core.actor import Actor
from contacts_app.core.api.authentication import client_address
from contacts_app.people.login import PasswordRefused, close_session, person_by_password
from contacts_app.people.models import LoginSession
from contacts_app.tokens import credentials as grants
from contacts_app.tokens.services import revoke_token
from profiles_app.events.api.dialect import OpenView
from profiles_app.events.api.fields import Choice, EventText, UnixTime
from profiles_app.events.api.schema import SUCCESS, failures

GRANT_TYPES = ("password", "client_credentials", "refresh_token", "authorization_code")
# What a grant needs besides the client's credentials.
NEEDS = {"password": ("username", "password"), "refresh_token": ("refresh_token",)}


class GrantRequest(serializers.Serializer[Any]):
    grant_type = Choice(choices=GRANT_TYPES)
    client_id = EventText(max_length=64, help_text="The key id of an API token.")
    client_secret = EventText(max_length=255, help_text="The secret part of the API token, or all of its text.")
    username = EventText(required=False, allow_null=True, max_length=254, help_text="Email or user name.")
    password = EventText(required=False, allow_null=True, max_length=1024)
    phonenumber = EventText(required=False, allow_null=True, max_length=64, help_text="Not used.")
    scope = EventText(required=False, allow_null=True, allow_blank=True, max_length=255, help_text="Space-separated.")
    redirect_uri = EventText(required=False, allow_null=True, max_length=2048, help_text="Not used.")
    code = EventText(required=False, allow_null=True, max_length=2048, help_text="No codes are issued here.")
    refresh_token = EventText(required=False, allow_null=True, max_length=4096)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        missing = [name for name in NEEDS.get(attrs["grant_type"], ()) if not attrs.get(name)]
        if missing:
            raise serializers.ValidationError(dict.fromkeys(missing, "This grant type needs it."))
        return attrs


class ScopeDetail(serializers.Serializer[Any]):
    scope = serializers.CharField()
    voip_id = serializers.IntegerField(allow_null=True, help_text="null: every account.")
    extension_id = serializers.IntegerField(allow_null=True)


class TokenDetails(serializers.Serializer[Any]):
    scope = serializers.CharField()
    expires_at = UnixTime(allow_null=True, help_text="null: never.")
    scope_details = ScopeDetail(many=True)


class CreatedToken(serializers.Serializer[Any]):
    access_token = serializers.CharField()
    token_type = serializers.CharField(help_text="Bearer.")
    scope = serializers.CharField()
    refresh_token = serializers.CharField(allow_null=True, help_text="null for client credentials.")
    expires_in = serializers.IntegerField(help_text="Seconds.")


class Pong(serializers.Serializer[Any]):
    pong = serializers.IntegerField(help_text="The server's Unix time.")


def details_of(actor: Actor) -> dict[str, Any]:
    scope, expires_at = grants.scope_of(actor), grants.expiry_of(actor)
    detail = {
        "scope": scope,
        "voip_id": actor.account.voip_id if actor.account else None,
        "extension_id": actor.extension.number if actor.extension else None,
    }
    return {
        "scope": scope,
        "expires_at": int(expires_at.timestamp()) if expires_at else None,
        "scope_details": [detail],
    }


class AccessTokenViewSet(OpenView, ViewSet):
    # About the credential itself.
    rights = dict.fromkeys(("retrieve", "create", "destroy", "details"), ())

    def get_authenticators(self) -> list[Any]:
        return [] if self.request and self.request.method == "POST" else super().get_authenticators()

    def get_permissions(self) -> list[Any]:
        return [] if self.request and self.request.method == "POST" else list(super().get_permissions())

    @extend_schema(request=GrantRequest, responses={201: CreatedToken, **failures(400, 401, 422)}, auth=[])
    def create(self, request: Request) -> Response:
        """Mint an access token. `?mode=details` answers as the details of the token do."""
        wanted = GrantRequest(data=request.data)
        wanted.is_valid(raise_exception=True)
        try:
            grant = self._granted(wanted.validated_data)
        except grants.GrantRefused as refused:
            return self._refusal(refused)
        body: dict[str, Any] = {
            "access_token": grant.access_token,
            "token_type": "Bearer",
            "scope": grants.scope_of(grant.actor),
            "refresh_token": grant.refresh_token,
            "expires_in": grant.expires_in,
        }
        if request.query_params.get("mode") == "details":
            body |= details_of(grant.actor)
        answer = Response(body, status=201)
        answer["Cache-Control"] = "no-store"  # RFC 6749 §5.1
        return answer

    @extend_schema(responses={200: TokenDetails, **failures(401)})
    def retrieve(self, request: Request) -> Response:
        """The token that the request came with."""
        return Response(details_of(self.actor))

    @extend_schema(responses={200: TokenDetails, **failures(401)})
    def details(self, request: Request) -> Response:
        """The token that the request came with, with its scope taken apart."""
        return Response(details_of(self.actor))

    @extend_schema(responses={200: SUCCESS, **failures(401, 403, 404)})
    def destroy(self, request: Request) -> Response:
        """End the token that the request came with."""
        actor = self.actor
        if actor.token is not None:
            revoke_token(actor.token)
        elif actor.session_uuid:
            close_session(LoginSession.objects.get(uuid=actor.session_uuid), client_address(request) or None)
        else:
            raise NotFound  # A password is no token.
        return Response({"success": True})

    def _granted(self, wanted: dict[str, Any]) -> grants.Grant:
        address, scope = client_address(self.request), wanted.get("scope") or ""
        client = grants.client_of(wanted["client_id"], wanted["client_secret"], address)
        kind = wanted["grant_type"]
        if kind == "client_credentials":
            return grants.grant_to_client(client, scope)
        if kind == "refresh_token":
            return grants.grant_again(client, wanted["refresh_token"])
        if kind == "authorization_code":
            raise grants.GrantRefused("invalid_grant", "No authorization codes are issued here")
        credentials = {"username": wanted["username"], "password": wanted["password"]}
        try:
            user = person_by_password(self.request._request, **credentials)
        except PasswordRefused as refused:
            raise grants.GrantRefused("invalid_grant", str(refused)) from None
        return grants.grant_to_person(client, user, address, scope)

    def _refusal(self, refused: grants.GrantRefused) -> Response:
        status = 401 if refused.code == "invalid_client" else 400
        error = self.dialect.error(status, refused.message, {})["@error"]
        return Response(self.dialect.oauth_error(error, refused.code, refused.message), status=status)


class PingViewSet(OpenView, ViewSet):
    rights = {"retrieve": ()}
    authentication_classes = []
    permission_classes = []

    @extend_schema(responses={200: Pong}, auth=[])
    def retrieve(self, request: Request) -> Response:
        """Says that the server is there."""
        return Response({"pong": int(timezone.now().timestamp())})
