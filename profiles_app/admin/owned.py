"""What the pages about records of the messaging API share: the account is chosen once, and who changed what is shown."""

from django.db.models import Q

from contacts_app.admin.base import PortalAdmin
from contacts_app.models.phone_number import digits
from contacts_app.services.text_search import NOTHING, number_match

RECORD = ("uuid", ("created_at", "created_by"), ("updated_at", "modified_by"))
SHORTEST_PART, SHORTEST_NATIONAL, LONGEST_NUMBER = 3, 7, 15


def telephone_numbers(term: str) -> Q:
    """Leases whose number begins with these digits, or ends with them if they can be one without its country's code."""
    number = digits(term)
    if not SHORTEST_PART <= len(number) <= LONGEST_NUMBER:
        return NOTHING
    found = number_match("tn", number)
    return found | Q(tn__iendswith=number) if len(number) >= SHORTEST_NATIONAL else found


class OwnedAdmin(PortalAdmin):
    list_select_related: tuple[str, ...] = ("account",)
    autocomplete_fields: tuple[str, ...] = ("account",)
    readonly_fields: tuple[str, ...] = ("uuid", "created_at", "created_by", "updated_at", "modified_by")
    # What refers to the record belongs to the same account, so it stays there.
    chosen_once = ("account",)
