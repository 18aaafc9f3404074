"""Number leases, which number each recipient hears from, and inbound messages with what the webhooks answered."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import DropdownFilter
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminSelectWidget

from contacts_app.core.admin.base import ReadOnlyAdmin, allowed, button
from contacts_app.core.admin.columns import column
from contacts_app.core.admin.forms import SameAccountForm
from contacts_app.core.admin.frame import actor_of
from contacts_app.core.lists.search import NOTHING, one_of, text_match
from contacts_app.core.values import digits
from profiles_app.messaging.admin.profile import RECORD, OwnedAdmin, telephone_numbers
from profiles_app.messaging.inbound import redeliver_message
from profiles_app.messaging.models import HEALTHY, InboundMessage, NumberLease, StickySender
from profiles_app.messaging.services import forget_outcomes, is_healthy, save_number_lease
from profiles_app.numbers.services import return_number
from profiles_app.sip.models import NumberRouting, SipConnection, SipControlApp, SipRecord
from profiles_app.sip.services import MODELS, route_number


def _target(model: type[SipRecord]) -> forms.ModelChoiceField:  # type: ignore[type-arg]
    return forms.ModelChoiceField(
        model._default_manager.none(),
        required=False,
        label=str(model._meta.verbose_name),
        widget=UnfoldAdminSelectWidget,
    )


class NumberLeaseForm(SameAccountForm):
    same_account = {"messaging_profile": "This messaging profile belongs to another account."}
    sip_connection = _target(SipConnection)
    sip_control_app = _target(SipControlApp)

    class Meta:
        model = NumberLease
        fields = "__all__"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if (field := self.fields.get("messaging_profile")) and self.instance.pk is None:
            field.required = False
            field.help_text = f"{field.help_text} Empty: by the account's default profile."
        routing = NumberRouting.objects.filter(lease=self.instance.pk or 0).first()
        for name, model in MODELS.items():
            if isinstance(target := self.fields.get(name), forms.ModelChoiceField):
                target.queryset = model._default_manager.filter(account=self.instance.account_id or 0)
                self.initial[name] = getattr(routing, f"{name}_id", None)


class HealthFilter(DropdownFilter):
    title = "health"
    parameter_name = "health"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        return [("healthy", "Healthy"), ("unhealthy", "Unhealthy")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        wanted = {"healthy": HEALTHY, "unhealthy": ~HEALTHY}.get(self.value() or "")
        return queryset if wanted is None else queryset.filter(wanted)


# What tenants read of a lease and staff write.
OF_STAFF = ("tn", "expires_at", "autorenew", "sent_count", "delivered_count", "spam_count")


@admin.register(NumberLease)
class NumberLeaseAdmin(OwnedAdmin):
    """Numbers are leased out by staff; their tenants choose how they are used."""

    form = NumberLeaseForm
    list_display = (
        *("number", "kind", "account", "messaging_profile", "health"),
        *("delivery", "sent_count", "autorenew", "expires_at"),
    )
    list_select_related = ("account", "messaging_profile")
    list_filter = ("kind", HealthFilter, "autorenew", "messaging_profile", "account")
    search_fields = ("account__name", "messaging_profile__name")
    search_help_text = "Number in any spelling, account or messaging profile"
    ordering = ("tn",)
    autocomplete_fields = ("account", "messaging_profile")
    actions = ["forget_health"]
    number = column("Number", lambda lease: f"+{lease.tn}", ordering="tn")
    connection = column("SIP connection", lambda lease: NumberLeaseAdmin.target(lease, "sip_connection"))
    app = column("SIP control app", lambda lease: NumberLeaseAdmin.target(lease, "sip_control_app"))
    readonly_fields = (*OwnedAdmin.readonly_fields, "kind", "health", "connection", "app")
    fieldsets = (
        (None, {"fields": ("tn", "account", "kind", "messaging_profile", "description", "site")}),
        ("Lease", {"fields": ("expires_at", "autorenew")}),
        ("Health", {"fields": ("health", ("sent_count", "delivered_count", "spam_count"))}),
        ("Record", {"fields": RECORD}),
    )

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """What calls go to is chosen among the account's own, once there is an account; else it is only shown."""
        targets = tuple(MODELS) if self.has_change_permission(request, obj) else ("connection", "app")
        first, *others = super().get_fieldsets(request, obj)
        return (first, ("Calls", {"fields": ("destination", *(targets if obj else ()))}), *others)

    def get_readonly_fields(self, request: HttpRequest, obj: object = None) -> tuple[str, ...]:
        always = super().get_readonly_fields(request, obj)
        return always if actor_of(request).is_staff else (*always, *OF_STAFF)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and actor_of(request).is_staff

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return super().has_delete_permission(request, obj) and actor_of(request).is_staff

    def save_model(self, request: HttpRequest, obj: NumberLease, form: Any, change: bool) -> None:
        save_number_lease(obj, actor=actor_of(request))
        if targets := {name: form.cleaned_data[name] for name in MODELS if change and name in form.changed_data}:
            route_number(obj, targets)

    def delete_model(self, request: HttpRequest, obj: NumberLease) -> None:
        return_number(obj)

    @staticmethod
    def target(lease: NumberLease, name: str) -> object:
        return getattr(NumberRouting.objects.filter(lease=lease).first(), name, None)

    def term_match(self, term: str) -> Q:
        return telephone_numbers(term)

    @action(description="Forget what became of their messages", permissions=["change"])
    def forget_health(self, request: HttpRequest, queryset: QuerySet[NumberLease]) -> None:
        for lease in queryset:
            forget_outcomes(lease)
            self.log_change(request, lease, "Health forgotten.")
        messages.success(request, "The chosen numbers are healthy until their next messages say otherwise.")

    @display(description="Health", label={"Healthy": "success", "Unhealthy": "danger"})
    def health(self, lease: NumberLease) -> str:
        return "Healthy" if is_healthy(lease) else "Unhealthy"

    @display(description="Delivered")
    def delivery(self, lease: NumberLease) -> str:
        return f"{lease.delivered_count / lease.sent_count:.0%}" if lease.sent_count else "–"


