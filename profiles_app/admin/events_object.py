"""What the pages about objects of the events integration have in common: their place stays once they are made."""

from typing import Any

from django.http import HttpRequest
from unfold.decorators import display

from contacts_app.admin.base import PortalAdmin
from profiles_app.models.events_object import EventsObject


class EventsObjectAdmin(PortalAdmin):
    """Ids stand in other people's URLs below an account or an extension, and references stay within the account."""

    autocomplete_fields: Any = ("account", "extension")
    list_select_related: Any = ("account", "extension")
    record: tuple[str, ...] = ("id",)

    def get_readonly_fields(self, request: HttpRequest, obj: EventsObject | None = None) -> tuple[str, ...]:
        placed = ("account", "extension") if obj else ()
        return (*super().get_readonly_fields(request, obj), *placed, *self.record)

    @display(description="Belongs to", header=True)
    def place(self, row: EventsObject) -> list[str]:
        return [row.account.name, f"Extension {row.extension}" if row.extension else "the whole account"]
