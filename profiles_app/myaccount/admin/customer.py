"""Which MyAccount profile a customer gets: a column on the list of accounts, and the profiles assigned by hand."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from unfold.decorators import display
from unfold.views import ChangeList

from contacts_app.accounts.admin import AccountAdmin
from contacts_app.accounts.models import Account
from contacts_app.accounts.services import customers_of
from contacts_app.core.admin.base import PortalAdmin
from contacts_app.core.admin.columns import column
from contacts_app.core.admin.frame import actor_of
from contacts_app.core.admin.links import page_of
from contacts_app.core.errors import Refusal
from contacts_app.core.lists.admin import BigList
from profiles_app.myaccount.models import CustomerProfile
from profiles_app.myaccount.services import (
    Resolution,
    assign_profile,
    check_assignable,
    resolve_profile,
    resolve_profiles,
)

WHY = {
    "assigned": "assigned by hand",
    "customer": "restricted to this customer",
    "group": "by a customer group",
    "general": "for everybody",
}


class WithProfiles(BigList):
    """A list of accounts that resolves the profiles of its page at once."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        resolutions = resolve_profiles(self.result_list)
        for account in self.result_list:
            account.myaccount_resolution = resolutions[account.pk]


admin.site.unregister(Account)


@admin.register(Account)
class AccountWithProfileAdmin(AccountAdmin):
    """Accounts know nothing of profiles, so the column is added from here."""

    list_display = (*AccountAdmin.list_display[:-2], "myaccount_profile", *AccountAdmin.list_display[-2:])
    readonly_fields = (*AccountAdmin.readonly_fields, "myaccount_profile")
    fieldsets = (
        *AccountAdmin.fieldsets[:-1],
        ("Portal", {"fields": ("myaccount_profile",)}),
        *AccountAdmin.fieldsets[-1:],
    )

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return WithProfiles

    @display(description="MyAccount profile")
    def myaccount_profile(self, account: Account) -> str:
        if account.pk is None:
            return "–"
        resolution: Resolution = getattr(account, "myaccount_resolution", None) or resolve_profile(account)
        if resolution.profile is None:
            return "none"
        url, why = page_of(resolution.profile), WHY[resolution.reason]
        return format_html('<a href="{}" title="{}">{}</a>', url, why, resolution.profile.name)


class CustomerProfileForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = CustomerProfile
        fields = ("customer", "profile")

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if given.get("profile") and (customer := given.get("customer") or self.instance.customer):
            try:
                check_assignable(given["profile"], customer)
            except Refusal as refusal:
                self.add_error("profile", refusal.message)
        return given


@admin.register(CustomerProfile)
class CustomerProfileAdmin(PortalAdmin):
    form = CustomerProfileForm
    tenant_path = "customer"
    list_display = ("customer", "profile", "availability", "updated_at")
    list_select_related = ("customer", "profile")
    list_filter = ("profile",)
    search_fields = ("customer__name", "customer__voip_id", "profile__name")
    search_help_text = "Customer or profile"
    autocomplete_fields = ("customer", "profile")
    chosen_once = ("customer",)
    readonly_fields = ("created_at", "updated_at")
    availability = column("Availability", lambda assigned: assigned.profile.availability)
    fieldsets = (
        (
            None,
            {
                "fields": ("customer", "profile"),
                "description": "The customer gets this profile, whatever the rule would choose, and keeps it when "
                "the profile becomes historic. Delete the assignment to let the rule choose again.",
            },
        ),
        ("Record", {"fields": ("created_at", "updated_at")}),
    )

    def tenant_rows(self, request: HttpRequest) -> QuerySet[CustomerProfile]:
        actor, rows = actor_of(request), self.all_rows(request)
        return rows if actor.is_staff else rows.filter(customer__in=customers_of(actor).values("pk"))

    def save_model(self, request: HttpRequest, obj: CustomerProfile, form: Any, change: bool) -> None:
        assign_profile(customer=obj.customer, profile=obj.profile)
        obj.pk = CustomerProfile.objects.values_list("pk", flat=True).get(customer=obj.customer)
