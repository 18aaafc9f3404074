"""What phones were seen doing: fetching their files, and being logged in on their service menu."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.decorators import display

from contacts_app.core.admin.base import ReadOnlyAdmin
from contacts_app.core.admin.frame import actor_of
from contacts_app.templatetags.moments import ago
from phones_app.boot.models import FileFetch
from phones_app.inventory.admin.group import MacSearchMixin
from phones_app.inventory.models import Phone, ServiceSession
from profiles_app.phone import sep


class MacAdmin(MacSearchMixin, ReadOnlyAdmin):
    """Rows that name a phone by its MAC address only: they belong to the account that has this phone."""

    goes_along = False
    list_display_links = ("mac_address",)

    def tenant_rows(self, request: HttpRequest) -> QuerySet[Any]:
        rows = self.all_rows(request)
        actor = actor_of(request)
        if actor.is_staff:
            return rows
        return rows.filter(mac__in=actor.sees(Phone.objects.all()).values("mac"))

    @display(description="MAC address", ordering="mac")
    def mac_address(self, row: Any) -> str:
        return sep.mac.colons(row.mac)


@admin.register(FileFetch)
class FileFetchAdmin(MacAdmin):
    list_display = ("mac_address", "file_name", "address", "protocol", "size", "fetched")
    search_fields = ("file_name", "address")
    search_help_text = "MAC in any spelling, file or IP address"
    fields = (
        "mac_address",
        "file_name",
        "address",
        "protocol",
        "size",
        "sha256",
        "fetched_at",
        "followed_by",
    )

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @display(description="Fetched", ordering="fetched_at")
    def fetched(self, fetch: FileFetch) -> str:
        return ago(fetch.fetched_at)


@admin.register(ServiceSession)
class ServiceSessionAdmin(MacAdmin):
    """Deleting one logs the person out of the phone's service menu."""

    list_display = ("mac_address", "user", "address", "live", "last_used")
    list_select_related = ("user",)
    search_fields = ("user__email", "address")
    search_help_text = "MAC in any spelling, email or IP address"
    fields = ("mac_address", "user", "address", "live", "created_at", "last_used_at")

    @display(description="Live", boolean=True)
    def live(self, session: ServiceSession) -> bool:
        return session.is_live

    @display(description="Last used", ordering="last_used_at")
    def last_used(self, session: ServiceSession) -> str:
        return ago(session.last_used_at)
