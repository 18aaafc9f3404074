"""Key layouts with the question before one is saved that phones have."""

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest

from contacts_app.core.admin.frame import actor_of
from phones_app.configuration.admin.confirm import AsksBeforeSaving
from phones_app.configuration.changes import phones_of_layouts
from phones_app.configuration.effect import FileEffect, what_changes_layout, what_deleting_layouts_changes
from phones_app.inventory.models import Phone
from profiles_app.phone.admin.key_layout import KeyLayoutAdmin
from profiles_app.phone.admin.revision import may_reveal
from profiles_app.phone.models import KeyLayout


class LayoutWithPhones(AsksBeforeSaving, KeyLayoutAdmin):
    def effect(self, request: HttpRequest, before: Any, after: Any, form: Any) -> FileEffect | None:
        if before is None or (before.keys, before.modules) == (after.keys, after.modules):
            return None
        return what_changes_layout(before, after.keys, after.modules, reveal=may_reveal(request))

    def effect_of_deleting(self, request: HttpRequest, rows: Sequence[KeyLayout]) -> FileEffect | None:
        return what_deleting_layouts_changes(rows, reveal=may_reveal(request))

    def concerned(self, request: HttpRequest, row: KeyLayout) -> QuerySet[Phone]:
        return actor_of(request).sees(phones_of_layouts([row]).defer("web_password"))

    def shown(self, request: HttpRequest, row: KeyLayout) -> dict[str, object]:
        return super().shown(request, row) | {"layout": row} | self.behind_context(request, row)
