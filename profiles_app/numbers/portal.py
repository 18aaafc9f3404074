"""*Numbers* in the self-service portal: an account's numbers, what it says of them, and orders of more."""

from django import forms
from django.contrib import messages
from django.db.models import Q, QuerySet
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.timezone import localdate
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from contacts_app.core.errors import Refusal
from profiles_app.messaging.models import NumberLease
from profiles_app.messaging.services import describe_number, is_healthy
from profiles_app.myaccount.portal.pages import (
    OPEN,
    Fact,
    HomePanel,
    Page,
    PortalRequest,
    Visitor,
    register_panel,
    show,
)
from profiles_app.myaccount.portal.parts import Cell, Heading, Table, page_of
from profiles_app.numbers.models import OPEN_STATES, NumberOrder
from profiles_app.numbers.services import place_order, withdraw

PAGE = Page("numbers", gettext_lazy("Numbers"), place=50)
# Which button each of the number's own texts needs.
BUTTONS = {"description": "descriptions", "destination": "destinations", "site": "sites"}
TEMPLATES = "profiles_app/numbers/portal"
# Of orders that are decided.
MOST_ORDERS = 20


def leases_of(visitor: Visitor) -> QuerySet[NumberLease]:
    return visitor.actor.sees(NumberLease.objects.select_related("messaging_profile")).order_by("tn")


def orders_of(visitor: Visitor) -> QuerySet[NumberOrder]:
    return visitor.actor.sees(NumberOrder.objects.all())


