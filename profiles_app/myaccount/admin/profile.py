"""MyAccount profiles: in the four parts that the provider's own form has (MyAccount spec §5)."""

from operator import attrgetter
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.widgets import AutocompleteSelectMultiple
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from contacts_app.accounts.models import AccountGroup
from contacts_app.core.admin.base import PortalAdmin
from contacts_app.core.admin.columns import column, count_column
from contacts_app.core.admin.frame import actor_of
from contacts_app.core.history.records import update_recorded
from profiles_app.myaccount.models import Availability, MyAccountProfile
from profiles_app.myaccount.services import allowed_values, save_myaccount_profile, visible_profiles

# Columns whose values come from a configured list, and the name of that list.
PRESETS = {"myaccount_flags": "myAccountFlags", "my_numbers": "myNumbers", "my_campaigns": "myCampaigns"}
MY_CALLS = ("my_calls_enabled", "my_calls_daily_cdr_access", "my_calls_use_backend_descriptions")
AVAILABILITY_LABELS = {"Headline": "success", "Standard": "info", "Historic": ""}


def _presets(label: str, help_text: str) -> forms.MultipleChoiceField:
    widget = UnfoldAdminCheckboxSelectMultipleWidget
    return forms.MultipleChoiceField(label=label, help_text=help_text, required=False, widget=widget)


class MyAccountProfileForm(forms.ModelForm):  # type: ignore[type-arg]
    groups = forms.ModelMultipleChoiceField(
        AccountGroup.objects.none(),
        label="Customer groups",
        required=False,
        widget=AutocompleteSelectMultiple(MyAccountProfile._meta.get_field("customer_groups"), admin.site),
        help_text="Only for customers in one of these groups; empty, with no customer either: for everybody.",
    )
    myaccount_flags = _presets("MyAccount flags", "Parts of the portal these customers see.")
    my_numbers = _presets("MyNumbers", "What they may do with their numbers.")
    my_campaigns = _presets("MyCampaigns", "What they may do with their campaigns.")

    class Meta:
        model = MyAccountProfile
        fields = ("name", "account", "description", "availability", "customer", *PRESETS, *MY_CALLS)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.initial["groups"] = [link.group_id for link in self.instance.group_links.all()]
        for name, preset in PRESETS.items():
            # Fields are missing where the person may only look.
            if field := self.fields.get(name):
                allowed = allowed_values(preset, getattr(self.instance, name))
                field.choices = [(value, value) for value in allowed.values()]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, object]:
        given = super().clean() or {}
        owner, customer = given.get("account"), given.get("customer")
        if owner and customer and owner.pk not in (customer.pk, customer.parent_id):
            self.add_error("customer", "This account is not a customer of the profile's owner.")
        return given


@admin.register(MyAccountProfile)
class MyAccountProfileAdmin(PortalAdmin):
    form = MyAccountProfileForm
    tenant_shares = True
    list_display = (
        *("name", "applies_to", "availability_here", "my_calls_enabled"),
        *("owner", "assigned", "updated_at"),
    )
    list_filter = ("availability", "my_calls_enabled", "customer", "customer_groups", "account")
    search_fields = ("name", "description", "customer__name", "customer__voip_id", "customer_groups__name")
    search_help_text = "Name, description, customer or customer group"
    autocomplete_fields = ("account", "customer")
    readonly_fields = ("id", "created_at", "updated_at")
    actions = ["make_historic", "make_standard"]
    assigned = count_column("assignments", "Assigned")
    owner = column("Owner", lambda profile: profile.account or "portal")
    availability_here = column(
        "Availability", attrgetter("availability"), ordering="availability", label=AVAILABILITY_LABELS
    )
    fieldsets = (
        (None, {"fields": ("name", "description", "availability", "account", "customer", "groups")}),
        ("MyAccount settings", {"fields": tuple(PRESETS)}),
        ("My Calls settings", {"fields": MY_CALLS}),
        ("Record", {"fields": ("id", "created_at", "updated_at")}),
    )

    def tenant_rows(self, request: HttpRequest) -> QuerySet[MyAccountProfile]:
        return visible_profiles(actor_of(request))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request).select_related("account", "customer")
        return rows.prefetch_related("group_links__group")

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form: Any = super().get_form(request, obj, change, **kwargs)
        if "groups" in form.base_fields:
            known = self.admin_site.get_model_admin(AccountGroup)
            form.base_fields["groups"].queryset = known.get_queryset(request)
        return form

    def save_model(self, request: HttpRequest, obj: MyAccountProfile, form: Any, change: bool) -> None:
        # The form knows no order, so a list that nobody touched keeps its own; another owner has groups of its own.
        touched = not change or {"groups", "account"}.intersection(form.changed_data)
        groups = [group.name for group in form.cleaned_data["groups"]] if touched else None
        save_myaccount_profile(obj, groups=groups)

    def _offer(self, request: HttpRequest, rows: QuerySet[Model], availability: Availability) -> None:
        """Only what the person owns is changed, whatever was ticked."""
        mine = [row for row in rows if self.has_change_permission(request, row)]
        rows = MyAccountProfile.objects.filter(pk__in=[row.pk for row in mine])
        update_recorded(rows, availability=availability, updated_at=timezone.now())
        for row in mine:
            self.log_change(request, row, f"Availability is {availability.value}.")
        messages.success(
            request, f"{len(mine)} profile{' is' if len(mine) == 1 else 's are'} {availability.value} now."
        )

    @action(description="Make historic: keep for those who have it", permissions=["change"])
    def make_historic(self, request: HttpRequest, queryset: QuerySet[Model]) -> None:
        self._offer(request, queryset, Availability.HISTORIC)

    @action(description="Make standard: offer again", permissions=["change"])
    def make_standard(self, request: HttpRequest, queryset: QuerySet[Model]) -> None:
        self._offer(request, queryset, Availability.STANDARD)

    @display(description="Applies to")
    def applies_to(self, profile: MyAccountProfile) -> str:
        groups = ", ".join(link.group.name for link in profile.group_links.all())
        return str(profile.customer or groups or "Everybody")
