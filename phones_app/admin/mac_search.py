"""Finding phones by their MAC address in whatever spelling somebody has at hand, whole or a part of it."""

import re
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.text import smart_split
from unfold.admin import ModelAdmin

_FILE_ENDING = re.compile(r"\.cnf\.xml$", re.IGNORECASE)
_SEPARATORS = re.compile(r"[:.\s-]")
_DIGITS = re.compile(r"[0-9A-F]{2,12}")


def mac_digits(term: str) -> str:
    """The hex digits of a MAC address or a part of one, as stored; empty for anything else."""
    digits = _SEPARATORS.sub("", _FILE_ENDING.sub("", term)).upper().removeprefix("SEP")
    return digits if _DIGITS.fullmatch(digits) else ""


class MacSearchMixin(ModelAdmin):
    """Each word of the search is looked for in `search_fields` and, if it can be part of one, in the MAC."""

    search_mac = "mac"

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        whole = mac_digits(search_term)
        if len(whole) == 12:
            return queryset.filter(**{self.search_mac: whole}), False
        duplicates = False
        for word in smart_split(search_term):
            found, doubled = super().get_search_results(request, queryset, word)
            if digits := mac_digits(word):
                found |= queryset.filter(**{f"{self.search_mac}__contains": digits})
            queryset, duplicates = found, duplicates or doubled
        return queryset, duplicates
