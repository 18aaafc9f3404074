"""The stock of numbers, which is the staff's, and orders: accounts place them, staff fulfil or refuse them."""

import re
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from unfold.contrib.filters.admin import DropdownFilter
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from contacts_app.core.admin.base import PortalAdmin, button
from contacts_app.core.admin.columns import ago_column, column
from contacts_app.core.admin.forms import SameAccountForm
from contacts_app.core.admin.frame import actor_of
from contacts_app.core.admin.links import of_address, page_of
from contacts_app.core.counted import counted
from contacts_app.core.csv.admin import CsvPages
from contacts_app.core.errors import Refusal
from contacts_app.core.values import compact
from profiles_app.messaging.admin.profile import RECORD, OwnedAdmin, telephone_numbers
from profiles_app.numbers.csv import StockCsv
from profiles_app.numbers.models import NumberOrder, StockNumber
from profiles_app.numbers.services import fulfil, place_order, proposal, refuse_order, save_stock_number, take_up

STATE_LABELS = {
    "Ordered": "warning",
    "Being checked": "info",
    "In progress": "info",
    "Fulfilled": "success",
    "Refused": "danger",
}


# Of the numbers that came with an order so many are named: the stock's list has all of them.
SHOWN = 100


def _first_of(numbers: QuerySet[Any]) -> str:
    found = [f"+{number}" for number in numbers[: SHOWN + 1]]
    return ", ".join(found[:SHOWN]) + (" …" if len(found) > SHOWN else "")


class UseFilter(DropdownFilter):
    title = "use"
    parameter_name = "use"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        return [("free", "Free"), ("leased", "Leased")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        wanted = {"free": Q(lease=None), "leased": ~Q(lease=None)}.get(self.value() or "")
        return queryset if wanted is None else queryset.filter(wanted)


@admin.register(StockNumber)
class StockNumberAdmin(CsvPages, PortalAdmin):
    """What is in stock, and which account leases what, is the staff's to know."""

    csv_format = StockCsv
    tenant_path = None
    actions = ["export_selected"]
    list_display = ("number", "kind", "region", "provider", "monthly_price", "use", "account")
    list_select_related = ("lease__account",)
    list_filter = ("kind", UseFilter)
    search_fields = ("region",)
    search_help_text = "Number in any spelling, or region"
    ordering = ("tn",)
    readonly_fields = ("kind", "use", "account", "order", "created_at", "updated_at")
    number = column("Number", lambda row: f"+{row.tn}", ordering="tn")
    account = column("Account", lambda row: row.lease and row.lease.account)
    fieldsets = (
        (None, {"fields": ("tn", "kind", "region", "provider", "monthly_price")}),
        ("Lease", {"fields": ("use", "account", "order")}),
        ("Record", {"fields": (("created_at", "updated_at"),)}),
    )

    def tenant_rows(self, request: HttpRequest) -> QuerySet[StockNumber]:
        rows = super().tenant_rows(request)
        return rows if actor_of(request).is_staff else rows.none()

    def get_readonly_fields(self, request: HttpRequest, obj: object = None) -> tuple[str, ...]:
        always = super().get_readonly_fields(request, obj)
        return (*always, "tn") if obj else always

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return super().has_change_permission(request, obj) and actor_of(request).is_staff

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """A number that an account leases stays in the stock."""
        leased = isinstance(obj, StockNumber) and obj.lease_id is not None
        return super().has_delete_permission(request, obj) and actor_of(request).is_staff and not leased

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[StockNumber]) -> None:
        super().delete_queryset(request, queryset.filter(lease=None))

    def _require_import(self, request: HttpRequest) -> None:
        super()._require_import(request)
        if not actor_of(request).is_staff:
            raise PermissionDenied

    def save_model(self, request: HttpRequest, obj: StockNumber, form: object, change: bool) -> None:
        save_stock_number(obj)

    def term_match(self, term: str) -> Q:
        return telephone_numbers(term)

    @display(description="Use", label={"Free": "success", "Leased": ""})
    def use(self, row: StockNumber) -> str:
        return "Leased" if row.lease_id else "Free"


class NumberOrderForm(SameAccountForm):
    same_account = {
        "messaging_profile": "This messaging profile belongs to another account.",
        "sip_connection": "This SIP connection belongs to another account.",
        "sip_control_app": "This SIP control app belongs to another account.",
    }

    class Meta:
        model = NumberOrder
        fields = "__all__"


