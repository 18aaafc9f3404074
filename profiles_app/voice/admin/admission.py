"""What was decided about each call, and what became of the calls that were admitted."""

from django.contrib import admin
from unfold.decorators import display

from contacts_app.core.admin.base import ReadOnlyAdmin
from contacts_app.core.admin.columns import column
from contacts_app.core.work import clock
from profiles_app.voice.models.admission import Admission

STATES = {"Running": "info", "Ended": "success", "Expired": "warning", "Refused": "danger"}


@admin.register(Admission)
class AdmissionAdmin(ReadOnlyAdmin):
    deletable = False
    list_display = ("created_at", "caller", "destination", "profile", "state", "why", "price", "seconds", "cost")
    list_select_related = ("profile",)
    list_filter = ("reason", "created_at", "profile", "account")
    search_fields = ("=destination", "=call_id", "=uuid")
    search_help_text = "Destination, call ID or UUID"
    why = column("Refused for", lambda made: made.get_reason_display() or "–", ordering="reason")
    fieldsets = (
        (None, {"fields": ("caller", "destination", "call_id", "profile", "account")}),
        ("Decision", {"fields": ("state", "why", ("channels", "spent"), ("prefix", "price", "interval"))}),
        ("Call", {"fields": ("is_recorded", "answered_at", "ended_at", "seconds", "cost")}),
        ("Record", {"fields": ("uuid", "created_at", "expires_at")}),
    )

    @display(description="State", label=STATES)
    def state(self, made: Admission) -> str:
        if made.reason:
            return "Refused"
        if made.ended_at is not None:
            return "Ended"
        return "Running" if made.expires_at and made.expires_at > clock.now() else "Expired"
