"""Credentials of programs: API tokens, recognised by a keyed digest (stack: key id + HMAC-SHA-256)."""

import hashlib
import hmac
import ipaddress
from datetime import timedelta
from functools import cache
from uuid import uuid4

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone

from contacts_app.accounts.models import Account, Extension
from contacts_app.core.actor import Actor
from contacts_app.core.history.models import Tracked
from contacts_app.core.lists.search import TextIndex
from contacts_app.core.lists.statement import Instances, Slot

PREFIX = "pb"
# Writing the last use on every request would make every read a write.
LAST_USED_RESOLUTION = timedelta(minutes=1)


def digest_of(secret: str) -> str:
    """The only form in which a secret is kept."""
    # The pepper is the server's key, so that a stolen table alone cannot be tested against guesses. A slow hash would
    # be wrong for 256 random bits.
    return hmac.new(settings.SECRET_KEY.encode(), secret.encode(), hashlib.sha256).hexdigest()


def parse_networks(text: str) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    try:
        return [ipaddress.ip_network(part.strip()) for part in text.split(",") if part.strip()]
    except ValueError as error:
        raise ValidationError({"networks": str(error)}) from None


@cache
def _by_key_id() -> Instances:
    """Asked with nearly every request."""
    rows = ApiToken.objects.select_related("account", "extension", "parent").order_by()
    return Instances(rows.filter(key_id=Slot(ApiToken._meta.get_field("key_id"))()))


class ApiTokenManager(models.Manager["ApiToken"]):
    def find(self, text: str, address: str) -> "ApiToken | None":
        """The usable token with this text, seen from this address; None for anything else."""
        prefix, _, rest = text.partition("_")
        key_id, _, secret = rest.partition("_")
        if prefix != PREFIX or not secret or "\x00" in text:
            return None
        token: ApiToken | None = _by_key_id().first(key_id)
        if token is None or not hmac.compare_digest(token.digest, digest_of(secret)) or not token.is_usable:
            return None
        if token.account is not None and not token.account.is_active:
            return None
        if token.networks and not token.takes(address):
            return None
        now = timezone.now()
        if token.last_used_at is None or now - token.last_used_at > LAST_USED_RESOLUTION:
            self.filter(pk=token.pk).update(last_used_at=now)
        return token


class ApiToken(models.Model):
    """An opaque token: its key id finds the row, a keyed digest proves the secret, the secret itself is shown once."""

    class Scope(models.TextChoices):
        STAFF = "staff", "Staff: every account"
        ACCOUNT = "account", "One account"
        EXTENSION = "extension", "One extension of an account"

    uuid = models.UUIDField("UUID", default=uuid4, unique=True, editable=False)
    name = models.CharField(max_length=255, blank=True, help_text="What uses this token.")
    key_id = models.CharField(max_length=16, unique=True, editable=False)
    digest = models.CharField(max_length=64, editable=False)
    scope = models.CharField(max_length=16, choices=Scope, help_text="What its user may see at all.")
    account = models.ForeignKey(
        Account,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="tokens",
        help_text="The account whose data this token reads and changes; empty for staff.",
    )
    extension = models.ForeignKey(
        Extension,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="tokens",
        help_text="Narrows the token to one extension of the account; empty: all of it.",
    )
    read_only = models.BooleanField(default=False, help_text="Only GET, HEAD and OPTIONS are allowed.")
    networks = models.CharField(
        max_length=512, blank=True, help_text="Comma-separated networks that may use the token; empty: any."
    )
    parent = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        editable=False,
        on_delete=models.CASCADE,
        related_name="access_tokens",
        help_text="The token whose credentials this one was minted from; it is good for as long as that one is.",
    )
    expires_at = models.DateTimeField(null=True, blank=True, help_text="Refused from then on; empty: never.")
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, editable=False, on_delete=models.SET_NULL, related_name="+"
    )

    objects = ApiTokenManager()
    history = Tracked(secret=["digest"], quiet=["last_used_at"])

    class Meta:
        ordering = ["-created_at", "-pk"]
        verbose_name = "API token"
        constraints = [
            models.CheckConstraint(
                name="token_scope_names_its_owner",
                condition=models.Q(scope="staff", account=None, extension=None)
                | models.Q(scope="account", account__isnull=False, extension=None)
                | models.Q(scope="extension", account__isnull=False, extension__isnull=False),
            )
        ]
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="token_by_age"),
            models.Index(fields=["scope", "-created_at", "-id"], name="token_by_scope"),
            models.Index(fields=["read_only", "-created_at", "-id"], name="token_by_right"),
            models.Index(fields=["account", "-created_at", "-id"], name="token_of_account"),
            TextIndex(fields=["name", "key_id"], name="token_text"),
        ]

    def __str__(self) -> str:
        return f"{self.name or 'token'} ({self.key_id}…)"

    @property
    def is_usable(self) -> bool:
        alive = self.revoked_at is None and (self.expires_at is None or self.expires_at > timezone.now())
        return alive and (self.parent is None or self.parent.is_usable)

    def takes(self, address: str) -> bool:
        """Whether one of its networks holds the address."""
        try:
            ip = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(ip in network for network in parse_networks(self.networks))

    def as_actor(self) -> Actor:
        """A program with this token: level 0 within the token's account or, for a staff token, everywhere."""
        return Actor(
            f"token {self.key_id}",
            "rest",
            account=self.account,
            extension=self.extension,
            read_only=self.read_only,
            token=self,
            expires_at=min(
                (end for end in (self.expires_at, self.parent and self.parent.expires_at) if end), default=None
            ),
        )
