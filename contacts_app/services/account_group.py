"""Account groups by their names, which is all that providers' APIs know of them."""

from collections.abc import Iterable

from django.db import IntegrityError, transaction
from django.db.models import Value
from django.db.models.functions import Lower

from contacts_app.models import Account, AccountGroup


def _find(name: str, owner: Account | None) -> AccountGroup | None:
    # Both sides are lowered by the database, whose notion of letters is that of the unique constraint.
    named = AccountGroup.objects.annotate(lower_name=Lower("name")).filter(lower_name=Lower(Value(name)))
    return named.filter(account=owner).first()


def _make(name: str, owner: Account | None) -> AccountGroup | None:
    try:
        with transaction.atomic():
            return AccountGroup.objects.create(account=owner, name=name)
    except IntegrityError:  # Somebody made it in this moment.
        return None


@transaction.atomic
def groups_named(names: Iterable[str], *, owner: Account | None) -> list[AccountGroup]:
    """The owner's groups with these names in whatever case, in this order and each once; missing ones are made."""
    found = {}
    for name in names:
        group = _find(name, owner) or _make(name, owner) or _find(name, owner)
        if group is not None:
            found[group.pk] = group
    return list(found.values())