class DecisionForm(forms.Form):
    numbers = forms.CharField(
        required=False,
        widget=UnfoldAdminTextareaWidget,
        help_text="From the stock, one a line. The order is fulfilled with all of them or not at all.",
    )
    answer = forms.CharField(
        required=False, max_length=255, widget=UnfoldAdminTextInputWidget, help_text="What the account is told."
    )

    def clean_numbers(self) -> list[int]:
        words = re.split(r"[,;\n]+", self.cleaned_data["numbers"])
        spelt = [compact(word.strip()).removeprefix("+") for word in words]
        if wrong := [word for word in spelt if word and not (word.isascii() and word.isdecimal() and len(word) < 16)]:
            raise forms.ValidationError(f"{wrong[0][:40]} is no telephone number.")
        return [int(word) for word in spelt if word]


ASKED = ("quantity", "kind", "prefix", "note", "autorenew", "messaging_profile", "sip_connection", "sip_control_app")


@admin.register(NumberOrder)
class NumberOrderAdmin(OwnedAdmin):
    form = NumberOrderForm
    list_display = ("what", "account", "state_here", "prefix", "note", "ordered", "decided_at")
    list_filter = (("state", admin.ChoicesFieldListFilter), "account")
    ordering = ("-created_at", "-pk")
    autocomplete_fields = ("account", "messaging_profile", "sip_connection", "sip_control_app")
    readonly_fields = (
        *(*OwnedAdmin.readonly_fields, "state_here", "answer", "decided_at", "decided_by", "wanted_here", "given"),
    )
    # An order is what was asked for; who wants something else places another one.
    chosen_once = ("account", *ASKED)
    actions_detail = ["work_on_it", "decide"]
    pages = {"decide": "<int:pk>/decide/"}
    what = column("Order", str, ordering="created_at")
    ordered = ago_column("created_at", "Ordered")
    wanted_here = column("These numbers", lambda row: ", ".join(f"+{tn}" for tn in row.wanted))
    given = column("Numbers that came", lambda row: _first_of(row.numbers.values_list("tn", flat=True)))
    fieldsets = (
        (None, {"fields": ("account", *ASKED)}),
        ("Decision", {"fields": ("state_here", "wanted_here", "given", "answer", "decided_at", "decided_by")}),
        ("Record", {"fields": RECORD}),
    )

    def has_decide_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        """Orders are decided by the operator, not by those who place them."""
        if not (self.has_change_permission(request) and actor_of(request).is_staff):
            return False
        return object_id is None or any(row.is_open for row in of_address(self.all_rows(request), object_id))

    def save_model(self, request: HttpRequest, obj: NumberOrder, form: object, change: bool) -> None:
        if not change:
            place_order(obj, actor=actor_of(request))

    @button(
        "Work on it…",
        question="Show {0.account} that its order is in progress?",
        yes="Show",
        logged="In progress.",
        done="The account sees that its order is in progress.",
        icon="hourglass_top",
        permission="decide",
    )
    def work_on_it(self, request: HttpRequest, order: NumberOrder) -> None:
        take_up(order)

    @action(description="Decide…", icon="check", permissions=["decide"])
    def decide(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return HttpResponseRedirect(self.url_of("decide", self.row_or_404(request, object_id).pk))

    def decide_page(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Fulfil the order with numbers of the stock, those that fit being proposed, or refuse it."""
        order = self.row_or_404(request, pk)
        if not self.has_decide_permission(request, pk):
            raise Http404
        posted = request.POST if request.method == "POST" else None
        form = DecisionForm(posted, initial={"numbers": "\n".join(map(str, proposal(order)))})
        if form.is_bound and form.is_valid():
            try:
                return self._decided(request, order, **form.cleaned_data)
            except Refusal as refusal:
                form.add_error(None if request.POST.get("decision") == "refuse" else "numbers", refusal.message)
        asked = [(name, getattr(order, name)) for name in ASKED[:4]]
        asked.append(("these numbers", ", ".join(map(str, order.wanted))))
        shown = [(str(what).capitalize(), value) for what, value in asked if value]
        title = f"Decide about {order} of {order.account}"
        return self.page(
            request, "profiles_app/numbers/decide.html", title, form=form, asked=shown, back=page_of(order)
        )

    def _decided(self, request: HttpRequest, order: NumberOrder, numbers: list[int], answer: str) -> HttpResponse:
        actor = actor_of(request)
        if request.POST.get("decision") == "refuse":
            refuse_order(order, actor=actor, answer=answer)
            done = "Refused."
        else:
            leases = fulfil(order, numbers=numbers, actor=actor, answer=answer)
            done = f"Fulfilled with {counted(len(leases), 'number')}."
        self.log_change(request, order, done)
        messages.success(request, done)
        return HttpResponseRedirect(page_of(order))

    @display(description="State", ordering="state", label=STATE_LABELS)
    def state_here(self, order: NumberOrder) -> str:
        return str(order.get_state_display())
