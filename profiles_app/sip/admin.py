"""SIP connections and control apps of accounts. Numbers are assigned to them on the page of each number, or by REST."""

from django.contrib import admin
from django.http import HttpRequest
from unfold.decorators import display

from contacts_app.core.admin.columns import column, count_column
from contacts_app.core.admin.forms import SameAccountForm
from contacts_app.core.admin.frame import actor_of
from profiles_app.messaging.admin.profile import RECORD, OwnedAdmin
from profiles_app.sip.models import SipConnection, SipControlApp, SipRecord
from profiles_app.sip.services import numbers_of, save_sip_record

NAMED = 20


class SipForm(SameAccountForm):
    same_account = {"outbound_voice_profile": "This outbound voice profile belongs to another account."}


def _numbers(row: SipRecord) -> str:
    found = [f"+{tn}" for tn in numbers_of(row).order_by("tn").values_list("tn", flat=True)[: NAMED + 1]]
    return ", ".join(found[:NAMED]) + (" …" if len(found) > NAMED else "") or "–"


class SipAdmin(OwnedAdmin):
    form = SipForm
    list_select_related = ("account", "outbound_voice_profile")
    list_filter = ("is_active", "account")
    search_fields = ("name", "=subdomain", "account__name")
    search_help_text = "Name, subdomain or account"
    autocomplete_fields = ("account", "outbound_voice_profile")
    readonly_fields = (*OwnedAdmin.readonly_fields, "numbers")
    number_count = count_column("routings", "Numbers")
    numbers = column("Numbers", _numbers)

    def save_model(self, request: HttpRequest, obj: SipRecord, form: SipForm, change: bool) -> None:
        save_sip_record(obj, actor=actor_of(request), changed=form.changed_data if change else None)

    @display(description="State", ordering="is_active", label={"Active": "success", "Inactive": "danger"})
    def state(self, row: SipRecord) -> str:
        return "Active" if row.is_active else "Inactive"


@admin.register(SipConnection)
class SipConnectionAdmin(SipAdmin):
    list_display = (
        *("name", "account", "state", "number_count", "subdomain", "ip", "port"),
        *("outbound_voice_profile", "updated_at"),
    )
    fieldsets = (
        (None, {"fields": ("name", "account", "is_active", "subdomain", ("ip", "port"))}),
        ("Calls", {"fields": ("outbound_voice_profile", "numbers")}),
        ("Record", {"fields": RECORD}),
    )


@admin.register(SipControlApp)
class SipControlAppAdmin(SipAdmin):
    list_display = (
        *("name", "account", "state", "number_count", "subdomain"),
        *("outbound_voice_profile", "updated_at"),
    )
    fieldsets = (
        (None, {"fields": ("name", "account", "is_active", "subdomain")}),
        ("Calls", {"fields": ("outbound_voice_profile", "numbers")}),
        ("Record", {"fields": RECORD}),
    )
