"""Activation codes, which are shown once, when they are made; and what people asked for at new phones."""

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.cache import add_never_cache_headers
from unfold.decorators import display
from unfold.widgets import UnfoldAdminIntegerFieldWidget

from contacts_app.core.actor import Actor
from contacts_app.core.admin.base import PortalAdmin, ReadOnlyAdmin, allowed, button, reason_in
from contacts_app.core.admin.columns import ago_column, column
from contacts_app.core.admin.frame import actor_of
from contacts_app.core.admin.links import list_url, of_address
from contacts_app.core.csv.text import as_csv
from contacts_app.core.errors import Refusal
from phones_app.inventory.admin.search import MacSearchMixin
from phones_app.mobility.enrolment import MOST_CODES, approve, make_codes, refuse
from phones_app.mobility.models import EnrolmentCode, EnrolmentRequest
from profiles_app.phone.sep.catalogue import colons

CODE_LABELS = {"Usable": "success", "Expired": "warning", "Used": ""}
STATE_LABELS = {"Waits for approval": "warning", "Done": "success", "Refused": "danger"}
USUAL_DAYS, LONGEST_DAYS = 30, 365
MADE = ("account", "phone", "profile", "name", "location")


class CodesForm(forms.ModelForm):  # type: ignore[type-arg]
    """Codes are made as they will be shown: all at once."""

    actor: Actor
    count = forms.IntegerField(
        min_value=1,
        max_value=MOST_CODES,
        initial=1,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text="How many codes; for a prepared phone it is one.",
    )
    days = forms.IntegerField(
        min_value=1,
        max_value=LONGEST_DAYS,
        initial=USUAL_DAYS,
        label="Days",
        widget=UnfoldAdminIntegerFieldWidget,
        help_text="How long the codes are good for.",
    )

    class Meta:
        model = EnrolmentCode
        fields = MADE

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if self.errors:
            return given
        wanted = {name: given[name] for name in (*MADE, "count")}
        expires_at = timezone.now() + timedelta(days=given["days"])
        try:
            # The last thing that can be wrong, so that codes are never made in vain.
            self.made = make_codes(**wanted, expires_at=expires_at, actor=self.actor)
        except Refusal as refusal:
            raise forms.ValidationError(refusal.message) from None
        return given


@admin.register(EnrolmentCode)
class EnrolmentCodeAdmin(PortalAdmin):
    form = CodesForm
    list_display = ("code", "state_here", "account", "for_what", "name", "location", "used_by_phone", "expires_at")
    list_display_links = ("code",)
    list_select_related = ("account", "phone", "profile")
    list_filter = ("account",)
    search_fields = ("name", "location", "ending")
    search_help_text = "Name, location or last digits"
    autocomplete_fields = ("account", "phone", "profile")
    add_fieldsets = ((None, {"fields": (*MADE, ("count", "days"))}),)
    fieldsets = (
        (None, {"fields": ("code", "state_here", *MADE)}),
        ("Record", {"fields": ("expires_at", "created_at", "created_by", "used_at", "used_by_phone")}),
    )
    readonly_fields = ("code", "state_here", "expires_at", "created_at", "created_by", "used_at", "used_by_phone")
    code = column("Code", lambda row: f"…{row.ending}", ordering="created_at")
    for_what = column("For", lambda row: row.phone or row.profile)
    used_by_phone = column("Used by", lambda row: colons(row.used_by) if row.used_by else "–")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.fieldsets if obj else self.add_fieldsets

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        if obj is not None:
            return super().get_form(request, obj, change, form=forms.ModelForm, **kwargs)
        form: Any = super().get_form(request, obj, change, **kwargs)
        form.actor = actor_of(request)
        return form

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        vars(obj).update(vars(form.made[0][0]))
        obj.shown_once = form.made

    def response_add(self, request: HttpRequest, obj: Any, *args: Any) -> HttpResponse:
        """The codes go straight into this answer: messages, URLs and the session are all kept somewhere."""
        rows = [(" ".join(text[at : at + 4] for at in range(0, 16, 4)), row) for row, text in obj.shown_once]
        lines = [(text, row.name, row.location, f"{row.expires_at:%Y-%m-%d}") for text, row in rows]
        shown = {"codes": rows, "csv": "".join(as_csv([("code", "name", "location", "expires"), *lines]))}
        back = list_url(EnrolmentCode)
        answer = self.page(request, "phones_app/mobility/codes.html", "Activation codes", **shown, back=back)
        add_never_cache_headers(answer)
        return answer

    @display(description="State", label=CODE_LABELS)
    def state_here(self, code: EnrolmentCode) -> str:
        return code.state


@admin.register(EnrolmentRequest)
class EnrolmentRequestAdmin(MacSearchMixin, ReadOnlyAdmin):
    """What waits is approved or refused here; the rest is the record of what was."""

    deletable = False
    list_display = ("mac_address", "state_here", "model", "account", "who", "profile", "replaces", "asked")
    list_display_links = ("mac_address",)
    list_select_related = ("account", "user", "code", "profile", "replaces")
    list_filter = (("state", admin.ChoicesFieldListFilter), "account")
    search_fields = ("address", "model")
    search_help_text = "MAC in any spelling, IP address or model"
    ordering = ("-created_at", "-pk")
    actions_detail = ["approve_one", "refuse_one"]
    fields = (
        *("mac_address", "state_here", "reason", "account", "model", "address", "user", "code", "profile", "replaces"),
        *("phone", "deployment", "created_at", "decided_at", "decided_by"),
    )
    readonly_fields = ("mac_address", "state_here")
    may_decide = allowed("phones_app.change_enrolmentrequest")
    mac_address = column("MAC address", lambda row: colons(row.mac), ordering="mac")
    who = column("By", lambda row: row.user or row.code)
    asked = ago_column("created_at", "Asked")

    def has_decide_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        waiting = self.all_rows(request).filter(state=EnrolmentRequest.State.WAITING)
        return self.may_decide(request) and (object_id is None or of_address(waiting, object_id).exists())

    @button(
        "Approve…",
        question="Let {0} go on? The phone gets its file and restarts.",
        yes="Approve",
        logged="Approved.",
        done="The phone is enrolled: its file is on its way.",
        icon="check",
        permission="decide",
    )
    def approve_one(self, request: HttpRequest, row: EnrolmentRequest) -> None:
        approve(row, actor=actor_of(request))

    @button(
        "Refuse…",
        question="Refuse {0}? The phone says so. An activation code that was typed stays used.",
        reason="Reason, which the phone shows",
        yes="Refuse",
        logged="Refused.",
        done="The phone is refused.",
        icon="block",
        permission="decide",
        dangerous=True,
    )
    def refuse_one(self, request: HttpRequest, row: EnrolmentRequest) -> None:
        refuse(row, actor=actor_of(request), reason=reason_in(request))

    @display(description="State", ordering="state", label=STATE_LABELS)
    def state_here(self, row: EnrolmentRequest) -> str:
        return str(row.get_state_display())
