"""Deleting accounts: what goes with them and what stands in the way, told before and checked again while it is done."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from graphlib import TopologicalSorter
from typing import Any

from django.db import models, transaction
from django.db.models import CASCADE, PROTECT, RESTRICT, ProtectedError, Q, QuerySet, RestrictedError

from contacts_app.models import Account
from contacts_app.models.history import recorded_together, tracked_models
from contacts_app.services.errors import Refusal
from contacts_app.signals import deleting_accounts

# Of each kind so many are named; all are counted.
NAMED = 10

Model = type[models.Model]


@dataclass(frozen=True)
class Going:
    """The rows of one kind that go along with the accounts."""

    model: Model
    rows: "QuerySet[Any]"
    count: int

    @property
    def names(self) -> list[str]:
        """The first few; what names them need not be deciphered."""
        secret = tracked_models[self.model].secret if self.model in tracked_models else ()
        return [str(row) for row in self.rows.defer(*secret)[:NAMED]]


def what_goes(accounts: Iterable[Account]) -> list[Going]:
    """The accounts and everything that the database deletes with them, by kind."""
    found = [Going(model, rows, rows.count()) for model, rows in _going(accounts).items()]
    return [going for going in found if going.count and not going.model._meta.auto_created]


def what_blocks(accounts: Sequence[Account]) -> list[str]:
    """Why the accounts cannot be deleted now, as sentences; empty when they can."""
    going = _going(accounts)
    told = [
        reason
        for _, reasons in deleting_accounts.send(Account, accounts=accounts)
        for reason in reasons or ()
    ]
    for model, rows in going.items():
        for relation in _relations(model, PROTECT, RESTRICT):
            related = relation.related_model
            staying = related._base_manager.filter(**{f"{relation.field.name}__in": rows.values("pk")})
            if related in going:
                staying = staying.exclude(pk__in=going[related].values("pk"))
            if number := staying.count():
                names = ", ".join(str(row) for row in staying[:NAMED])
                kind = related._meta.verbose_name if number == 1 else related._meta.verbose_name_plural
                told.append(f"{number} {kind} elsewhere: {names}{' …' if number > NAMED else ''}")
    return told


def delete_accounts(accounts: Iterable[Account]) -> None:
    """All of them or none, customers before those they are customers of. Raises Refusal `account-in-use`."""
    with transaction.atomic():
        keys = [account.pk for account in accounts]
        # The lock keeps new rows from joining an account while it goes.
        locked = list(Account.objects.select_for_update().filter(pk__in=keys).order_by("pk"))
        if reasons := what_blocks(locked):
            raise Refusal("account-in-use", " ".join(f"{reason.rstrip('.')}." for reason in reasons))
        try:
            with recorded_together():
                for account in _customers_first(locked):
                    account.delete()
        except (ProtectedError, RestrictedError) as error:
            raise Refusal("account-in-use", f"Something came in between: {error.args[0]}") from None


def _customers_first(accounts: Sequence[Account]) -> Iterator[Account]:
    by_key = {account.pk: account for account in accounts}
    parents: TopologicalSorter[int] = TopologicalSorter(dict.fromkeys(by_key, ()))
    for account in accounts:
        if account.parent_id in by_key:
            parents.add(account.parent_id, account.pk)
    return (by_key[key] for key in parents.static_order())


def _relations(model: Model, *rules: Any) -> list[Any]:
    fields: list[Any] = list(model._meta.get_fields(include_hidden=True))
    pointing = [field for field in fields if field.auto_created and not field.concrete]
    return [
        relation
        for relation in pointing
        if (relation.one_to_one or relation.one_to_many) and relation.on_delete in rules
    ]


def _going(accounts: Iterable[Account]) -> dict[Model, "QuerySet[Any]"]:
    """By model the rows that the cascade reaches, as queries: nothing is loaded, however many there are."""
    ways: dict[Model, list[tuple[Model, str]]] = {Account: []}
    todo: list[Model] = [Account]
    while todo:
        model = todo.pop()
        for relation in _relations(model, CASCADE):
            related = relation.related_model
            # A token minted from another one is of the same account, and found by that.
            if related is model:
                continue
            if related not in ways:
                ways[related] = []
                todo.append(related)
            ways[related].append((model, relation.field.name))
    order = TopologicalSorter({model: {source for source, _ in found} for model, found in ways.items()})
    rows: dict[Model, QuerySet[Any]] = {}
    for model in order.static_order():
        reached = Q(pk__in=[account.pk for account in accounts]) if model is Account else Q(pk__in=[])
        for source, field in ways[model]:
            reached |= Q(**{f"{field}__in": rows[source].values("pk")})
        rows[model] = model._base_manager.filter(reached)
    return rows
