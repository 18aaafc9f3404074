"""Mail to people: what was sent, what waits and why, and what mail servers said."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from unfold.contrib.filters.admin import ChoicesCheckboxFilter
from unfold.decorators import action, display

from contacts_app.admin.base import DayRangeFilter, ReadOnlyAdmin, TenantFilter
from contacts_app.models import Mail, NotificationPreference
from contacts_app.services.mail import UNSUBSCRIBE_MARK, resend_mail

STATE_LABELS = {"Sent": "success", "Queued": "info", "Waits": "warning", "Failed": "danger"}


@admin.register(Mail)
class MailAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "to", "subject", "state_here", "attempts", "error", "account")
    list_select_related = ("account",)
    list_filter = (
        ("state", ChoicesCheckboxFilter),
        ("created_at", DayRangeFilter),
        ("account", TenantFilter),
    )
    search_fields = ("to__startswith", "=uuid")
    search_help_text = "How the address begins, or the UUID"
    actions = ["send_selected_again"]
    actions_detail = ["send_again"]
    fieldsets = (
        (None, {"fields": ("to", "subject", "preview")}),
        ("Sending", {"fields": ("state_here", "attempts", "error", "next_attempt_at", "finished_at")}),
        ("Record", {"fields": ("account", "contact", "kind", "uuid", "created_at")}),
    )

    def has_again_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.has_perm("contacts_app.change_mail"))

    @action(description="Send again…", icon="forward_to_inbox", permissions=["again"])
    def send_again(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.act_on(
            request,
            object_id,
            resend_mail,
            question="Send “{0.subject}” to {0.to} once more?",
            button="Send",
            logged="Sent again.",
            done="The mail is on its way.",
        )

    @admin.action(description="Send failed ones again", permissions=["again"])
    def send_selected_again(self, request: HttpRequest, queryset: QuerySet[Mail]) -> None:
        failed = list(queryset.filter(state=Mail.State.FAILED))
        for mail in failed:
            resend_mail(mail)
            self.log_change(request, mail, "Sent again.")
        messages.success(request, f"On their way: {len(failed)}. Only failed mails are sent again.")

    @display(description="State", ordering="state", label=STATE_LABELS)
    def state_here(self, mail: Mail) -> str:
        waits = mail.state == Mail.State.QUEUED and mail.error
        return "Waits" if waits else Mail.State(mail.state).label

    @display(description="Text")
    def preview(self, mail: Mail) -> str:
        text = mail.text.replace(UNSUBSCRIBE_MARK, "(a link that only the recipient gets)")
        return format_html('<pre class="pb-wire pb-mail">{}</pre>', text)

    @display(description="About")
    def kind(self, mail: Mail) -> str:
        return str(NotificationPreference(type=mail.about).get_type_display()) or "–"
