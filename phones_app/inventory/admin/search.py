"""Finding rows by the MAC address that they have, in any spelling, whole or a part of it."""

import re

from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest

from contacts_app.core.lists.admin import BigListAdmin
from contacts_app.core.lists.search import text_match

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
