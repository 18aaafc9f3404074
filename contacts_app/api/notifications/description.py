"""What the resource says of itself to programs: `notification_contacts/schema/` (notification contacts spec §3)."""

from typing import Any

from contacts_app.api.notifications.query import DEFAULT_LIMIT


def _field(help_text: str, type_: str = "string", **others: Any) -> dict[str, Any]:
    return {
        "blank": False,
        "default": "No default provided.",
        "help_text": help_text,
        "nullable": False,
        "readonly": False,
        "type": type_,
        "unique": False,
    } | others


def describe_contacts(filters: list[str], ordering: list[str]) -> dict[str, Any]:
    return {
        "allowed_detail_http_methods": ["get", "put", "delete"],
        "allowed_list_http_methods": ["get", "post"],
        "default_format": "application/json",
        "default_limit": DEFAULT_LIMIT,
        "fields": {
            "email": _field("Where the contact is written to."),
            "main": _field("True of the account's own contact.", "boolean", nullable=True, readonly=True),
            "name": _field("What the contact is called.", blank=True, default=""),
            "phone": _field("Kept without spaces and punctuation.", blank=True, default=""),
            "resource_uri": _field("The contact's URL.", readonly=True),
            "uuid": _field("The contact's id.", readonly=True, unique=True),
        },
        "filtering": dict.fromkeys(filters, "exact"),
        "ordering": ordering,
    }
