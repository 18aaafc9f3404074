"""Rate tables, and the rates in them, which come as CSV. They are the operator's: customers have no such pages."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest

from contacts_app.core.admin.base import PortalAdmin
from contacts_app.core.admin.columns import count_column
from contacts_app.core.admin.frame import actor_of
from contacts_app.core.csv.admin import CsvPages
from profiles_app.voice.models.rates import Rate, RateTable
from profiles_app.voice.rate_csv import RateCsv
from profiles_app.voice.services import save_rate_table


class OperatorsPages(PortalAdmin):
    """For staff of the portal alone, whatever permissions staff of an account have."""

    tenant_path = None

    def has_view_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return super().has_view_permission(request, obj) and actor_of(request).account is None

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return super().has_change_permission(request, obj) and actor_of(request).account is None

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return super().has_delete_permission(request, obj) and actor_of(request).account is None


class RateTableForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = RateTable
        fields = ("name", "is_default")

    def _get_validation_exclusions(self) -> set[str]:
        """There is one default; that is not checked here, as a new one takes over when the service stores it."""
        return {*super()._get_validation_exclusions(), "is_default"}  # type: ignore[misc]


@admin.register(RateTable)
class RateTableAdmin(OperatorsPages):
    form = RateTableForm
    list_display = ("name", "is_default", "rate_count", "profile_count", "updated_at")
    search_fields = ("name",)
    search_help_text = "Name"
    rate_count = count_column("rates", "Rates")
    profile_count = count_column("profiles", "Profiles")

    def save_model(self, request: HttpRequest, obj: RateTable, form: Any, change: bool) -> None:
        save_rate_table(obj)


@admin.register(Rate)
class RateAdmin(OperatorsPages, CsvPages):
    csv_format = RateCsv
    list_display = ("prefix", "destination", "table", "price", "interval", "is_allowed")
    list_select_related = ("table",)
    list_filter = ("table", "is_allowed")
    search_fields = ("=prefix", "destination")
    search_help_text = "Prefix, or destination"
    autocomplete_fields = ("table",)
    fields = ("table", "prefix", "destination", "price", "interval", "is_allowed")
    chosen_once = ("table",)
    actions = ["export_selected"]
