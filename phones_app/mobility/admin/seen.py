"""What phones were seen doing: being logged in on their service menu, sending wrong PINs."""

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from contacts_app.core.admin.base import ReadOnlyAdmin
from contacts_app.core.admin.columns import ago_column, column
from contacts_app.core.admin.frame import actor_of
from phones_app.inventory.admin.search import MacAdmin, MacSearchMixin
from phones_app.inventory.models import Phone, ServiceSession
from phones_app.mobility.models import PinFailures
from phones_app.mobility.pins import is_locked
from profiles_app.phone.sep.catalogue import colons


@admin.register(ServiceSession)
class ServiceSessionAdmin(MacAdmin):
    """Deleting one logs the person out of the phone's service menu."""

    list_display = ("mac_address", "user", "address", "live", "last_used")
    list_select_related = ("user",)
    search_fields = ("user__email", "address")
    search_help_text = "MAC in any spelling, email or IP address"
    fields = ("mac_address", "user", "address", "live", "created_at", "last_used_at")
    live = column("Live", lambda session: session.is_live, boolean=True)
    last_used = ago_column("last_used_at", "Last used")


@admin.register(PinFailures)
class PinFailuresAdmin(MacSearchMixin, ReadOnlyAdmin):
    """Deleting a row lifts the lock and forgets the failures."""

    list_display = ("whose", "locked", "count", "last")
    list_display_links = ("whose",)
    list_select_related = ("user",)
    search_fields = ("user__email",)
    search_help_text = "Email, or MAC in any spelling"
    fields = ("whose", "locked", "count", "last_at")
    readonly_fields = ("whose", "locked")
    whose = column("Person or phone", lambda row: row.user or colons(row.mac))
    locked = column("Locked", is_locked, boolean=True)
    last = ago_column("last_at", "Last failure")

    def tenant_rows(self, request: HttpRequest) -> QuerySet[PinFailures]:
        actor, rows = actor_of(request), self.all_rows(request)
        phones = actor.sees(Phone.objects.all()).values("mac")
        return rows if actor.is_staff else rows.filter(Q(user__account=actor.account) | Q(mac__in=phones))
