"""Single sign-on: the OpenID provider says who somebody is and which groups they are in; here is who that makes them.

The library (mozilla-django-oidc) speaks the protocol. It leaves audience, issuer and subject unchecked, matches people by
e-mail alone, refuses tokens that do not name their key, and must be told each address of the provider: all that is here.
"""

from collections.abc import Iterable
from typing import Any

import httpx
import jwt
import structlog
from django.conf import settings
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import Group
from django.core.cache import cache
from django.core.exceptions import SuspiciousOperation
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.utils.http import urlencode
from mozilla_django_oidc.auth import OIDCAuthenticationBackend
from mozilla_django_oidc.utils import import_from_settings

from contacts_app.core.actor import Actor, acting
from contacts_app.core.errors import Refusal
from contacts_app.core.net.http import trusted_authorities
from contacts_app.people.models import User
from contacts_app.people.services import is_taken

log = structlog.get_logger(__name__)
Claims = dict[str, Any]

# What the library calls what the provider's own document tells (OpenID Connect Discovery §3).
DISCOVERED = {
    "OIDC_OP_AUTHORIZATION_ENDPOINT": "authorization_endpoint",
    "OIDC_OP_TOKEN_ENDPOINT": "token_endpoint",
    "OIDC_OP_USER_ENDPOINT": "userinfo_endpoint",
    "OIDC_OP_JWKS_ENDPOINT": "jwks_uri",
}
PROVIDER_REMEMBERED_SECONDS = 3600
# The ready-made role of customers; given to a person without an account it would be about all accounts.
ROLE_OF_TENANTS = "Tenant administrator"
CLOCKS_DIFFER_SECONDS = 60
# What an answer of the provider may raise: no connection (OSError is the base of the library's errors), no JSON, a
# member that is missing or of another type, a bad token.
PROVIDER_FAILURES = (
    *(OSError, httpx.HTTPError, jwt.PyJWTError, SuspiciousOperation),
    *(ValueError, KeyError, TypeError, AttributeError),
)


def _answer_at(url: str) -> httpx.Response:
    return httpx.get(url, timeout=settings.OIDC_TIMEOUT, verify=trusted_authorities()).raise_for_status()


def provider() -> dict[str, Any]:
    """What the provider says of itself, asked once an hour. Raises one of PROVIDER_FAILURES."""
    issuer: str = settings.OIDC_ISSUER
    known: dict[str, Any] | None = cache.get(f"openid:{issuer}")
    if known is None:
        url = f"{issuer.rstrip('/')}/.well-known/openid-configuration"
        known = dict(_answer_at(url).json())
        if known["issuer"] != issuer:
            raise ValueError(f"OIDC_ISSUER is not what the provider calls itself, {known['issuer']}")
        cache.set(f"openid:{issuer}", known, PROVIDER_REMEMBERED_SECONDS)
    return known


def library_setting(name: str, *default: Any) -> Any:
    """A setting of the library: ours, or what the provider says of itself."""
    if name in DISCOVERED:
        return provider()[DISCOVERED[name]]
    if name == "OIDC_TOKEN_USE_BASIC_AUTH":
        # It is what a provider takes that does not say it (OpenID Connect Discovery §3).
        return "client_secret_post" not in provider().get("token_endpoint_auth_methods_supported", ())
    return import_from_settings(name, *default)


def logout_url(back: str) -> str:
    """Where people end their session at the provider too (OpenID Connect RP-Initiated Logout §2); "" without such."""
    try:
        url = provider().get("end_session_endpoint", "")
    except PROVIDER_FAILURES:
        return ""
    query = urlencode({"client_id": settings.OIDC_RP_CLIENT_ID, "post_logout_redirect_uri": back})
    return f"{url}?{query}" if url else ""


def refused_by_failure(error: Exception) -> Refusal:
    """What people are told of a failure; the log has the rest, without the provider's answer in it."""
    log.warning("single sign-on failed", reason=f"{type(error).__name__}: {str(error)[:200]}")
    return Refusal("provider", "The provider of single sign-on did not answer as it should. Try again in a moment.")


