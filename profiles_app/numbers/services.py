"""Giving numbers from the stock to accounts, taking them back, and orders, which staff fulfil or refuse.

A number goes to one account: the row in the stock is locked while it is given, and leases are unique by number.
"""

from collections.abc import Collection, Mapping
from itertools import islice

from django.db import transaction
from django.db.models import QuerySet

from contacts_app.accounts.models import Account
from contacts_app.core.actor import Actor
from contacts_app.core.errors import Refusal
from contacts_app.core.history.records import update_recorded
from contacts_app.core.lists.search import number_match
from contacts_app.core.work import clock
from profiles_app.messaging.models import MessagingProfile, NumberLease
from profiles_app.messaging.services import kind_of, save_number_lease
from profiles_app.numbers.models import NumberOrder, StockNumber
from profiles_app.sip.models import SipRecord
from profiles_app.sip.services import route_number

State = NumberOrder.State


@transaction.atomic
def take_number(
    *,
    account: Account,
    tn: int,
    actor: Actor,
    profile: MessagingProfile | None = None,
    targets: Mapping[str, SipRecord | None] | None = None,
    order: NumberOrder | None = None,
    **fields: object,
) -> NumberLease:
    """Lease a number of the stock to the account. `fields` are further columns of the lease."""
    stock = StockNumber.objects.select_for_update().filter(tn=tn).first()
    if stock is None:
        raise Refusal("no-number", f"The number {tn} is not in stock")
    if stock.lease_id or NumberLease.objects.filter(tn=tn).exists():
        raise Refusal("number-taken", f"The number {tn} is taken")
    lease = save_number_lease(NumberLease(account=account, tn=tn, messaging_profile=profile, **fields), actor=actor)
    stock.lease, stock.order = lease, order
    stock.save(update_fields=["lease", "order", "updated_at"])
    if chosen := {name: target for name, target in (targets or {}).items() if target is not None}:
        route_number(lease, chosen)
    return lease


@transaction.atomic
def return_number(lease: NumberLease) -> None:
    """Give a number back: its lease ends with everything of its own, and the number is free in the stock."""
    stock, is_new = StockNumber.objects.get_or_create(tn=lease.tn, defaults={"kind": kind_of(lease.tn)})
    if not is_new:
        stock.lease = stock.order = None
        stock.save(update_fields=["lease", "order", "updated_at"])
    lease.delete()


def save_stock_number(stock: StockNumber) -> StockNumber:
    """Store a number of the stock. One that an account leases already is not free."""
    stock.kind = kind_of(stock.tn)
    if stock.lease_id is None:
        stock.lease = NumberLease.objects.filter(tn=stock.tn).first()
    stock.save()
    return stock


def free_numbers(*, kind: str = "", prefix: str = "") -> QuerySet[StockNumber]:
    """What can be leased, by number. A number that staff have leased out beside the stock is not among them."""
    free = StockNumber.objects.filter(lease=None).order_by("tn")
    free = free.filter(kind=kind) if kind else free
    return free.filter(number_match("tn", prefix)) if prefix else free


def place_order(order: NumberOrder, *, actor: Actor) -> NumberOrder:
    """Store a new order. What it names is of its account; numbers that are asked for by name are in stock and free."""
    for thing in (order.messaging_profile, order.sip_connection, order.sip_control_app):
        if thing is not None and thing.account_id != order.account_id:
            raise Refusal("other-account", f"{thing._meta.verbose_name} not found".capitalize())
    if order.wanted:
        order.quantity = len(order.wanted)
        free = set(StockNumber.objects.filter(lease=None, tn__in=order.wanted).values_list("tn", flat=True))
        if missing := set(order.wanted) - free:
            raise Refusal("no-number", f"The number {min(missing)} is not free")
    order.stamp_author(actor)
    order.save()
    return order


def proposal(order: NumberOrder) -> list[int]:
    """Numbers of the stock that fulfil the order, as far as there are."""
    if order.wanted:
        return sorted(order.wanted)
    free = free_numbers(kind=order.kind, prefix=order.prefix).values_list("tn", flat=True)
    return list(islice(free.iterator(), order.quantity))


@transaction.atomic
def fulfil(order: NumberOrder, *, numbers: Collection[int], actor: Actor, answer: str = "") -> list[NumberLease]:
    """Lease these numbers to the account of an open order: all of them, or none and the order stays open."""
    order = _open(order)
    if not numbers:
        raise Refusal("no-number", "No number is named")
    leases = [
        take_number(
            account=order.account,
            tn=tn,
            actor=actor,
            profile=order.messaging_profile,
            targets={"sip_connection": order.sip_connection, "sip_control_app": order.sip_control_app},
            order=order,
            autorenew=order.autorenew,
        )
        for tn in sorted(set(numbers))
    ]
    _decide(order, State.SUCCESS, actor, answer)
    return leases


@transaction.atomic
def refuse_order(order: NumberOrder, *, actor: Actor, answer: str = "") -> None:
    _decide(_open(order), State.FAILED, actor, answer)


def take_up(order: NumberOrder) -> None:
    """Show the account that the operator works on its order."""
    update_recorded(NumberOrder.objects.filter(pk=order.pk, state=State.CREATED), state=State.PROCESSING)


@transaction.atomic
def withdraw(order: NumberOrder) -> None:
    """The account no longer wants what it ordered; an order that is decided stays as a record."""
    _open(order).delete()


def _open(order: NumberOrder) -> NumberOrder:
    """The order, locked, so that it is decided once."""
    order = NumberOrder.objects.select_for_update(of=("self",)).select_related("account").get(pk=order.pk)
    if not order.is_open:
        raise Refusal("order-decided", f"This order is decided: {order.get_state_display().lower()}")
    return order


def _decide(order: NumberOrder, state: State, actor: Actor, answer: str) -> None:
    order.state, order.answer, order.decided_at, order.decided_by = state, answer, clock.now(), actor.user
    order.save(update_fields=["state", "answer", "decided_at", "decided_by", "updated_at"])