@admin.register(StickySender)
class StickySenderAdmin(ReadOnlyAdmin):
    """Deleting a pair lets the pool choose anew."""

    tenant_path = "profile__account"
    list_display = ("recipient", "lease", "profile", "created_at", "updated_at")
    list_select_related = ("lease", "profile")
    list_filter = ("profile",)
    search_fields = ("=recipient", "profile__name")
    search_help_text = "Recipient, or messaging profile"
    fields = ("recipient", "lease", "profile", "created_at", "updated_at")

    def term_match(self, term: str) -> Q:
        numbers = telephone_numbers(term)
        if numbers == NOTHING:
            return NOTHING
        leases = NumberLease.objects.filter(numbers)
        return one_of("lease", leases.values("pk")) | text_match("recipient", digits(term))


STATE_LABELS = {"Pending": "info", "Delivered": "success", "Failed": "danger", "Kept: no webhook": "warning"}


@admin.register(InboundMessage)
class InboundMessageAdmin(ReadOnlyAdmin):
    tenant_path = "lease__account"
    list_display = ("created_at", "sender", "lease", "profile", "state_here", "outcome", "finished_at")
    list_select_related = ("lease__messaging_profile",)
    list_filter = ("state", "created_at", "lease")
    search_fields = ("=sender", "=lease__tn", "=uuid")
    search_help_text = "Sender, number or UUID"
    actions_detail = ["deliver_again"]
    has_again_permission = allowed("profiles_app.change_inboundmessage")
    profile = column("Messaging profile", lambda message: message.lease.messaging_profile)
    state_here = column("State", lambda message: message.get_state_display(), ordering="state", label=STATE_LABELS)
    fieldsets = (
        (None, {"fields": ("sender", "lease", "text")}),
        ("Delivery", {"fields": ("state_here", "outcome", "next_attempt_at", "finished_at")}),
        ("Record", {"fields": ("uuid", "created_at")}),
    )

    @button(
        "Deliver again…",
        question="Post the message from {0.sender} to the webhook once more?",
        yes="Deliver",
        logged="Delivered again.",
        done="The message is on its way, unless a webhook has taken it already.",
        icon="replay",
        permission="again",
    )
    def deliver_again(self, request: HttpRequest, message: InboundMessage) -> None:
        redeliver_message(message)
