"""Finding the row that a URL names: malformed is 400, absent or somebody else's is 404."""

from typing import Any, TypeVar
from uuid import UUID

from django.db.models import Model, QuerySet
from rest_framework.exceptions import NotFound, ValidationError

M = TypeVar("M", bound=Model)


def parse_uuid(text: str) -> UUID | None:
    """A UUID in its usual spelling and any case; None for anything else."""
    try:
        uuid = UUID(text)
    except ValueError:
        return None
    return uuid if str(uuid) == text.lower() else None


def uuid_in_url(text: str, name: str = "uuid") -> UUID:
    """The UUID that a URL names; anything else is a 400."""
    uuid = parse_uuid(text)
    if uuid is None:
        raise ValidationError({name: "Must be a UUID."})
    return uuid


def find(rows: "QuerySet[M]", thing: str, **lookup: Any) -> M:
    """The one row, or a 404 that says what was not found. Rows of other tenants are not among `rows`."""
    row = rows.filter(**lookup).first()
    if row is None:
        raise NotFound(f"{thing} not found")
    return row
