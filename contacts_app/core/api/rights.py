"""What staff may do over REST: what the admin lets them do (Django's permissions), whatever the dialect.

Each action of a view needs the permission of its kind on the view's model. `rights` of a view says so of its other
actions: a verb is about the view's model, a whole name about another one, and `()` means that no permission is needed.
An action without either is refused to staff; a test walks all routes and finds it.
"""

from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from typing import Any

from django.db import router
from django.db.models import Model
from django.db.models.deletion import Collector, ProtectedError, RestrictedError
from rest_framework.exceptions import PermissionDenied

from contacts_app.core.actor import Actor
from contacts_app.core.history.models import tracked_models

USUAL = {
    "list": "view",
    "retrieve": "view",
    "create": "add",
    "update": "change",
    "partial_update": "change",
    "destroy": "delete",
}


@cache
def permissions_for(view: type[Any], action: str | None, model: type[Model] | None) -> tuple[str, ...] | None:
    """The permissions that an action of a view needs; None where the view does not say."""
    own: dict[str, str | Sequence[str]] = {}
    for part in reversed(view.__mro__):
        own |= vars(part).get("rights", {})
    said = own.get(action or "", USUAL.get(action or ""))
    if said is None:
        return None
    words = (said,) if isinstance(said, str) else said
    if model is None and not all("." in word for word in words):
        return None
    return tuple(word if "." in word else permission(model, word) for word in words)


def permission(model: Any, verb: str) -> str:
    return f"{model._meta.app_label}.{verb}_{model._meta.model_name}"


def refuse_unless(actor: Actor, permissions: Sequence[str] | None) -> None:
    """Raise PermissionDenied for staff who lack one of the permissions."""
    if not actor.is_bound:
        return
    if permissions is None:
        raise PermissionDenied("This is not for staff")
    if missing := [one for one in permissions if not _has(actor, one)]:
        raise PermissionDenied(f"This needs the permission {missing[0]}")


def _has(actor: Actor, wanted: str) -> bool:
    """Who may change rows may see them, as in the admin."""
    return actor.may(wanted) or (".view_" in wanted and actor.may(wanted.replace(".view_", ".change_")))


def refuse_deletion(actor: Actor, row: Model) -> None:
    """The admin asks for the permission to delete everything that goes along with a row; so does this."""
    if not actor.is_bound:
        return
    collector = Collector(using=router.db_for_write(type(row)), origin=row)
    # What stands in the way is for the service to say.
    with suppress(ProtectedError, RestrictedError):
        collector.collect([row])
    going = {*collector.data, *(rows.model for rows in collector.fast_deletes)}
    changed_by_people = [model for model in going if model in tracked_models and not tracked_models[model].part_of]
    refuse_unless(actor, sorted(permission(model, "delete") for model in changed_by_people))
