"""Callbacks: where events go. Saving sends nothing; the URL is tried by a button of its own."""

import json
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.cache import add_never_cache_headers
from unfold.contrib.filters.admin import ChoicesCheckboxFilter
from unfold.decorators import action, display

from contacts_app.admin.base import TenantFilter, count_of
from contacts_app.services.history import update_recorded
from profiles_app.admin.callback_form import (
    APPLICATION_FIELDS,
    EMAIL_FIELDS,
    HTTP_FIELDS,
    RATE_FIELDS,
    CallbackForm,
    visible_fields,
)
from profiles_app.admin.events_object import EventsObjectAdmin
from profiles_app.models import Callback
from profiles_app.services.callback import make_ready
from profiles_app.services.callback_config import masked_config
from profiles_app.services.probe import probe

REVEAL = "contacts_app.reveal_secrets"
GENERAL = ("account", "extension", "name", "enabled", "profile", "fallback_callback", "mode")


@admin.register(Callback)
class CallbackAdmin(EventsObjectAdmin):
    form = CallbackForm
    conditional_fields = visible_fields()
    list_display = ("title", "target", "mode", "enabled", "place", "profile", "listener_count")
    list_display_links = ("title",)
    list_select_related = ("account", "extension", "profile")
    list_filter = (
        ("mode", ChoicesCheckboxFilter),
        "enabled",
        ("account", TenantFilter),
        ("profile", TenantFilter),
    )
    search_fields = ("name", "target", "account__name")
    search_help_text = "Name, host, email address or account"
    autocomplete_fields = ("account", "extension", "profile", "fallback_callback")
    actions = ["enable", "disable"]
    actions_detail = ["test", "reveal"]
    actions_submit_line = ["save_and_test"]
    fieldsets = (
        (None, {"fields": GENERAL}),
        ("Delivery", {"fields": (*HTTP_FIELDS, *EMAIL_FIELDS, *APPLICATION_FIELDS, RATE_FIELDS)}),
        ("Record", {"fields": ("id",)}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).annotate(listeners_here=count_of(Callback, "listeners"))

    def get_fieldsets(self, request: HttpRequest, obj: Callback | None = None) -> Any:
        if obj is None or self.has_change_permission(request, obj):
            return super().get_fieldsets(request, obj)
        return ((None, {"fields": (*GENERAL, "configuration")}), ("Record", {"fields": ("id",)}))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return (*super().get_readonly_fields(request, obj), "configuration")

    def save_model(self, request: HttpRequest, obj: Callback, form: Any, change: bool) -> None:
        obj.config = form.config
        obj.name = obj.name or None  # REST says null for none.
        make_ready(obj)
        super().save_model(request, obj, form, change)

    def has_reveal_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.has_perm(REVEAL))

    @action(description="Enable the selected callbacks", permissions=["change"])
    def enable(self, request: HttpRequest, queryset: QuerySet[Callback]) -> None:
        self._switch(request, queryset, on=True)

    @action(description="Disable the selected callbacks", permissions=["change"])
    def disable(self, request: HttpRequest, queryset: QuerySet[Callback]) -> None:
        self._switch(request, queryset, on=False)

    def _switch(self, request: HttpRequest, queryset: QuerySet[Callback], *, on: bool) -> None:
        word = "enabled" if on else "disabled"
        turned = list(queryset.filter(enabled=not on))
        update_recorded(Callback.objects.filter(pk__in=[callback.pk for callback in turned]), enabled=on)
        for callback in turned:
            self.log_change(request, callback, f"{word.title()}.")
        messages.success(
            request, f"{len(turned)} {'callback is' if len(turned) == 1 else 'callbacks are'} now {word}."
        )

    @action(description="Save and test the URL", permissions=["change"])
    def save_and_test(self, request: HttpRequest, obj: Callback) -> None:
        self._try(request, obj)

    @action(description="Test now…", icon="science", permissions=["change"])
    def test(self, request: HttpRequest, object_id: str) -> HttpResponse:
        callback = self.row_or_404(request, object_id)
        back = reverse("admin:profiles_app_callback_change", args=[callback.pk])
        question = f'Send {{"test": 1}} to {callback.target}, as when the callback was created?'
        if page := self.confirmed(request, question=question, button="Send", back=back):
            return page
        self._try(request, callback)
        return HttpResponseRedirect(back)

    def _try(self, request: HttpRequest, callback: Callback) -> None:
        tried = probe(callback)
        say = messages.success if tried.ok else messages.error
        say(request, f"Test: {tried.message}")

    @action(description="Show secrets", icon="visibility", permissions=["reveal"])
    def reveal(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The configuration as it is sent; that somebody has seen it is written down."""
        callback = self.row_or_404(request, object_id)
        self.log_change(request, callback, "Was shown the configuration with its secrets.")
        back = reverse("admin:profiles_app_callback_change", args=[callback.pk])
        text = json.dumps(callback.config, indent=2, ensure_ascii=False)
        page = self.page(
            request, "admin/profiles_app/callback/config.html", str(callback), text=text, back=back
        )
        add_never_cache_headers(page)
        return page

    @display(description="Configuration")
    def configuration(self, callback: Callback) -> str:
        # A URL is as often secret as a header is.
        config = masked_config(callback.config)
        shown = {name: value for name, value in config.items() if name not in ("url", "headers")}
        return f"{callback.target}: {json.dumps(shown, ensure_ascii=False)}"

    @display(description="Callback", ordering="name")
    def title(self, callback: Callback) -> str:
        return callback.name or f"Callback {callback.pk}"

    @display(description="Listeners")
    def listener_count(self, callback: Any) -> int:
        return int(callback.listeners_here)
