"""API tokens: made, shown once, changed, revoked. `models.py` recognises them."""

import secrets
from datetime import datetime, timedelta

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from contacts_app.accounts.models import Account, Extension
from contacts_app.core.actor import Actor
from contacts_app.core.history.authorship import happened
from contacts_app.core.history.records import update_recorded
from contacts_app.people.models import REVEAL, User
from contacts_app.tokens.models import PREFIX, ApiToken, digest_of, parse_networks

MAKES_TOKENS = ("contacts_app.add_apitoken", REVEAL)


def create_token(
    *,
    account: Account | None = None,
    extension: Extension | None = None,
    name: str = "",
    read_only: bool = False,
    expires_at: datetime | None = None,
    networks: str = "",
    created_by: User | None = None,
    parent: ApiToken | None = None,
) -> tuple[ApiToken, str]:
    """A new token and its text, which is not kept and cannot be shown again. Neither owner: a staff token."""
    parse_networks(networks)
    key_id, secret = secrets.token_hex(8), secrets.token_urlsafe(32)
    scope = ApiToken.Scope.EXTENSION if extension else ApiToken.Scope.ACCOUNT if account else ApiToken.Scope.STAFF
    token = ApiToken(
        name=name,
        key_id=key_id,
        digest=digest_of(secret),
        scope=scope,
        account=extension.account if extension else account,
        extension=extension,
        read_only=read_only,
        expires_at=expires_at,
        networks=networks,
        created_by=created_by,
        parent=parent,
    )
    with transaction.atomic():
        token.save()
        if parent is None:  # Tokens minted by programs come and go by the hour.
            _tell(token, "created-token")
    return token, f"{PREFIX}_{key_id}_{secret}"


def check_may_make(actor: Actor, account: Account | None, expires_at: datetime | None) -> None:
    """A token shows and changes everything in its scope, so who makes one has to be shown everything there already; one
    for all accounts is made by a superuser and ends. Raises PermissionDenied and ValidationError.
    """
    if not actor.may(*MAKES_TOKENS):
        raise PermissionDenied("This needs the permissions to add API tokens and to see passwords")
    if account is not None:
        return
    if not (actor.author and actor.author.is_active and actor.author.is_superuser):
        raise PermissionDenied("Only superusers make tokens that are good for every account")
    if expires_at is None:
        raise ValidationError("A token that is good for every account needs an end.")


def tokens_of(actor: Actor) -> QuerySet[ApiToken]:
    """The good tokens of the actor's scope that the same person has made, or that no person has made."""
    still_good = Q(expires_at=None) | Q(expires_at__gt=timezone.now())
    mine = ApiToken.objects.filter(still_good, revoked_at=None, account=actor.account, created_by=actor.author)
    return mine.order_by("created_at", "pk")


def create_token_for(*, actor: Actor, name: str, lifetime: timedelta | None) -> tuple[ApiToken, str]:
    """A token with the actor's own scope. One that was made with a token is good nowhere and never beyond that one.

    Raises as `check_may_make` does.
    """
    ends = _not_beyond(actor, lifetime)
    check_may_make(actor, actor.account, ends)
    return create_token(
        account=actor.account,
        name=name,
        expires_at=ends,
        networks=actor.token.networks if actor.token else "",
        created_by=actor.author,
    )


def change_token(
    token: ApiToken, *, actor: Actor, name: str | None = None, lifetime: timedelta | None = None
) -> ApiToken:
    """Rename the token, or let it live this long from now."""
    if name is not None:
        token.name = name
    if lifetime is not None:
        token.expires_at = _not_beyond(actor, lifetime)
    token.save(update_fields=["name", "expires_at", "updated_at"])
    return token


def _not_beyond(actor: Actor, lifetime: timedelta | None) -> datetime | None:
    ends = [timezone.now() + lifetime] if lifetime else []
    if actor.token and actor.token.expires_at:
        ends.append(actor.token.expires_at)
    return min(ends, default=None)


def revoke_token(token: ApiToken) -> None:
    with transaction.atomic():
        good = ApiToken.objects.filter(pk=token.pk, revoked_at=None)
        revoked = update_recorded(good, revoked_at=timezone.now())
        if revoked and token.parent_id is None:
            _tell(token, "revoked-token")


def _tell(token: ApiToken, tag: str) -> None:
    happened.send(
        ApiToken,
        account=token.account,
        extension=token.extension,
        tags=["api-token", tag],
        data_type="api-token",
        data={
            "uuid": token.uuid,
            "key_id": token.key_id,
            "name": token.name,
            "token": str(token),
            "scope": token.scope,
        },
        data_object_uuid=token.uuid,
    )
