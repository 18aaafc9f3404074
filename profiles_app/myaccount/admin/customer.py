"""Which MyAccount profile a customer gets: a column on the list of accounts, and the profiles assigned by hand."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import ForeignKey, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from unfold.decorators import display
from unfold.views import ChangeList

from contacts_app.accounts.admin import AccountAdmin
from contacts_app.accounts.models import Account
from contacts_app.accounts.services import customers_of
from contacts_app.core.actor import Actor
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
    decides_for,
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
    actor: Actor

    class Meta:
        model = CustomerProfile
        fields = ("customer", "profile")

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        customer = given.get("customer") or (self.instance.customer if self.instance.pk else None)
        if given.get("profile") and customer:
            if not decides_for(self.actor, customer):
                self.add_error(None, "Which profile an account gets is decided by those who serve it.")
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

    def is_theirs(self, request: HttpRequest, row: Any) -> bool:
        is_decided = not isinstance(row, CustomerProfile) or decides_for(actor_of(request), row.customer)
        return is_decided and super().is_theirs(request, row)

    def formfield_for_foreignkey(self, db_field: ForeignKey, request: HttpRequest, **kwargs: Any) -> Any:  # type: ignore[type-arg]
        """An account chooses among those that it serves, who are not itself."""
        actor = actor_of(request)
        if db_field.name == "customer" and actor.account is not None:
            kwargs["queryset"] = customers_of(actor).exclude(pk=actor.account.pk)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def get_autocomplete_fields(self, request: HttpRequest) -> Any:
        # What is typed is looked for among the person's own account alone.
        is_staffs = actor_of(request).account is None
        return self.autocomplete_fields if is_staffs else tuple(set(self.autocomplete_fields) - {"customer"})

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form: Any = super().get_form(request, obj, change, **kwargs)
        form.actor = actor_of(request)
        return form

    def save_model(self, request: HttpRequest, obj: CustomerProfile, form: Any, change: bool) -> None:
        assign_profile(customer=obj.customer, profile=obj.profile, actor=actor_of(request))
        obj.pk = CustomerProfile.objects.values_list("pk", flat=True).get(customer=obj.customer)
