"""Number leases, which number each recipient hears from, and inbound messages with what the webhooks answered."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import DropdownFilter
from unfold.decorators import action, display

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


class NumberLeaseForm(SameAccountForm):
    same_account = {"messaging_profile": "This messaging profile belongs to another account."}

    class Meta:
        model = NumberLease
        fields = "__all__"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if (field := self.fields.get("messaging_profile")) and self.instance.pk is None:
            field.required = False
            field.help_text = f"{field.help_text} Empty: by the account's default profile."


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
    readonly_fields = (*OwnedAdmin.readonly_fields, "kind", "health")
    fieldsets = (
        (None, {"fields": ("tn", "account", "kind", "messaging_profile")}),
        ("Lease", {"fields": ("expires_at", "autorenew")}),
        ("Health", {"fields": ("health", ("sent_count", "delivered_count", "spam_count"))}),
        ("Record", {"fields": RECORD}),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: object = None) -> tuple[str, ...]:
        always = super().get_readonly_fields(request, obj)
        return always if actor_of(request).is_staff else (*always, *OF_STAFF)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and actor_of(request).is_staff

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return super().has_delete_permission(request, obj) and actor_of(request).is_staff

    def save_model(self, request: HttpRequest, obj: NumberLease, form: object, change: bool) -> None:
        save_number_lease(obj, actor=actor_of(request))

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
