"""Rows that have a MAC address: found by it in any spelling, whole or a part of it, and whose they are."""

import re
from typing import Any

from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest

from contacts_app.core.admin.base import ReadOnlyAdmin
from contacts_app.core.admin.columns import column
from contacts_app.core.admin.frame import actor_of
from contacts_app.core.lists.admin import BigListAdmin
from contacts_app.core.lists.search import text_match
from phones_app.inventory.models import Phone
from profiles_app.phone.sep.catalogue import colons

_FILE_ENDING = re.compile(r"\.cnf\.xml$", re.IGNORECASE)
_SEPARATORS = re.compile(r"[:.\s-]")
_DIGITS = re.compile(r"[0-9A-F]{2,12}")


def mac_digits(term: str) -> str:
    """The hex digits of a MAC address or a part of one, as stored; empty for anything else."""
    digits = _SEPARATORS.sub("", _FILE_ENDING.sub("", term)).upper().removeprefix("SEP")
    return digits if _DIGITS.fullmatch(digits) else ""


class MacSearchMixin(BigListAdmin):
    """Each word of the search is looked for in `search_fields` and, if it can be part of one, in the MAC."""

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Model], search_term: str
    ) -> tuple[QuerySet[Model], bool]:
        whole = mac_digits(search_term)
        if len(whole) == 12:
            return queryset.filter(mac=whole), False
        return super().get_search_results(request, queryset, search_term)

    def word_match(self, request: HttpRequest, word: str, anywhere: bool) -> Q:
        digits = mac_digits(word)
        found = super().word_match(request, word, anywhere)
        return found | text_match("mac", digits) if digits else found


class MacAdmin(MacSearchMixin, ReadOnlyAdmin):
    """Rows that name a phone by its MAC address only: they belong to the account that has this phone."""

    goes_along = False
    list_display_links = ("mac_address",)
    mac_address = column("MAC address", lambda row: colons(row.mac) if row.mac else "–", ordering="mac")

    def tenant_rows(self, request: HttpRequest) -> QuerySet[Any]:
        actor, rows = actor_of(request), self.all_rows(request)
        return rows if actor.is_staff else rows.filter(mac__in=actor.sees(Phone.objects.all()).values("mac"))
