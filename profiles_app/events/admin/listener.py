"""Event profiles; and listeners with their subscriptions and filters, which say which events go to which callback."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest
from django.utils.html import format_html_join
from unfold.admin import TabularInline
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelect2MultipleWidget

from contacts_app.core.admin.base import PortalAdmin
from contacts_app.core.admin.columns import column, count_column
from contacts_app.core.admin.forms import SameAccountForm
from profiles_app.events.listener_changes import checked_filter_value, checked_tags
from profiles_app.events.models.setup import EventProfile, EventsObject, Listener, ListenerFilter, Subscription
from profiles_app.events.tags import TAGS

STATE_LABELS = {"Active": "success", "Expired": "warning", "Callback disabled": "danger"}
ELSEWHERE = "This belongs to another account."
OF_A_PROFILE = "This is the webhook of a messaging profile, which takes nothing else."


class EventsObjectAdmin(PortalAdmin):
    """Ids stand in other people's URLs below an account or an extension, so objects keep their place."""

    autocomplete_fields: ClassVar[tuple[str, ...]] = ("account", "extension")
    list_select_related: ClassVar[tuple[str, ...]] = ("account", "extension")
    chosen_once = ("account", "extension")
    readonly_fields: ClassVar[tuple[str, ...]] = ("id", "created_at")

    @display(description="Account", header=True)
    def place(self, row: EventsObject) -> list[str]:
        return [row.account.name, f"Extension {row.extension}" if row.extension else "the whole account"]


@admin.register(EventProfile)
class EventProfileAdmin(EventsObjectAdmin):
    list_display = ("name", "told", "place", "callback_count", "created_at")
    list_filter = ("account",)
    search_fields = ("name", "support_email", "account__name")
    search_help_text = "Name, email or account"
    callback_count = count_column("callbacks", "Callbacks")
    fieldsets = (
        (None, {"fields": ("account", "extension", "name", "support_email")}),
        ("Record", {"fields": ("id", "created_at")}),
    )

    def save_model(self, request: HttpRequest, obj: EventProfile, form: Any, change: bool) -> None:
        obj.support_email = obj.support_email or None  # REST says null for none.
        super().save_model(request, obj, form, change)

    @display(description="Support email")
    def told(self, profile: EventProfile) -> str:
        return profile.support_email or f"{profile.account.email} (the account's)"


class NamesCallback(SameAccountForm):
    """A form that names a callback. Webhooks get bodies of their own, so that none is chosen, as over REST."""

    def clean(self) -> dict[str, Any]:
        given = super().clean()
        for name in ("callback", "fallback_callback"):
            if given.get(name) and given[name].webhook_key:
                self.add_error(name, OF_A_PROFILE)
        return given


class ListenerForm(NamesCallback):
    same_account = {"callback": ELSEWHERE}

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
    """Without a subscription a listener hears of nothing, so that a row without tags must not pass for one."""

    default_error_messages = {"too_few_forms": "A listener needs a subscription: add one and choose its tags."}

    def get_form_kwargs(self, index: int | None) -> dict[str, Any]:
        # A row that nobody has filled in is as wrong as one with a wrong tag; the template of new rows has no index.
        told = {"empty_permitted": False} if index is not None else {}
        return super().get_form_kwargs(index) | told | {"listener": self.instance}


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

    def get_formset(self, request: HttpRequest, obj: Listener | None = None, **kwargs: Any) -> Any:
        # One that came by REST may have none yet.
        least = 0 if obj else 1
        return super().get_formset(request, obj, min_num=least, validate_min=bool(least), **kwargs)


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
    list_filter = ("callback__enabled", "version", "account", "callback")
    search_fields = ("=id", "callback__name", "callback__target", "account__name")
    search_help_text = "Id, callback's name or host, or account"
    autocomplete_fields = ("account", "extension", "callback")
    inlines = (SubscriptionInline, FilterInline)
    title = column("Listener", str, ordering="id")
    fieldsets = (
        (None, {"fields": ("account", "extension", "callback", "version", "expires_at")}),
        ("Record", {"fields": ("id", "created_at")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).prefetch_related("subscriptions")

    @display(description="Wanted events")
    def wanted(self, listener: Listener) -> str:
        return format_html_join(" or ", "{}", ((str(one),) for one in listener.subscriptions.all())) or "none"

    @display(description="State", label=STATE_LABELS)
    def state(self, listener: Listener) -> str:
        if listener.has_expired:
            return "Expired"
        return "Active" if listener.callback.enabled else "Callback disabled"
