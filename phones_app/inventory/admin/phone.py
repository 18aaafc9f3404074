"""The inventory of phones, without what subjects above it add to a phone's page."""

from typing import Any, cast

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.forms import ModelChoiceField
from django.http import HttpRequest
from unfold.contrib.filters.admin import AllValuesCheckboxFilter
from unfold.decorators import display

from contacts_app.core.admin import asked_work
from contacts_app.core.admin.base import button
from contacts_app.core.admin.columns import ago_column, column
from contacts_app.core.admin.forms import SecretField, SecretForm
from contacts_app.core.admin.frame import actor_of
from contacts_app.core.csv.admin import CsvPages
from contacts_app.core.errors import Refusal
from phones_app.inventory.admin.group import GroupOfSelected
from phones_app.inventory.admin.search import MacSearchMixin
from phones_app.inventory.assignment import check_change
from phones_app.inventory.csv import PhoneCsv, models_in_use
from phones_app.inventory.models import Phone
from phones_app.inventory.status_check import check_now, checkable, request_status_checks, unchecked
from phones_app.templatetags.phone_labels import presence_label
from profiles_app.phone.models import PhoneProfile
from profiles_app.phone.sep.catalogue import colons
from profiles_app.phone.services import unknown_models

RECORD = (
    *("brand", "software_version", "serial_number", "is_simulated", "replaced_by"),
    *("uuid", "created_at", "updated_at"),
)


STATUS_CHECK = asked_work.register(asked_work.AskedKind("status check", Phone, unchecked, ~Q(look_error="")))
PROFILES = {"current_profile", "base_profile"}
# What a profile has to suit.
DECIDE = {"account", "model", "software_type", "current_profile"}


class PhoneForm(SecretForm):
    kept_in = "web_password"
    new_secret = SecretField(label="Push password")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in PROFILES & self.fields.keys():
            field = cast("ModelChoiceField[PhoneProfile]", self.fields[name])
            seen = cast("QuerySet[PhoneProfile]", field.queryset).order_by().values("pk")
            # A profile of the portal's staff stays chosen, where an account has it on its phones without seeing it.
            known = PhoneProfile.objects.filter(Q(pk__in=seen) | Q(pk=getattr(self.instance, f"{name}_id")))
            field.queryset = known.select_related("user", "revision").defer("revision__content")
            # Deployments and log-ins change it while somebody has the page open: only what a person chose is stored.
            field.show_hidden_initial = name == "current_profile"
        if self.instance.pk:
            self.initial["mac"] = self.instance.mac_with_colons

    def clean(self) -> dict[str, object]:
        given: dict[str, Any] = super().clean() or self.cleaned_data
        if "current_profile" in given and "current_profile" not in self.changed_data:
            given["current_profile"] = self.instance.current_profile
        elif "current_profile" in given and given.get("account", self.instance.account_id):
            try:
                stored = Phone.objects.get(pk=self.instance.pk) if self.instance.pk else None
                check_change(stored, {name: given[name] for name in DECIDE & given.keys()})
            except Refusal as refusal:
                self.add_error("current_profile", refusal.message)
        base, account = given.get("base_profile"), given.get("account") or self.instance.account_id
        if base is not None and base.user.account_id not in (None, getattr(account, "pk", account)):
            # A file holds the SIP credentials of its account. Profiles of staff are for everybody's phones.
            raise ValidationError({"base_profile": "The profile and the phone belong to different accounts."})
        return given


class ModelsInUse(AllValuesCheckboxFilter):
    """The models that there are phones of, found by leaping from one to the next in an index."""

    def __init__(self, field: Any, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(field, request, *args, **kwargs)
        self.lookup_choices = models_in_use(actor_of(request).account)

    def has_output(self) -> bool:
        return bool(self.lookup_choices)


def _tab(title: str, *fields: str | tuple[str, ...]) -> tuple[str, Any]:
    return title, {"classes": ["tab"], "fields": fields}


class InventoryAdmin(MacSearchMixin, CsvPages, GroupOfSelected):
    """Phones as the inventory knows them: what a phone is, where it is, and what its status page said last."""

    csv_format = PhoneCsv
    form = PhoneForm
    list_display_links = ("phone",)
    search_fields = ("name", "phone_ip", "location", "current_profile__name", "line_user")
    search_help_text = "MAC in any spelling, name, IP address, location, line or profile"
    autocomplete_fields = ("account", "file_server", "call_manager", "current_profile", "base_profile")
    readonly_fields = (
        *("present", "seen", "looked", "look_error", "other_mac", "in_call", "serial_number"),
        *("uuid", "replaced_by", "is_simulated", "created_at", "updated_at"),
    )
    fieldsets = (
        # Stays in sight, above the tabs.
        (None, {"fields": ("mac", "name", "account", "model", "software_type", "is_active")}),
        _tab("Place", "location", "emergency_number", "phone_ip", "phone_vlan", "hostname", "description"),
        _tab(
            "How it is provisioned",
            *("current_profile", "base_profile", "file_server", "call_manager", "line_user", "sip_port"),
        ),
        _tab("Status page", ("present", "seen"), ("looked", "in_call"), "other_mac", "look_error"),
        _tab("Web server of the phone", "web_port", "web_username", "new_secret", "forget_secret"),
        _tab("Record", *RECORD),
    )
    account_name = column("Account", lambda phone: phone.account.name)
    present = column("Status page", presence_label, ordering="presence")
    seen = ago_column("last_seen_at", "Last seen")
    looked = ago_column("looked_at", "Last status check")
    other_mac = column("Phone at this address", lambda phone: colons(phone.mac_there) if phone.mac_there else "–")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Phone]:
        # What no page shows need not be deciphered.
        return super().get_queryset(request).defer("web_password")

    def save_model(self, request: HttpRequest, obj: Phone, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if "model" in form.changed_data:
            for finding in unknown_models([obj.model]):
                messages.warning(request, finding.message)
        if "current_profile" in form.changed_data and obj.current_profile is not None:
            messages.info(request, f"{obj.current_profile} is the phone's profile now. It was not uploaded by that.")

    @display(description="Phone", ordering="mac", header=True)
    def phone(self, phone: Phone) -> list[str]:
        return [phone.mac_with_colons, phone.name]

    @display(description="Model", ordering="model", header=True)
    def model_here(self, phone: Phone) -> list[str]:
        return [phone.model or "–", phone.software_version or phone.software_type or ""]

    @admin.action(description="Check status now", permissions=["change"])
    def check_selected(self, request: HttpRequest, queryset: QuerySet[Phone]) -> None:
        rows = self.tenant_rows(request).filter(pk__in=queryset.values("pk"))
        asked_work.note(request, STATUS_CHECK, rows.filter(checkable()))
        messages.info(request, f"{request_status_checks(rows)} phones are being checked.")

    @button("Check status now", question="Read the status page of {0} now?", icon="visibility")
    def check_one(self, request: HttpRequest, phone: Phone) -> None:
        seen = check_now(phone)
        if seen.status is None:
            # Portal staff are told what exactly answers there, tenants what the record says.
            told = seen.error if actor_of(request).account is None else Phone.objects.get(pk=phone.pk).look_error
            messages.warning(request, told)
        else:
            messages.success(request, f"A {seen.status.model} with load {seen.status.load} answers.")
