"""People: staff who run the portal (no account) and the users of an account; and their logins through REST."""

from base64 import b32decode
from datetime import datetime
from time import time
from typing import Any
from uuid import uuid4

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.models import PermissionsMixin
from django.core.validators import MaxValueValidator
from django.db import models
from django.utils.crypto import salted_hmac
from django.utils.timezone import now
from django_otp.models import Device, ThrottlingMixin, TimestampMixin
from django_otp.oath import TOTP

from contacts_app.accounts.models import Account
from contacts_app.core.actor import Actor
from contacts_app.core.history.models import Tracked
from contacts_app.core.lists.search import TextIndex
from contacts_app.core.secrets import EncryptedTextField
from contacts_app.core.values import digits

# The permission to be shown passwords, and files and callbacks with them.
REVEAL = "contacts_app.reveal_secrets"


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        email = self.normalize_email(email).lower()
        if not email:
            raise ValueError("A user needs an email address.")
        user = self.model(email=email, **{"username": email, **fields})
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: object) -> "User":
        return self.create_user(email, password, is_staff=True, is_superuser=True, permission_level=0, **fields)


class User(AbstractBaseUser, PermissionsMixin):
    """A person who logs in by email (or user name).

    `permission_level` 0 is the highest (phone profiles spec §6): it may do everything within the account, or
    everywhere when the user has no account. Other levels read and switch their own profiles.
    """

    uuid = models.UUIDField("UUID", default=uuid4, unique=True, editable=False)
    email = models.EmailField(unique=True)
    username = models.CharField(
        max_length=254, unique=True, help_text="Second name to log in with; the email if not set."
    )
    first_name = models.CharField(max_length=150, blank=True)
    last_name = models.CharField(max_length=150, blank=True)
    account = models.ForeignKey(
        Account, null=True, blank=True, on_delete=models.CASCADE, related_name="users", help_text="Empty for staff."
    )
    permission_level = models.PositiveSmallIntegerField(
        default=1,
        validators=[MaxValueValidator(9)],
        help_text="0 may do everything in the account; others only see and switch their own profiles.",
    )
    phone = models.CharField(max_length=64, null=True, blank=True, help_text="Kept as typed, found in any spelling.")
    # What a number is found by, however it is spelt.
    phone_digits = models.CharField(max_length=64, blank=True, default="", editable=False)
    lang = models.CharField(max_length=16, default="en", help_text="Language that REST clients show, such as en or de.")
    location = models.CharField(max_length=255, null=True, blank=True)
    nationality = models.CharField(max_length=64, null=True, blank=True)
    timezone = models.CharField(
        max_length=64, default="UTC", help_text="Such as Europe/Berlin; REST clients show times in it."
    )
    pin_hash = models.CharField("phone PIN", max_length=128, blank=True, editable=False)
    pin_must_change = models.BooleanField(
        "must change the PIN",
        default=False,
        db_default=False,
        help_text="Phones ask for another PIN before the next log-in with this one.",
    )
    # The provider of single sign-on and its own name for the person, which never becomes another person's.
    single_sign_on_id = models.CharField(
        "single sign-on", max_length=512, null=True, unique=True, editable=False, help_text="Provider and subject."
    )

    is_active = models.BooleanField(default=True, help_text="Who is not active can log in nowhere; their records stay.")
    is_staff = models.BooleanField(
        "may use the admin", default=False, help_text="What they may do there is what permissions say."
    )
    hides_first_steps = models.BooleanField(default=False, db_default=False, editable=False)
    work_seen_at = models.DateTimeField(
        null=True, editable=False, help_text="Work that ended before is no news to the person."
    )
    last_login_ip = models.GenericIPAddressField(null=True, blank=True, editable=False)
    last_logout_ip = models.GenericIPAddressField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(default=now, editable=False)
    created_by = models.ForeignKey(
        "self", null=True, blank=True, editable=False, on_delete=models.SET_NULL, related_name="+"
    )
    updated_at = models.DateTimeField(auto_now=True)

    objects = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = []

    history = Tracked(
        secret=["password", "pin_hash"],
        quiet=["last_login", "last_login_ip", "last_logout_ip", "phone_digits", "hides_first_steps", "work_seen_at"],
        links=["groups", "user_permissions"],
    )

    class Meta:
        ordering = ["email"]
        permissions = [("reveal_secrets", "Can see passwords and unredacted phone profiles")]
        indexes = [
            models.Index(fields=["is_active", "email"], name="user_by_activity"),
            models.Index(fields=["is_staff", "email"], name="user_by_staff"),
            models.Index(fields=["account", "email"], name="user_of_account"),
            TextIndex(
                fields=["email", "username", "first_name", "last_name", "phone", "phone_digits"], name="user_text"
            ),
        ]

    def __str__(self) -> str:
        return self.email

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.username = self.username or self.email
        self.phone_digits = digits(self.phone or "")
        if "phone" in (named := kwargs.get("update_fields") or ()):
            kwargs["update_fields"] = {*named, "phone_digits"}
        super().save(*args, **kwargs)

    @property
    def may_reveal(self) -> bool:
        return self.has_perm(REVEAL)

    @property
    def role(self) -> str:
        """What providers call those who may do everything, and the others (messaging spec §2)."""
        return "Admin" if self.is_superuser or self.permission_level == 0 else "User"

    def as_actor(self, channel: str, session_uuid: str = "", expires_at: datetime | None = None) -> Actor:
        """The person, logged in. Superusers and the portal's staff are level 0 whatever their row says: what staff
        may do is what their permissions say, and these would be of no use to somebody who sees no rows.
        """
        runs_portal = self.is_superuser or (self.is_staff and self.account_id is None)
        level = 0 if runs_portal else self.permission_level
        of_login: dict[str, Any] = {"session_uuid": session_uuid, "expires_at": expires_at}
        return Actor(self.email, channel, account=self.account, user=self, level=level, **of_login)

    def get_full_name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip() or self.email

    def get_short_name(self) -> str:
        return self.first_name or self.email

    @property
    def has_pin(self) -> bool:
        return bool(self.pin_hash)

    def set_pin(self, pin: str) -> None:
        """The PIN that the person types on a phone's service menu; an empty one forbids that."""
        self.pin_hash = make_password(pin) if pin else ""

    def check_pin(self, pin: str) -> bool:
        return bool(self.pin_hash) and check_password(pin, self.pin_hash)


