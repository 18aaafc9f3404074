"""Which names are shared files that a phone would be given, for any number of phones by one query."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from django.db.models import Q
from django.db.models.functions import Lower

from contacts_app.core.lists.among import among
from phones_app.servers.models import FileServer
from phones_app.shared_files.models import CopyState, FileCopy, SharedFile


class AskedFor(NamedTuple):
    """What a phone asks for; `phone` and `account` are keys of rows."""

    phone: int | None
    account: int
    names: frozenset[str]


def given_names(asked: Sequence[AskedFor]) -> list[frozenset[str]]:
    """Of each the names under which the embedded file server has a shared file for it, in whatever case."""
    lower = {name.lower() for one in asked for name in one.names}
    if not lower:
        return [frozenset()] * len(asked)
    accounts = {one.account for one in asked}
    rows = SharedFile.objects.alias(lower=Lower("path")).filter(lower__in=among(sorted(lower)))
    rows = rows.filter(Q(account=None) | Q(account__in=among(sorted(accounts))))
    of_owner: defaultdict[tuple[int | None, int | None], set[str]] = defaultdict(set)
    for account, phone, path in rows.values_list("account", "phone", "path"):
        of_owner[account, phone].add(path.lower())
    return [
        frozenset(
            name
            for name in one.names
            if any(
                name.lower() in of_owner.get(owner, ())
                for owner in ((None, None), (one.account, None), (one.account, one.phone))
            )
        )
        for one in asked
    ]


def placed_names(servers: Iterable[FileServer], names: Iterable[str]) -> dict[int, set[str]]:
    """Of each server (its key) those of the names that were brought there and are in place."""
    found: dict[int, set[str]] = {server.pk: set() for server in servers}
    wanted = sorted(set(names))
    if found and wanted:
        rows = FileCopy.objects.filter(server__in=among(sorted(found)), path__in=among(wanted))
        in_place = rows.filter(state=CopyState.IN_PLACE).exclude(sha256="")
        for server, path in in_place.values_list("server", "path"):
            found[server].add(path)
    return found
