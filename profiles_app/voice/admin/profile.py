"""Outbound voice profiles: what calls may cost, how many there may be, what is recorded."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.decorators import action, display

from contacts_app.core.admin.forms import SameAccountForm
from contacts_app.core.admin.frame import actor_of
from profiles_app.messaging.admin.profile import RECORD, OwnedAdmin
from profiles_app.voice.admin.live import LiveUse
from profiles_app.voice.models.profile import OutboundVoiceProfile
from profiles_app.voice.services import save_outbound_voice_profile


class OutboundVoiceProfileForm(SameAccountForm):
    same_account = {"tn_lease": "This number belongs to another account."}

    class Meta:
        model = OutboundVoiceProfile
        fields = "__all__"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if field := self.fields.get("tech_prefix"):
            field.required = self.instance.pk is not None
            if not field.required:
                field.help_text = f"{field.help_text} Empty: a free one."


# What the operator says and customers read.
OF_STAFF = ("rate_table", "customer_limits", "customer_recording")


@admin.register(OutboundVoiceProfile)
class OutboundVoiceProfileAdmin(LiveUse, OwnedAdmin):
    form = OutboundVoiceProfileForm
    list_display = (
        *("name", "account", "tech_prefix", "state", "channel_limit"),
        *("max_rate", "daily_spend_limit", "record_calls", "updated_at"),
    )
    list_filter = ("is_active", "record_calls", "account")
    search_fields = ("name", "=tech_prefix", "account__name")
    search_help_text = "Name, tech prefix or account"
    autocomplete_fields = ("account", "tn_lease", "rate_table")
    actions = ["activate", "deactivate"]
    fieldsets = (
        (None, {"fields": ("name", "account", "is_active", "tech_prefix")}),
        ("Limits", {"fields": ("channel_limit", "max_rate", "daily_spend_limit")}),
        ("Recording", {"fields": ("record_calls", "recorded_callers", "file_format", "audio_track_type")}),
        ("Prices", {"fields": ("rate_table",)}),
        ("Portal", {"fields": ("customer_limits", "customer_recording")}),
        ("Provider", {"fields": ("tn_lease", "product", "media")}),
        ("Record", {"fields": RECORD}),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: object = None) -> tuple[str, ...]:
        always: tuple[str, ...] = super().get_readonly_fields(request, obj)
        return always if actor_of(request).is_staff else (*always, *OF_STAFF)

    def save_model(self, request: HttpRequest, obj: OutboundVoiceProfile, form: Any, change: bool) -> None:
        changed = form.changed_data if change else None
        save_outbound_voice_profile(obj, actor=actor_of(request), changed=changed)

    @action(description="Allow outbound calls", permissions=["change"])
    def activate(self, request: HttpRequest, queryset: QuerySet[OutboundVoiceProfile]) -> None:
        self._switch(request, queryset, "Outbound calls allowed.", active=True)

    @action(description="Block outbound calls", permissions=["change"])
    def deactivate(self, request: HttpRequest, queryset: QuerySet[OutboundVoiceProfile]) -> None:
        self._switch(request, queryset, "Outbound calls blocked.", active=False)

    def _switch(self, request: HttpRequest, rows: QuerySet[Any], logged: str, *, active: bool) -> None:
        to_switch = list(rows.exclude(is_active=active))
        for profile in to_switch:
            profile.is_active = active
            save_outbound_voice_profile(profile, actor=actor_of(request), changed={"is_active"})
            self.log_change(request, profile, logged)
        messages.success(request, f"{len(to_switch)} changed.")

    @display(description="State", ordering="is_active", label={"Active": "success", "Blocked": "danger"})
    def state(self, profile: OutboundVoiceProfile) -> str:
        return "Active" if profile.is_active else "Blocked"
