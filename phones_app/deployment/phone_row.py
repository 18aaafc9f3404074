"""What a deployment's transitions write into the row of its phone, in their transactions."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from contacts_app.core.history.authorship import Author, authored
from contacts_app.core.history.records import change_recorded
from contacts_app.core.lists.update import update_row
from contacts_app.core.work import clock
from phones_app.deployment.models import Deployment
from phones_app.inventory.models import Phone


def note_profiles(deployments: Iterable[Deployment]) -> None:
    """What each phone got is its current profile now."""
    now = clock.now()
    _change_phones(
        {
            row: {"current_profile_id": row.profile_id, "updated_at": now}
            for row in deployments
            if row.phone is not None and row.phone.current_profile_id != row.profile_id
        }
    )


def note_status(details: Mapping[Deployment, Mapping[str, Any]]) -> None:
    """What the phones' status pages said before their restart: that they are there, and with which load."""
    now, seen = clock.now(), {row: detail["load"] for row, detail in details.items() if "load" in detail}
    _change_phones(
        {
            row: {"last_seen_at": now, "software_version": load}
            for row, load in seen.items()
            if row.phone is None or row.phone.software_version != load
        }
    )
    for row, load in seen.items():
        if row.phone is not None and row.phone.software_version == load:
            # No history is kept of this.
            update_row(Phone, row.phone.pk, {"last_seen_at": now})


def _change_phones(changes: Mapping[Deployment, dict[str, Any]]) -> None:
    """Change the deployments' phones in the names of those who asked for them."""
    by_author: defaultdict[Author, dict[int, dict[str, Any]]] = defaultdict(dict)
    for row, values in changes.items():
        if row.phone_id is not None:
            by_author[_author_of(row)][row.phone_id] = values
    if len(by_author) > 1:
        # In one order, as who checks the status of many phones locks them.
        every = [key for phones in by_author.values() for key in phones]
        list(Phone.objects.select_for_update(no_key=True).filter(pk__in=every).order_by("pk").values_list("pk"))
    for author, phones in by_author.items():
        with authored(lambda author=author: author):  # type: ignore[misc]
            change_recorded(Phone.objects.all(), phones, list(next(iter(phones.values()))))


def _author_of(deployment: Deployment) -> Author:
    reason = deployment.reason or f"Deployment {deployment.uuid}"
    return Author(deployment.requested_by, "task", deployment.user_id, reason=reason)
