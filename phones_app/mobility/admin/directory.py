"""The personal directory on the page of its person."""

from typing import Any

from django.http import HttpRequest
from unfold.admin import TabularInline

from contacts_app.core.admin.base import PortalAdmin
from contacts_app.people.models import User
from phones_app.mobility.models import DirectoryEntry


class DirectoryInline(TabularInline):
    model = DirectoryEntry
    fields = ("name", "number", "place")
    extra = 0


class DirectoryOfPerson(PortalAdmin):
    """Entries are added once the person is there."""

    def get_inlines(self, request: HttpRequest, obj: User | None) -> list[Any]:
        return [*super().get_inlines(request, obj), *([DirectoryInline] if obj else [])]
