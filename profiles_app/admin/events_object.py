"""What the pages about objects of the events integration have in common, and event profiles, which have little else."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.decorators import display

from contacts_app.admin.base import PortalAdmin, TenantFilter, count_of
from profiles_app.models import EventProfile
from profiles_app.models.events_object import EventsObject


class EventsObjectForm(forms.ModelForm):  # type: ignore[type-arg]
    """What an object refers to, by the fields in `within_account`, belongs to the same account."""

    within_account: tuple[str, ...] = ()

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        account = given.get("account") or self.instance.account
        for name in self.within_account:
            if (row := given.get(name)) is not None and row.account_id != account.pk:
                self.add_error(name, "This belongs to another account.")
        return given


class EventsObjectAdmin(PortalAdmin):
    """Ids stand in other people's URLs below an account or an extension, so objects keep their place."""

    autocomplete_fields: Any = ("account", "extension")
    list_select_related: Any = ("account", "extension")
    record: tuple[str, ...] = ("id",)

    def get_readonly_fields(self, request: HttpRequest, obj: EventsObject | None = None) -> tuple[str, ...]:
        placed = ("account", "extension") if obj else ()
        return (*super().get_readonly_fields(request, obj), *placed, *self.record)

    @display(description="Belongs to", header=True)
    def place(self, row: EventsObject) -> list[str]:
        return [row.account.name, f"Extension {row.extension}" if row.extension else "the whole account"]


@admin.register(EventProfile)
class EventProfileAdmin(EventsObjectAdmin):
    list_display = ("name", "told", "place", "callback_count", "created_at")
    list_filter = (("account", TenantFilter),)
    search_fields = ("name", "support_email", "account__name")
    search_help_text = "Name, email or account"
    record = ("id", "created_at")
    fieldsets = (
        (None, {"fields": ("account", "extension", "name", "support_email")}),
        ("Record", {"fields": ("id", "created_at")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).annotate(callbacks_here=count_of(EventProfile, "callbacks"))

    def save_model(self, request: HttpRequest, obj: EventProfile, form: Any, change: bool) -> None:
        obj.support_email = obj.support_email or None  # REST says null for none.
        super().save_model(request, obj, form, change)

    @display(description="Support email")
    def told(self, profile: EventProfile) -> str:
        return profile.support_email or f"{profile.account.email} (the account's)"

    @display(description="Callbacks")
    def callback_count(self, profile: Any) -> int:
        return int(profile.callbacks_here)
