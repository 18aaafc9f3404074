"""The second factor of a person: enrolled by themselves, asked for after the password, taken away by administrators.

The library (django-otp) verifies codes and remembers in the session that one was good; what is stored is ours.
"""

import secrets
from base64 import b32encode
from typing import Any
from urllib.parse import quote

import django_otp
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from contacts_app.core.actor import forget_actors
from contacts_app.core.errors import Refusal
from contacts_app.people.models import LoginSession, SecondFactor, User, recovery_digest, step_of

# Digits alone, so that phones offer the same keys as for the app's codes. 40 bits, good once, throttled.
RECOVERY_CODES, RECOVERY_DIGITS = 10, 12
SUPERUSER = "superuser"
APP_NAME = "Patchbay"


def new_key() -> str:
    """What the app makes codes of: 160 bits (RFC 4226 §4), in base 32."""
    return b32encode(secrets.token_bytes(20)).decode()


def key_uri(user: User, key: str) -> str:
    """The key as authenticator apps read it from a picture."""
    return f"otpauth://totp/{quote(f'{APP_NAME}:{user.email}')}?secret={key}&issuer={APP_NAME}"


def by_password_alone(people: QuerySet[User]) -> QuerySet[User]:
    """Of these people those who need no second factor: they have none, and no role of theirs demands one."""
    enough, roles = people.filter(second_factor=None), settings.SECOND_FACTOR_ROLES
    if SUPERUSER in roles:
        enough = enough.exclude(is_superuser=True)
    return enough.exclude(groups__name__in=roles) if roles else enough


def is_demanded(user: User) -> bool:
    """Whether a role of the person demands a second factor."""
    roles = settings.SECOND_FACTOR_ROLES
    is_named = user.is_superuser and SUPERUSER in roles
    return is_named or (bool(roles) and user.groups.filter(name__in=roles).exists())


def is_lacking(request: HttpRequest) -> bool:
    """Whether the person at this session has still to show a second factor; asked once for each request."""
    if not hasattr(request, "_lacks_second_factor"):
        request._lacks_second_factor = _is_lacking(request)  # type: ignore[attr-defined]
    return bool(request._lacks_second_factor)  # type: ignore[attr-defined]


def _is_lacking(request: HttpRequest) -> bool:
    user: Any = request.user
    if request.session.get(BACKEND_SESSION_KEY) == settings.OIDC_BACKEND and not settings.OIDC_SECOND_FACTOR:
        return False  # How people prove who they are is the provider's business.
    factor = SecondFactor.objects.filter(user=user).only("pk").first()
    return not is_shown(request, factor) if factor else is_demanded(user)


def is_shown(request: HttpRequest, factor: SecondFactor | None) -> bool:
    """Whether this session has seen a code of this second factor, and not of one that was taken away."""
    shown: str | None = request.session.get(django_otp.DEVICE_ID_SESSION_KEY)
    return factor is not None and shown == factor.persistent_id


@transaction.atomic
def enrol(user: User, *, key: str, code: str) -> tuple[SecondFactor, list[str]]:
    """The second factor, once the app shows its codes, and recovery codes that are known to nobody else.

    Login sessions that a password alone has opened end. Raises Refusal `wrong-code`, `enrolled`.
    """
    step = step_of(key, "".join(code.split()))
    if step is None:
        raise Refusal("wrong-code", "This is not the code that the app shows now. Is the clock of your phone right?")
    codes = _recovery_codes()
    digests = [recovery_digest(code) for code in codes]
    factor, is_new = SecondFactor.objects.get_or_create(
        user=user, defaults={"key": key, "last_step": step, "recovery_digests": digests}
    )
    if not is_new:
        raise Refusal("enrolled", "You have a second factor already.")
    LoginSession.objects.filter(user=user, revoked_at=None).update(revoked_at=timezone.now())
    forget_actors()
    return factor, codes


def show(factor: SecondFactor, code: str) -> None:
    """Take a code of the app, or a recovery code, which is used up by it. Raises Refusal `wrong-code`, `too-often`."""
    is_allowed, why_not = factor.verify_is_allowed()
    if not is_allowed:
        wait = (why_not or {})["locked_until"] - timezone.now()
        seconds = max(1, round(wait.total_seconds()))
        raise Refusal("too-often", f"Too many wrong codes: try again in {seconds} s.")
    if django_otp.verify_token(factor.user, factor.persistent_id, code) is None:
        raise Refusal("wrong-code", "This code is wrong, or was used before.")


def renew_recovery_codes(factor: SecondFactor) -> list[str]:
    """New ones; those of before are worthless."""
    codes = _recovery_codes()
    factor.recovery_digests = [recovery_digest(code) for code in codes]
    factor.save(update_fields=["recovery_digests"])
    return codes


def take_away(user: User) -> bool:
    """Forget the second factor; the person enrols a new one where a role demands it. Whether there was one."""
    return bool(SecondFactor.objects.filter(user=user).delete()[0])


def _recovery_codes() -> list[str]:
    return [f"{secrets.randbelow(10**RECOVERY_DIGITS):0{RECOVERY_DIGITS}}" for _ in range(RECOVERY_CODES)]
