"""Event profiles: whom to write to when a callback misbehaves."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.decorators import display

from contacts_app.admin.base import TenantFilter, count_of
from profiles_app.admin.events_object import EventsObjectAdmin
from profiles_app.models import EventProfile


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
