"""Messages that are sent, with the choice of their sender and the attempts; and recipients that want none."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from unfold.admin import TabularInline
from unfold.decorators import display

from contacts_app.core.admin.base import ReadOnlyAdmin, allowed, button
from contacts_app.core.admin.columns import column
from contacts_app.core.admin.links import of_address
from profiles_app.messaging.sending.models import Message, MessageAttempt, OptOut
from profiles_app.messaging.sending.outbox import cancel, cancellable

STATE_LABELS = {
    "Queued": "info",
    "Sent": "info",
    "Delivered": "success",
    "Undelivered": "danger",
    "Failed": "danger",
    "Cancelled": "warning",
}


class AttemptInline(TabularInline):
    model = MessageAttempt
    fields = ("number", "started_at", "duration_ms", "ok", "status", "error_code", "error", "excerpt")
    readonly_fields = fields
    ordering = ("id",)
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


@admin.register(Message)
class MessageAdmin(ReadOnlyAdmin):
    deletable = False
    list_display = ("created_at", "sender", "recipient", "state_here", "why_sender", "parts", "why", "account")
    list_select_related = ("account",)
    list_filter = ("state", "messaging_profile", "account", "created_at")
    search_fields = ("=recipient", "=sender", "=uuid")
    search_help_text = "Recipient or sender, digits only, or UUID"
    inlines = (AttemptInline,)
    actions_detail = ["cancel_it"]
    _may_change = allowed("profiles_app.change_message")
    state_here = column("State", lambda message: message.get_state_display(), ordering="state", label=STATE_LABELS)
    why_sender = column("Sender chosen because", lambda message: message.get_chosen_because_display())
    why = column("Error", lambda message: message.error or "–")
    fieldsets = (
        (None, {"fields": ("sender", "recipient", "text", "media_here", ("parts", "encoding"))}),
        ("Choice of the sender", {"fields": ("why_sender", "left_out_here", "messaging_profile", "lease")}),
        ("Delivery", {"fields": ("state_here", "error_code", "error", "gateway", "gateway_ref", "next_attempt_at")}),
        ("Record", {"fields": ("uuid", "account", "created_at", "sent_at", "finalized_at")}),
    )

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).defer("webhook_url")

    def has_cancel_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """One that is on its way, or has come to its end, has no button."""
        if not self._may_change(request):
            return False
        waiting = self.all_rows(request).filter(pk__in=cancellable())
        return object_id is None or of_address(waiting, object_id).exists()

    @display(description="Media")
    def media_here(self, message: Message) -> str:
        return "\n".join(message.media_urls) or "–"

    @display(description="Numbers left out")
    def left_out_here(self, message: Message) -> str:
        return ", ".join(f"+{one['tn']} ({one['why']})" for one in message.left_out) or "None"

    @button(
        "Cancel…",
        question="Take the message to {0.recipient} back? Only a message that is still queued can be cancelled.",
        yes="Cancel the message",
        logged="Cancelled.",
        done="The message is not sent.",
        icon="cancel",
        permission="cancel",
        dangerous=True,
    )
    def cancel_it(self, request: HttpRequest, message: Message) -> None:
        cancel(message)


@admin.register(OptOut)
class OptOutAdmin(ReadOnlyAdmin):
    """Deleting a row allows messages again, as START from there does."""

    tenant_path = "profile__account"
    goes_along = False
    list_display = ("recipient", "profile", "word", "created_at")
    list_select_related = ("profile",)
    list_filter = ("profile",)
    search_fields = ("=recipient", "profile__name")
    search_help_text = "Recipient, digits only, or messaging profile"
    fields = ("recipient", "profile", "word", "created_at")