class LoginSession(models.Model):
    """One login of a person through REST: its access and refresh tokens are good as long as this row is."""

    uuid = models.UUIDField(default=uuid4, unique=True, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="login_sessions")
    refresh_id = models.UUIDField(default=uuid4, help_text="The one refresh token that is still good.")
    ip = models.GenericIPAddressField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at", "-pk"]
        indexes = [
            models.Index(fields=["user", "-created_at"], name="login_session_of_user"),
            models.Index(fields=["-created_at", "-id"], name="login_session_by_age"),
            models.Index(fields=["ip"], name="login_session_by_ip"),
            TextIndex(fields=["ip"], name="login_session_text"),
        ]

    def __str__(self) -> str:
        return f"{self.user} since {self.created_at:%Y-%m-%d %H:%M}"


def step_of(key: str, code: str, *, after: int = 0) -> int | None:
    """The time step whose code this is: the present one or one beside it, later than `after` (RFC 6238 §5.2)."""
    totp = TOTP(b32decode(key))
    totp.time = time()
    is_code = len(code) == totp.digits and code.isascii() and code.isdigit()
    return totp.t() if is_code and totp.verify(int(code), tolerance=1, min_t=after + 1) else None


def recovery_digest(code: str) -> str:
    return salted_hmac("recovery code", code, algorithm="sha256").hexdigest()


class SecondFactor(TimestampMixin, ThrottlingMixin, Device):
    """The app in which a person reads codes to log in with, and the codes that stand in for it once.

    The library's own devices keep both in clear. Here the app's key is encrypted, and of a recovery code there is only a
    digest. Wrong codes of either kind are throttled together: 1, 2, 4, 8, … seconds.
    """

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="second_factor")
    # A row is made when the person has typed the first code.
    name = None
    confirmed = None
    key = EncryptedTextField(help_text="In base 32, as apps take it.")
    recovery_digests = models.JSONField(default=list)
    last_step = models.BigIntegerField(default=0, help_text="The time step of the last code: none is good twice.")

    history = Tracked(
        secret=["recovery_digests"],
        quiet=["last_step", "last_used_at", "throttling_failure_timestamp", "throttling_failure_count"],
        part_of="user",
    )

    class Meta:
        verbose_name = "second factor"

    def __str__(self) -> str:
        return f"of {self.user}"

    def get_throttle_factor(self) -> int:
        return 1

    def verify_token(self, token: str) -> bool:
        """Take a code; by way of `django_otp.verify_token`, which locks the row for it."""
        if not self.verify_is_allowed()[0]:
            return False
        code = "".join(token.split())
        if step := step_of(self.key, code, after=self.last_step):
            self.last_step = step
        elif (digest := recovery_digest(code)) in self.recovery_digests:
            self.recovery_digests = [kept for kept in self.recovery_digests if kept != digest]
        else:
            self.throttle_increment()
            return False
        self.throttle_reset(commit=False)
        self.set_last_used_timestamp(commit=False)
        self.save()
        return True