class NumberForm(forms.ModelForm):  # type: ignore[type-arg]
    """Only what the visitor may change is in it."""

    class Meta:
        model = NumberLease
        fields = tuple(BUTTONS)
        labels = {
            "description": gettext_lazy("Description"),
            "destination": gettext_lazy("Destination"),
            "site": gettext_lazy("Site"),
        }
        help_texts = {
            "description": gettext_lazy("What the number is for."),
            "destination": gettext_lazy("Where calls go: an extension, a number or a SIP address."),
            "site": gettext_lazy("The place that the number belongs to."),
        }

    def __init__(self, *args: object, may: set[str], **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        for name in BUTTONS.keys() - may:
            del self.fields[name]


KINDS: dict[str, str | Promise] = {
    "": gettext_lazy("Either kind"),
    NumberLease.Kind.LONG_CODE: gettext_lazy("Ordinary"),
    NumberLease.Kind.TOLLFREE: gettext_lazy("Toll-free"),
}


def described(order: NumberOrder) -> str:
    return f"{order.quantity} × {KINDS[order.kind]}"


class OrderForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = NumberOrder
        fields = ("quantity", "kind", "prefix", "note")
        labels = {
            "quantity": gettext_lazy("How many"),
            "kind": gettext_lazy("Kind"),
            "prefix": gettext_lazy("Begin with"),
            "note": gettext_lazy("Note"),
        }
        help_texts = {
            "quantity": gettext_lazy("1 to 100."),
            "prefix": gettext_lazy("Digits, such as 4420; empty: any."),
            "note": gettext_lazy("What the operator should know."),
        }

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.fields["kind"] = forms.ChoiceField(
            label=self.fields["kind"].label, choices=list(KINDS.items()), required=False
        )


def _row(lease: NumberLease) -> list[object]:
    health = Cell(_("Healthy"), tone="good") if is_healthy(lease) else Cell(_("Unhealthy"), tone="bad")
    number = Cell(f"+{lease.tn}", path=reverse("portal:numbers-one", args=[lease.pk]))
    return [number, lease.description, lease.destination, lease.site, lease.messaging_profile.name, health]


State = NumberOrder.State
STATES = {
    State.CREATED: (gettext_lazy("Ordered"), "warn"),
    State.VERIFY: (gettext_lazy("Being checked"), "warn"),
    State.PROCESSING: (gettext_lazy("In progress"), "warn"),
    State.SUCCESS: (gettext_lazy("Fulfilled"), "good"),
    State.FAILED: (gettext_lazy("Refused"), "bad"),
}


def _order_row(order: NumberOrder) -> list[object]:
    text, tone = STATES[State(order.state)]
    state = Cell(text, tone=tone, note=order.answer)
    return [localdate(order.created_at).isoformat(), described(order), order.prefix, order.note, state]


def _orders(visitor: Visitor) -> tuple[list[NumberOrder], list[NumberOrder]]:
    """All that are open, however old, and the last ones that are decided."""
    orders = orders_of(visitor)
    is_open = Q(state__in=OPEN_STATES)
    return list(orders.filter(is_open)), list(orders.exclude(is_open)[:MOST_ORDERS])


@PAGE.url()
def numbers(request: PortalRequest) -> HttpResponse:
    found, pager = page_of(request, leases_of(request.visitor))
    columns = [_("Number"), _("Description"), _("Destination"), _("Site"), _("Campaign"), _("Health")]
    may_order = PAGE.is_open(request.visitor, "order")
    waiting, decided = _orders(request.visitor) if may_order else ([], [])
    asked = [_("Ordered"), _("Numbers"), _("Begin with"), _("Note"), _("State")]
    shown = {
        "table": Table([Heading(label) for label in columns], [_row(lease) for lease in found], pager=pager),
        "may_order": may_order,
        "orders": Table([Heading(label) for label in asked], [_order_row(order) for order in (*waiting, *decided)]),
        "open_orders": [(order, described(order)) for order in waiting],
    }
    return show(request, f"{TEMPLATES}/numbers.html", shown)


@PAGE.url("<int:pk>/", "one", post=OPEN)
def number(request: PortalRequest, pk: int) -> HttpResponse:
    """One number: what the profile lets people change is a form, the rest is shown."""
    lease = get_object_or_404(leases_of(request.visitor), pk=pk)
    may = {name for name, button in BUTTONS.items() if PAGE.is_open(request.visitor, button)}
    posted = request.POST if request.method == "POST" else None
    if posted is not None:
        for name in BUTTONS.keys() & posted.keys():
            PAGE.require(request.visitor, BUTTONS[name])
    form = NumberForm(posted, instance=lease, may=may)
    if form.is_bound and form.is_valid():
        if changed := {name: form.cleaned_data[name] for name in form.changed_data}:
            describe_number(lease, actor=request.visitor.actor, **changed)
        messages.success(request, _("Saved."))
        return HttpResponseRedirect(reverse("portal:numbers"))
    details = [(NumberForm.Meta.labels[name], getattr(lease, name)) for name in BUTTONS if name not in may]
    shown = {"form": form, "may": may, "title": f"+{lease.tn}", "details": details, "back": PAGE.path}
    return show(request, f"{TEMPLATES}/number.html", shown, status=400 if form.errors else 200)


@PAGE.url("order/", "order", get="order", post="order")
def order_numbers(request: PortalRequest) -> HttpResponse:
    """A request to the operator, who fulfils or refuses it."""
    order = NumberOrder(account=request.visitor.account)
    form = OrderForm(request.POST if request.method == "POST" else None, instance=order)
    if form.is_bound and form.is_valid():
        place_order(order, actor=request.visitor.actor)
        messages.success(request, _("The order is placed. The operator fulfils or refuses it."))
        return HttpResponseRedirect(PAGE.path)
    shown = {"form": form, "title": _("Order numbers"), "save": _("Order"), "back": PAGE.path}
    return show(request, "profiles_app/myaccount/portal/form.html", shown, status=400 if form.errors else 200)


@PAGE.url("orders/<int:pk>/withdraw/", "withdraw", get=None, post="order")
def withdraw_order(request: PortalRequest, pk: int) -> HttpResponse:
    try:
        withdraw(get_object_or_404(orders_of(request.visitor), pk=pk))
        messages.success(request, _("The order is withdrawn."))
    except Refusal:
        messages.error(request, _("The order is decided already."))
    return HttpResponseRedirect(PAGE.path)


def _facts(visitor: Visitor) -> list[Fact]:
    count = leases_of(visitor).count()
    facts = [Fact(_("Numbers"), count, PAGE.path)]
    if waiting := orders_of(visitor).filter(state__in=OPEN_STATES).count():
        facts.append(Fact(_("Open orders"), waiting, PAGE.path))
    return facts


register_panel(HomePanel(PAGE, _facts))
