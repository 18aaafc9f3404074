"""What the pages about objects of the events integration have in common, and event profiles, which have little else.

Listeners with their subscriptions and filters: which events go to which callback.
"""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest
from django.utils.html import format_html_join
from unfold.admin import TabularInline
from unfold.contrib.filters.admin import ChoicesCheckboxFilter
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelect2MultipleWidget

from contacts_app.core.admin.base import PortalAdmin, TenantFilter, count_of
from profiles_app.events.listener_changes import checked_filter_value, checked_tags
from profiles_app.events.models.setup import (
    EventProfile,
    EventsObject,
    Listener,
    ListenerFilter,
    Subscription,
)
from profiles_app.events.tags import TAGS


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


class ListenerForm(EventsObjectForm):
    within_account = ("callback",)

    class Meta:
        model = Listener
        fields = ("account", "extension", "callback", "version", "expires_at")


class SubscriptionForm(forms.ModelForm):  # type: ignore[type-arg]
    tags = forms.MultipleChoiceField(
        choices=[(tag, tag) for tag in TAGS],
        widget=UnfoldAdminSelect2MultipleWidget,
        help_text="An event has to bear all of them.",
    )

    class Meta:
        model = Subscription
        fields = ("tags",)

    def __init__(self, *args: Any, listener: Listener | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.at_extension = listener is not None and listener.extension_id is not None

    def clean_tags(self) -> list[str]:
        try:
            return checked_tags(self.cleaned_data["tags"], at_extension=self.at_extension)
        except ValidationError as error:
            raise ValidationError(error.messages) from None


class SubscriptionFormSet(BaseInlineFormSet):  # type: ignore[type-arg]
    def get_form_kwargs(self, index: int | None) -> dict[str, Any]:
        return super().get_form_kwargs(index) | {"listener": self.instance}


class FilterForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = ListenerFilter
        fields = ("filter_type", "filter_value", "not_logic")

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if "filter_type" in given and "filter_value" in given:
            try:
                given["filter_value"] = checked_filter_value(given["filter_type"], given["filter_value"])
            except ValidationError as error:
                self.add_error("filter_value", error.messages)
        return given


class SubscriptionInline(TabularInline):
    """An event is wanted when one of these matches."""

    model = Subscription
    form = SubscriptionForm
    formset = SubscriptionFormSet
    extra = 0


class FilterInline(TabularInline):
    """An event has to pass all of these."""

    model = ListenerFilter
    form = FilterForm
    extra = 0


@admin.register(Listener)
class ListenerAdmin(EventsObjectAdmin):
    form = ListenerForm
    list_display = ("title", "callback", "wanted", "place", "version", "state")
    list_select_related = ("account", "extension", "callback")
    list_filter = (
        "callback__enabled",
        ("version", ChoicesCheckboxFilter),
        ("account", TenantFilter),
        ("callback", TenantFilter),
    )
    search_fields = ("=id", "callback__name", "callback__target", "account__name")
    search_help_text = "Id, callback's name or host, or account"
    autocomplete_fields = ("account", "extension", "callback")
    inlines = (SubscriptionInline, FilterInline)
    record = ("id", "created_at")
    fieldsets = (
        (None, {"fields": ("account", "extension", "callback", "version", "expires_at")}),
        ("Record", {"fields": ("id", "created_at")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).prefetch_related("subscriptions")

    @display(description="Listener", ordering="id")
    def title(self, listener: Listener) -> str:
        return str(listener)

    @display(description="Wanted events")
    def wanted(self, listener: Listener) -> str:
        return format_html_join(" or ", "{}", ((str(one),) for one in listener.subscriptions.all())) or "none"

    @display(
        description="State", label={"Active": "success", "Expired": "warning", "Callback disabled": "danger"}
    )
    def state(self, listener: Listener) -> str:
        if listener.has_expired:
            return "Expired"
        return "Active" if listener.callback.enabled else "Callback disabled"
