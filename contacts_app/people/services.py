"""People: the names they log in with, their passwords, and who may make, change and delete whom.

The same for the web admin and for REST (phone profiles spec §6).
"""

from collections.abc import Iterator, Mapping
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone

from contacts_app.accounts.models import Account
from contacts_app.core.actor import Actor, forget_actors
from contacts_app.core.doctor.checks import Defect, HealthCheck
from contacts_app.core.errors import Refusal
from contacts_app.people.models import LoginSession, User
from contacts_app.people.pins import SET_COLUMNS, set_pin


def is_taken(name: str, *, but: User | None = None) -> bool:
    """Whether somebody logs in with this name: email and user name share one name space, in any case."""
    others = User.objects.exclude(pk=but.pk) if but and but.pk else User.objects.all()
    return others.filter(email__iexact=name).exists() or others.filter(username__iexact=name).exists()


def may_change(actor: Actor, user: User) -> bool:
    """A person who can set somebody's password has all their rights, so must have them already."""
    if user.permission_level < actor.level:
        return False
    if not (user.is_staff or user.is_superuser or user.get_all_permissions()):
        # Customers who manage their account are shown the passwords in it.
        return user.permission_level > 0 or actor.reveals
    by = actor.user
    if by is None or by.pk == user.pk or by.is_superuser:
        return by is not None
    return by.is_staff and not user.is_superuser and by.has_perms(user.get_all_permissions())


def may_grant(actor: Actor, level: int) -> bool:
    """Nobody hands out a higher level than their own, to themselves or to others (0 is the highest)."""
    return level >= actor.level


def create_owner(account: Account, password: str) -> User:
    """A level-0 user with the account's email. Raises ValidationError when that is taken or malformed."""
    owner = User(email=account.email, username=account.email, account=account, permission_level=0)
    owner.set_password(password)
    owner.full_clean()
    owner.save()
    return owner


@transaction.atomic
def create_user(*, actor: Actor, password: str | None, **values: Any) -> User:
    """A new person; without a user name they log in with the email alone, without a password not yet.

    Raises Refusal `name-taken`, ValidationError for a weak password or PIN, PermissionDenied for too high a level.
    """
    user = User(created_by=actor.author)
    pin = values.pop("pin", None)
    _fill(user, actor, values)
    _set_pin(user, pin, actor, values)
    if password is None:
        user.set_unusable_password()
    else:
        _set_password(user, password)
    user.save()
    return user


@transaction.atomic
def change_user(user: User, *, actor: Actor, password: str | None = None, **values: Any) -> User:
    """Change only what is named. Another password ends the person's login sessions; an empty PIN takes it away.

    Raises as `create_user` does.
    """
    if not may_change(actor, user):
        raise PermissionDenied("This person has rights that you do not have")
    if user.pk == actor.pk and values.get("is_active") is False:
        raise Refusal("oneself", "You cannot suspend yourself")
    pin = values.pop("pin", None)
    _fill(user, actor, values)
    columns = {*values, "username", "updated_at"}
    if _set_pin(user, pin, actor, values):
        columns.update(SET_COLUMNS)
    if password is not None:
        _set_password(user, password)
        columns.add("password")
    user.save(update_fields=columns)
    return user


def delete_user(user: User, *, actor: Actor) -> None:
    """Delete a person with their profiles and sessions. Raises PermissionDenied, and Refusal `oneself`."""
    if not may_change(actor, user):
        raise PermissionDenied("This person has rights that you do not have")
    if user.pk == actor.pk:
        raise Refusal("oneself", "You cannot delete yourself")
    user.delete()


def _fill(user: User, actor: Actor, values: dict[str, Any]) -> None:
    level = values.get("permission_level", user.permission_level)
    if level != user.permission_level and not may_grant(actor, level):
        raise PermissionDenied("This permission level is above your own")
    email = str(values.get("email", user.email)).lower()
    # A user name that is the email, or was, follows it.
    name = str(values.get("username", user.username) or "")
    names = {"email": email, "username": email if name.lower() in ("", user.email, email) else name}
    for field in names:
        if names[field] != getattr(user, field) and is_taken(names[field], but=user):
            raise Refusal("name-taken", f"Somebody else logs in with {names[field]}")
    for field, value in (values | names).items():
        setattr(user, field, value)


def _set_pin(user: User, pin: str | None, actor: Actor, values: dict[str, Any]) -> bool:
    """Whether there was one. Whether the person has to change it, the request may say itself."""
    if pin is None:
        return False
    set_pin(user, pin, actor=actor)
    user.pin_must_change = bool(pin) and values.get("pin_must_change", user.pin_must_change)
    return True


def _set_password(user: User, password: str) -> None:
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise ValidationError({"password": error.messages}) from None
    user.set_password(password)


def password_changed(user: User, changes: Mapping[str, object]) -> None:
    """End the person's login sessions: the stored password changed, in the admin, over REST, or by a command.

    At a log-in Django may only hash the same password anew. Then `_password` is None; a new password stands there until
    it is saved.
    """
    if vars(user).get("_password") is not None or not user.has_usable_password():
        LoginSession.objects.filter(user=user, revoked_at=None).update(revoked_at=timezone.now())
        forget_actors()


def no_administrator() -> Iterator[Defect]:
    if not User.objects.filter(is_superuser=True, is_active=True).exists():
        yield Defect("no-administrator", "Nobody can log in as administrator.", MAKE_ONE)


MAKE_ONE = "manage.py createsuperuser --email …; it asks for the password (DJANGO_SUPERUSER_PASSWORD with --noinput)."
ADMINISTRATORS = HealthCheck("administrators", no_administrator, {})
