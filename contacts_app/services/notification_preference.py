"""What contacts want to be told of."""

from collections.abc import Iterable

from django.db import transaction

from contacts_app.models import EventClass, NotificationContact, NotificationPreference, NotificationType
from contacts_app.models.event_class import is_told_by_default
from contacts_app.services.history import upsert_recorded

TYPES = [*EventClass.values, *NotificationType.values]


def set_preferences(preferences: Iterable[NotificationPreference]) -> None:
    """Store decisions, over earlier ones about the same. Of several about the same the last counts."""
    last = {(row.contact_id, row.type, row.medium): row for row in preferences}
    upsert_recorded(last.values(), unique=["contact", "type", "medium"], fields=["value", "updated_at"])


def wanted_types(contact: NotificationContact) -> list[str]:
    """The types that the contact is told of."""
    decided = {row.type: row.value for row in contact.preferences.all()}
    return [type_ for type_ in TYPES if decided.get(type_, is_told_by_default(type_))]


@transaction.atomic
def set_wanted_types(contact: NotificationContact, wanted: Iterable[str]) -> None:
    """Exactly these types; a row is written only where the decision differs from the present one."""
    chosen, present = set(wanted), set(wanted_types(contact))
    set_preferences(
        NotificationPreference(contact=contact, type=type_, value=type_ in chosen)
        for type_ in TYPES
        if (type_ in chosen) != (type_ in present)
    )
