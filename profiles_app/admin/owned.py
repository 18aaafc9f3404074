"""What the pages about records of the messaging API share: the account is chosen once, and who changed what is shown."""

import re
from typing import Any

from django.db.models import F, Q, QuerySet
from django.db.models.functions import Mod
from django.db.models.lookups import Exact
from django.http import HttpRequest

from contacts_app.admin.base import PortalAdmin

RECORD = ("uuid", ("created_at", "created_by"), ("updated_at", "modified_by"))
SHORTEST_PART, SHORTEST_NATIONAL, LONGEST_NUMBER = 3, 7, 15


def digits_of(term: str) -> str:
    """The digits of a number or a part of one without trunk prefixes; empty for anything else."""
    if not re.fullmatch(r"[+\d\s().\-/]+", term):
        return ""
    # 00 leads abroad, 0 into a network, and "(0)" stands for that in numbers which are dialled from abroad.
    return re.sub(r"\D", "", term.replace("(0)", "")).lstrip("0")


def telephone_numbers(term: str, path: str = "tn") -> Q | None:
    """Numbers that begin with these digits, or end with them if they can be a whole one without its country's code.

    Beginnings are ranges, which an index answers: a number has no characters to compare.
    """
    digits = digits_of(term)
    if not SHORTEST_PART <= len(digits) <= LONGEST_NUMBER:
        return None
    found = Q()
    for more in range(LONGEST_NUMBER - len(digits) + 1):
        first = int(digits) * 10**more
        found |= Q(**{f"{path}__gte": first, f"{path}__lt": first + 10**more})
    if len(digits) >= SHORTEST_NATIONAL:
        found |= Q(Exact(Mod(F(path), 10 ** len(digits)), int(digits)))
    return found


class OwnedAdmin(PortalAdmin):
    """`search_number` leads to the number that a search for digits looks for."""

    list_select_related: tuple[str, ...] = ("account",)
    autocomplete_fields: tuple[str, ...] = ("account",)
    readonly_fields: tuple[str, ...] = ("uuid", "created_at", "created_by", "updated_at", "modified_by")
    search_number = ""

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """What refers to the record belongs to the same account, so it stays there."""
        return (*self.readonly_fields, "account") if obj else self.readonly_fields

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        found, doubled = super().get_search_results(request, queryset, search_term)
        numbers = telephone_numbers(search_term, self.search_number) if self.search_number else None
        if numbers is None:
            return found, doubled
        return queryset.filter(Q(pk__in=found.values("pk")) | numbers), True
