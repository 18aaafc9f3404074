"""Any credential of Patchbay -> the actor behind it, for every dialect that can carry it.

Bearer (API token or access token of a login), `X-Auth-Token` (the same two) and Basic (people). A credential that is
present and not good is refused; no credential is no actor.
"""

import hashlib
from collections.abc import Callable
from typing import ClassVar

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.request import Request

from contacts_app.core.actor import ACTORS, Actor

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")


def client_address(request: Request) -> str:
    return str(request.META.get("REMOTE_ADDR", ""))


# The actor behind a credential; None when it is of another kind. Raises AuthenticationFailed when it is not good.
Credential = Callable[[Request, str], Actor | None]
# With the scheme of each, in the order in which they are asked. The apps that own a kind add it when they are ready.
CREDENTIALS: list[tuple[str, Credential]] = []


def register_credential(scheme: str, find: Credential) -> None:
    if (scheme, find) not in CREDENTIALS:
        CREDENTIALS.append((scheme, find))


# Says how a credential came (in lower case) and what it is; None when it did not come this way.
Carrier = Callable[[Request], tuple[str, str] | None]


def authorization(request: Request) -> tuple[str, str] | None:
    header = request.META.get("HTTP_AUTHORIZATION", "")
    scheme, _, value = header.partition(" ")
    return (scheme.lower(), value.strip()) if header else None


def x_auth_token(request: Request) -> tuple[str, str] | None:
    token = request.META.get("HTTP_X_AUTH_TOKEN", "")
    return ("bearer", token.strip()) if token else None


def in_query(name: str) -> Carrier:
    """A token as a query parameter."""

    def carrier(request: Request) -> tuple[str, str] | None:
        token = request.query_params.get(name, "")
        return ("bearer", token.strip()) if token else None

    return carrier


def actor_behind(request: Request, scheme: str, value: str, *, is_hurried: bool = False) -> Actor:
    """Whose credential it is; remembered for a moment, but for those who want to change something and are not hurried.

    Raises AuthenticationFailed.
    """
    key = (scheme, hashlib.sha256(value.encode()).digest(), client_address(request))
    may_be_known = is_hurried or request.method in SAFE_METHODS
    if may_be_known and (known := ACTORS.get(key)) and not known.has_expired:
        return known
    changes = ACTORS.changes
    answers = (find(request, value) for known, find in CREDENTIALS if known == scheme)
    actor = next((actor for actor in answers if actor), None)
    if actor is None:
        raise AuthenticationFailed("Invalid credentials")
    return ACTORS.put(key, actor, changes)


class CredentialAuthentication(BaseAuthentication):
    """Sets request.user to an Actor. Read-only tokens may only read.

    Of several credentials the one of the first of `carriers` counts, alone.
    """

    carriers: ClassVar[tuple[Carrier, ...]] = (x_auth_token, authorization)
    # Of the registered ones those that the dialect takes.
    schemes: ClassVar[tuple[str, ...]] = ("bearer", "basic")

    def authenticate(self, request: Request) -> tuple[Actor, None] | None:
        found = next(filter(None, (carrier(request) for carrier in self.carriers)), None)
        if found is None:
            return None
        scheme, value = found
        if not value or scheme not in self.schemes:
            raise AuthenticationFailed("Unsupported or empty Authorization header")
        view = request.parser_context.get("view")
        is_hurried = getattr(view, "action", None) in getattr(view, "hurried", ())
        actor = actor_behind(request, scheme, value, is_hurried=is_hurried)
        if actor.read_only and request.method not in SAFE_METHODS:
            raise PermissionDenied("This token may only read")
        return actor, None

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="api"'


class CredentialScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """API tokens and access tokens as bearer or in a header of their own, and Basic for people."""

    target_class = CredentialAuthentication
    name = ["bearer", "token", "basic"]

    def get_security_definition(self, auto_schema: object) -> list[dict[str, object]]:
        return [
            {"type": "http", "scheme": "bearer", "description": "API token, or access token of a login."},
            {"type": "apiKey", "in": "header", "name": "X-Auth-Token", "description": "As bearer."},
            {"type": "http", "scheme": "basic", "description": "Email or user name, and password."},
        ]

    def get_security_requirement(self, auto_schema: object) -> list[dict[str, list[object]]]:
        """Any one of them is enough."""
        return [{name: []} for name in self.name]