class SingleSignOnBackend(OIDCAuthenticationBackend):
    """Answers to the provider's own log-in alone. Where people are permitted something it is Django's own backend."""

    get_settings = staticmethod(library_setting)
    get_user = ModelBackend.get_user

    def __init__(self) -> None:
        # Django makes one for each question about a permission, for which the provider need not be there.
        pass

    def authenticate(  # type: ignore[override]
        self, request: HttpRequest, *, nonce: str, code_verifier: str
    ) -> User | None:
        """The person whose log-in the provider confirms. Raises Refusal."""
        try:
            super().__init__()
            found: User | None = super().authenticate(request, nonce=nonce, code_verifier=code_verifier)
        except PROVIDER_FAILURES as error:
            raise refused_by_failure(error) from None
        return found

    def retrieve_matching_jwk(self, token: str) -> jwt.PyJWK:
        """The provider's key that the token names; it need not name the only one (OpenID Connect Core §10.1)."""
        named = jwt.get_unverified_header(token).get("kid")
        shown = _answer_at(provider()["jwks_uri"]).json()["keys"]
        signing = [key for key in shown if key.get("use", "sig") == "sig" and named in (None, key.get("kid"))]
        [key] = [key for key in signing if key.get("alg", self.OIDC_RP_SIGN_ALGO) == self.OIDC_RP_SIGN_ALGO]
        return jwt.PyJWK(key, self.OIDC_RP_SIGN_ALGO)

    def _verify_jws(self, payload: str, key: Any) -> Claims:
        claims: Claims = jwt.decode(
            payload,
            key,
            algorithms=[self.OIDC_RP_SIGN_ALGO],
            audience=self.OIDC_RP_CLIENT_ID,
            issuer=provider()["issuer"],
            leeway=CLOCKS_DIFFER_SECONDS,
            options={"require": ["exp", "iat", "iss", "aud", "sub"]},
        )
        # A token for several clients names the one that asked for it (OpenID Connect Core §3.1.3.7).
        if claims.get("azp", self.OIDC_RP_CLIENT_ID) != self.OIDC_RP_CLIENT_ID:
            raise jwt.InvalidAudienceError("made for another client")
        return claims

    def get_or_create_user(self, access_token: str, id_token: str, payload: Claims) -> User:
        told = self.get_userinfo(access_token, id_token, payload)
        if told["sub"] != payload["sub"]:  # OpenID Connect Core §5.3.2
            raise SuspiciousOperation("The answer about the person is about another one")
        # Some providers tell groups in the token alone, others only when they are asked.
        return person_of(payload | told)


def person_of(claims: Claims) -> User:
    """Whom the provider has logged in, with the roles that it gives them now. Raises Refusal."""
    wanted = _roles_in(claims)
    try:
        with transaction.atomic(), acting(Actor("single sign-on", "admin"), reason="Logged in by single sign-on"):
            user = _known(claims) or _new(claims, wanted - {ROLE_OF_TENANTS})
            _require_usable(user)
            _give_roles(user, wanted if user.account_id else wanted - {ROLE_OF_TENANTS})
    except IntegrityError:
        raise Refusal("at-once", "You logged in twice at the same moment. Try again.") from None
    # Only now, so that a role that was lost is taken away although the person is not let in.
    if not user.is_staff:
        raise Refusal("no-role", f"{user.email} has no role in this portal. An administrator can give you one.")
    return user


def unlink(user: User) -> None:
    """Forget which person of the provider this is; a verified e-mail address tells it at the next log-in."""
    user.single_sign_on_id = None
    user.save(update_fields=["single_sign_on_id", "updated_at"])


def _known(claims: Claims) -> User | None:
    """The person by the provider's name for them, which never changes; the first time by a verified e-mail address."""
    issuer, subject = provider()["issuer"], _subject(claims)
    people = User.objects.select_for_update(of=("self",)).select_related("account")
    if user := people.filter(single_sign_on_id=subject).first():
        return user
    email = _verified_email(claims)
    user = people.filter(email__iexact=email).first() if email else None
    if user is None:
        return None
    if (user.single_sign_on_id or "").startswith(f"{issuer} "):
        # An address that was given to another person since must not give them this one's rights.
        raise Refusal("another-person", f"{user.email} is linked to another person of the provider.")
    user.single_sign_on_id = subject
    user.save(update_fields=["single_sign_on_id", "updated_at"])
    return user


def _new(claims: Claims, wanted: set[str]) -> User:
    email = _verified_email(claims)
    if not (settings.OIDC_CREATE_PEOPLE and email and wanted) or is_taken(email):
        raise Refusal("unknown-person", "This portal does not know you. An administrator can add you.")
    names = {"first_name": claims.get("given_name"), "last_name": claims.get("family_name")}
    texts = {field: str(name or "")[:150] for field, name in names.items()}
    return User.objects.create_user(email, single_sign_on_id=_subject(claims), **texts)


def _subject(claims: Claims) -> str:
    return f"{provider()['issuer']} {claims['sub']}"


def _verified_email(claims: Claims) -> str:
    """The address in lower case, or "" if the provider does not say that it has checked it."""
    is_verified = claims.get(settings.OIDC_EMAIL_VERIFIED_CLAIM) in (True, "true", "1")  # 1 is True
    return str(claims.get("email") or "").strip().lower() if is_verified else ""


def _require_usable(user: User) -> None:
    if not user.is_active or (user.account is not None and not user.account.is_active):
        raise Refusal("not-active", f"{user.email} is not active in this portal.")


def _roles_in(claims: Claims) -> set[str]:
    groups = claims.get(settings.OIDC_GROUPS_CLAIM) or []
    named = [groups] if isinstance(groups, str) else groups
    return {role for group, role in settings.OIDC_ROLES.items() if group in named}


def _give_roles(user: User, wanted: set[str]) -> None:
    """Of the roles that groups of the provider stand for the person has those of their groups, and no other one."""
    if not settings.OIDC_ROLES:
        return
    managed = {group.name: group for group in Group.objects.filter(name__in=settings.OIDC_ROLES.values())}
    present = set(user.groups.filter(name__in=managed).values_list("name", flat=True))
    user.groups.remove(*_named(managed, present - wanted))
    user.groups.add(*_named(managed, wanted - present))
    may_enter = user.is_superuser or user.groups.exists()
    if user.is_staff != may_enter:
        user.is_staff = may_enter
        user.save(update_fields=["is_staff", "updated_at"])


def _named(groups: dict[str, Group], names: Iterable[str]) -> list[Group]:
    return [groups[name] for name in sorted(names) if name in groups]
