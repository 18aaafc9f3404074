"""What a phone asked for when it started, and what that means: the boot trace of its page and of REST.

What single names mean is a table, `trace.toml`. Nothing here is evidence of a deployment; `FileFetch` is.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from itertools import islice
from typing import NamedTuple

from django.db.models import Count, Max, QuerySet

from contacts_app.core.counted import counted
from contacts_app.core.tables import table
from phones_app.boot.models import FileFetch, RequestedFile
from phones_app.boot.names import OWN_MAC
from phones_app.inventory.models import Phone
from profiles_app.phone.sep.catalogue import NAME_OF_FORMAT

# So many fetches of the same file within this time and nothing else (Cisco phones spec §2.7).
REPEATS, WITHIN = 3, timedelta(minutes=10)
# Names of the list over the fleet.
MOST_NAMES = 500


class Meaning(NamedTuple):
    pattern: re.Pattern[str]
    what: str
    given: str
    missing: str
    normal: bool


@dataclass(frozen=True)
class TraceLine:
    """One name that the phone asked for; `beside`: how many other phones of its model and account got that file."""

    row: RequestedFile
    name: str
    what: str
    meaning: str
    is_normal: bool
    beside: int


@dataclass(frozen=True)
class BootTrace:
    lines: list[TraceLine]
    findings: list[str]


@dataclass(frozen=True)
class InVain:
    """A name over the fleet for which there was no file at the last request of so many phones."""

    name: str
    what: str
    meaning: str
    is_normal: bool
    phones: int
    last_at: datetime


def boot_trace(phone: Phone) -> BootTrace:
    """The latest first."""
    rows = list(RequestedFile.objects.filter(mac=phone.mac))
    beside = _given_beside(phone, [row.name for row in rows if row.is_missing])
    lines = []
    for row in rows:
        known = meaning_of(row.name)
        words = row.refusal or (known.missing if row.is_missing else known.given)
        name, is_normal = row.name.replace(OWN_MAC, phone.mac), row.is_missing and known.normal
        lines.append(TraceLine(row, name, known.what, words, is_normal, beside.get(row.name, 0)))
    return BootTrace(lines, _findings(phone, rows))


def in_vain(rows: QuerySet[RequestedFile], *, normal: bool = False) -> list[InVain]:
    """What phones that are among `rows` asked for in vain last, by how many of them; `normal`: also what is usual.

    Of more than `MOST_NAMES` it is one more than that.
    """
    missing = rows.filter(is_missing=True, refusal="").exclude(mac=None).order_by().values("name")
    names = missing.annotate(phones=Count("mac", distinct=True), last=Max("last_at")).order_by("-phones", "name")
    found = (
        InVain(name, known.what, known.missing, known.normal, phones, last)
        for name, phones, last in names.values_list("name", "phones", "last").iterator()
        if not (known := meaning_of(name)).normal or normal
    )
    return list(islice(found, MOST_NAMES + 1))


def meaning_of(name: str) -> Meaning:
    return next(one for one in _meanings() if one.pattern.fullmatch(name))


@cache
def _meanings() -> list[Meaning]:
    return [
        Meaning(
            re.compile(entry["pattern"], re.IGNORECASE | re.DOTALL),
            *(entry["what"], entry["given"], entry["missing"], entry.get("normal", False)),
        )
        for entry in table(__file__, "trace.toml")["file"]
    ]


def _given_beside(phone: Phone, names: list[str]) -> dict[str, int]:
    """How many others of its model in its account were given each of these files."""
    if not names or not phone.model:
        return {}
    others = Phone.objects.filter(account=phone.account_id, model=phone.model).exclude(pk=phone.pk)
    rows = RequestedFile.objects.filter(name__in=names, is_missing=False, mac__in=others.values("mac")).order_by()
    return dict(rows.values("name").annotate(phones=Count("mac")).values_list("name", "phones"))


def _findings(phone: Phone, rows: list[RequestedFile]) -> list[str]:
    """What several requests say together."""
    words = table(__file__, "trace.toml")["finding"]
    # Of several names, as of a phone that was given other firmware, the last one says what it reads now.
    mine = [row for row in rows if row.name in NAME_OF_FORMAT.values()]
    own = max(mine, key=lambda row: row.last_at, default=None)
    fetches = list(FileFetch.objects.filter(mac=phone.mac)[:REPEATS])
    found = []
    if own is not None and own.is_missing:
        found.append(words["refused" if own.refusal else "no_file"])
    if own is not None and own.protocol == "tftp":
        found.append(words["tftp"])
    if fetches and fetches[0].followed_by:
        found.append(words["accepted"].format(name=fetches[0].followed_by))
    elif len(fetches) == REPEATS and _is_repeated(fetches):
        minutes = int((fetches[0].fetched_at - fetches[-1].fetched_at).total_seconds() // 60) + 1
        found.append(words["repeated"].format(count=len(fetches), minutes=counted(minutes, "minute")))
    return found


def _is_repeated(fetches: list[FileFetch]) -> bool:
    same = len({fetch.sha256 for fetch in fetches}) == 1 and not any(fetch.followed_by for fetch in fetches)
    return same and fetches[0].fetched_at - fetches[-1].fetched_at <= WITHIN
