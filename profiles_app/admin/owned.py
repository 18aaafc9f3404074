"""What the pages about records of the messaging API share: the account is chosen once, and who changed what is shown."""

import re
from typing import Any

from django.db.models import Q
from django.http import HttpRequest

from contacts_app.admin.base import PortalAdmin
from contacts_app.services.text_search import NOTHING, number_match

RECORD = ("uuid", ("created_at", "created_by"), ("updated_at", "modified_by"))
SHORTEST_PART, SHORTEST_NATIONAL, LONGEST_NUMBER = 3, 7, 15


def digits_of(term: str) -> str:
    """The digits of a number or a part of one without trunk prefixes; empty for anything else."""
    if not re.fullmatch(r"[+\d\s().\-/]+", term):
        return ""
    # 00 leads abroad, 0 into a network, and "(0)" stands for that in numbers which are dialled from abroad.
    return re.sub(r"\D", "", term.replace("(0)", "")).lstrip("0")


def telephone_numbers(term: str) -> Q:
    """Leases whose number begins with these digits, or ends with them if they can be one without its country's code."""
    digits = digits_of(term)
    if not SHORTEST_PART <= len(digits) <= LONGEST_NUMBER:
        return NOTHING
    found = number_match("tn", digits)
    return found | Q(tn__iendswith=digits) if len(digits) >= SHORTEST_NATIONAL else found


class OwnedAdmin(PortalAdmin):
    list_select_related: tuple[str, ...] = ("account",)
    autocomplete_fields: tuple[str, ...] = ("account",)
    readonly_fields: tuple[str, ...] = ("uuid", "created_at", "created_by", "updated_at", "modified_by")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """What refers to the record belongs to the same account, so it stays there."""
        return (*self.readonly_fields, "account") if obj else self.readonly_fields
