"""*Numbers* in the portal: each flag lets people change its own text, and strangers' numbers are not there."""

import pytest
from django.urls import reverse

from contacts_app.core.actor import system
from profiles_app.messaging.models import NumberLease
from profiles_app.messaging.services import save_number_lease
from profiles_app.numbers.models import NumberOrder
from profiles_app.numbers.services import refuse_order
from tests.profiles_app.visitors import grant, visit

pytestmark = pytest.mark.django_db
ACTOR = system("test")
TEXTS = {"description": "Edit Descriptions", "destination": "Edit Destinations", "site": "Edit Sites"}


@pytest.fixture
def number(acme, other):
    save_number_lease(NumberLease(account=other, tn=12025550102), actor=ACTOR)
    return save_number_lease(NumberLease(account=acme, tn=12025550101, description="Reception"), actor=ACTOR)


def one(lease):
    return reverse("portal:numbers-one", args=[lease.pk])


def test_numbers_of_the_account_are_shown(acme, alice, number):
    grant(acme, "View Numbers")
    desk = visit(alice)
    shown = desk.get(reverse("portal:numbers")).content.decode()
    assert "+12025550101" in shown
    assert "Reception" in shown
    assert "+12025550102" not in shown
    assert desk.get(one(NumberLease.objects.get(tn=12025550102))).status_code == 404
    assert 'name="site"' not in desk.get(one(number)).content.decode()


@pytest.mark.parametrize("allowed", TEXTS)
def test_each_flag_opens_its_own_text(acme, alice, number, allowed):
    grant(acme, "View Numbers", TEXTS[allowed])
    desk = visit(alice)
    for name in TEXTS:
        answer = desk.post(one(number), {name: f"New {name}"})
        assert answer.status_code == (302 if name == allowed else 404)
    number.refresh_from_db()
    assert getattr(number, allowed) == f"New {allowed}"
    assert sum(getattr(number, name).startswith("New") for name in TEXTS) == 1
    assert number.modified_by == alice
    assert desk.post(one(number), {allowed: "x" * 300}).status_code == 400


def test_numbers_are_ordered_and_orders_withdrawn(acme, alice, number):
    grant(acme, "View Numbers", "Order Numbers")
    desk, url = visit(alice), reverse("portal:numbers-order")
    assert desk.get(url).status_code == 200
    assert desk.post(url, {"quantity": 0}).status_code == 400
    for _ in range(2):
        assert (
            desk.post(url, {"quantity": 2, "kind": "tollfree", "prefix": "1800", "note": "Hotline"}).status_code == 302
        )
    second, first = NumberOrder.objects.all()
    assert (first.account, first.quantity, first.kind, first.created_by) == (acme, 2, "tollfree", alice)
    refuse_order(first, actor=ACTOR, answer="None left")
    assert "None left" in desk.get(reverse("portal:numbers")).content.decode()
    for order in (first, second):
        assert desk.post(reverse("portal:numbers-withdraw", args=[order.pk])).status_code == 302
    assert list(NumberOrder.objects.all()) == [first]
    grant(acme, "View Numbers")
    assert desk.get(url).status_code == 404


def test_an_open_order_is_shown_however_many_came_after_it(acme, alice):
    grant(acme, "View Numbers", "Order Numbers")
    waiting, *others = (NumberOrder.objects.create(account=acme, quantity=number) for number in range(7, 32))
    for order in others:
        refuse_order(order, actor=ACTOR)
    shown = visit(alice).get(reverse("portal:numbers")).content.decode()
    assert reverse("portal:numbers-withdraw", args=[waiting.pk]) in shown
    assert "7 × Either kind" in shown
    assert shown.count("Refused") == 20
