"""Accounts: stored, served as customers, put into groups, named in CSV, and deleted.

What is deleted with an account and what stands in the way is shown before, and checked again while it is done.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from graphlib import TopologicalSorter
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction
from django.db.models import (
    CASCADE,
    PROTECT,
    RESTRICT,
    Exists,
    OuterRef,
    ProtectedError,
    Q,
    QuerySet,
    RestrictedError,
    Value,
)
from django.db.models.functions import Lower

from contacts_app.accounts.models import Account, AccountGroup, Extension
from contacts_app.core.actor import Actor
from contacts_app.core.csv.columns import Column
from contacts_app.core.errors import Refusal
from contacts_app.core.history.models import recorded_together, tracked_models

FIRST_VOIP_ID = 1_000_001
_followers: list[Callable[[Account], None]] = []
_blockers: list[Callable[[Sequence[Account]], list[str]]] = []


def register_follower(follow: Callable[[Account], None]) -> None:
    """Add what is done when an account's email is new or changed, in the same transaction. Called from `ready`."""
    _followers.append(follow)


def register_blocker(reasons: Callable[[Sequence[Account]], list[str]]) -> None:
    """Add why accounts cannot be deleted now, as sentences. Called from `ready`."""
    _blockers.append(reasons)


@transaction.atomic
def create_account(*, name: str, email: str, voip_id: int | None = None) -> Account:
    """A new account. Raises ValidationError when the voip_id is taken or malformed."""
    if voip_id is None:
        highest = Account.objects.aggregate(highest=models.Max("voip_id"))["highest"]
        voip_id = max(FIRST_VOIP_ID, (highest or 0) + 1)
    account = Account(name=name, email=email.lower(), voip_id=voip_id)
    account.full_clean()
    save_account(account)
    return account


@transaction.atomic
def save_account(account: Account) -> None:
    """Store a new or changed account, and what follows its email if that is new."""
    stored = Account.objects.select_for_update().filter(pk=account.pk).values_list("email", flat=True)
    is_same = stored.first() == account.email
    account.save()
    for follow in () if is_same else _followers:
        follow(account)


def ensure_extension(*, account: Account, number: int) -> Extension:
    """The account's extension with this number, made if it is missing."""
    extension, _ = Extension.objects.get_or_create(account=account, number=number)
    return extension


def customers_of(actor: Actor) -> "models.QuerySet[Account]":
    """The accounts that the actor serves: of staff all, of a tenant its own and those directly beneath it."""
    rows = Account.objects.all()
    if actor.account is None:
        return actor.sees(rows)
    return rows.filter(models.Q(pk=actor.account.pk) | models.Q(parent=actor.account))


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


class AccountColumn(Column):
    """The account's VoIP id. Tenants know no account but their own, and need not name it."""

    fixed = True
    related = ("account",)

    def __init__(self, actor: Actor) -> None:
        super().__init__("account", note="VoIP id; cannot be changed.")
        self.actor = actor
        self._known: dict[int, Account] = {}
        self._only = actor.account

    def prepare(self, cells: set[str]) -> None:
        numbers = {int(cell) for cell in cells if cell.isdecimal() and len(cell) < 19} - self._known.keys()
        if numbers:
            mine = self.actor.account
            found = [mine] if mine else Account.objects.filter(voip_id__in=numbers)
            self._known |= {account.voip_id: account for account in found}
        if "" in cells and self._only is None:
            # Staff may leave the account out where there is one only.
            accounts = list(Account.objects.all()[:2])
            self._only = accounts[0] if len(accounts) == 1 else None

    def write(self, row: Any) -> str:
        return str(row.account.voip_id)

    def read(self, cell: str, values: Mapping[str, Any]) -> Account:
        account = self._only if not cell else self._known.get(int(cell)) if cell.isdecimal() else None
        if account is None:
            raise ValidationError("No such account." if cell else "Say which account it belongs to.")
        return account


# Of each kind so many are named, and so many counted: of more it is said that there are more.
NAMED, COUNTED = 10, 1_000

Model = type[models.Model]


@dataclass(frozen=True)
class Going:
    """The rows of one kind that go along with the accounts."""

    model: Model
    rows: "QuerySet[Any]"
    count: int

    def told(self, less: int = 0) -> str:
        """How many there are, without so many of them."""
        return f"more than {COUNTED - less:,}" if self.count > COUNTED else str(self.count - less)

    @property
    def names(self) -> list[str]:
        """The first few; what names them need not be deciphered."""
        secret = tracked_models[self.model].secret if self.model in tracked_models else ()
        return [str(row) for row in self.rows.defer(*secret)[:NAMED]]


def what_goes(accounts: Iterable[Account]) -> list[Going]:
    """The accounts and everything that the database deletes with them, by kind."""
    reached = _going(accounts, row_by_row=True)
    found = [Going(model, rows, rows.order_by()[: COUNTED + 1].count()) for model, rows in reached.items()]
    return [going for going in found if going.count and not going.model._meta.auto_created]


def what_blocks(accounts: Sequence[Account]) -> list[str]:
    """Why the accounts cannot be deleted now, as sentences; empty when they can."""
    going = _going(accounts)
    told = [reason for blocker in _blockers for reason in blocker(accounts)]
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


def _relations(model: Model, *rules: object) -> list[Any]:
    fields: list[Any] = list(model._meta.get_fields(include_hidden=True))
    pointing = [field for field in fields if field.auto_created and not field.concrete]
    return [
        relation
        for relation in pointing
        if (relation.one_to_one or relation.one_to_many) and relation.on_delete in rules
    ]


def _going(accounts: Iterable[Account], *, row_by_row: bool = False) -> dict[Model, "QuerySet[Any]"]:
    """By model the rows that the cascade reaches, as queries: nothing is loaded, however many there are.

    `row_by_row`: of each row it is asked whether it is reached, for who wants a few. Otherwise the database gathers first
    what rows are reached from, which for a table of three rows may be a hundred thousand phones.
    """
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
            if row_by_row:
                reached |= Q(Exists(rows[source].filter(pk=OuterRef(field))))
            else:
                reached |= Q(**{f"{field}__in": rows[source].values("pk")})
        rows[model] = model._base_manager.filter(reached)
    return rows
