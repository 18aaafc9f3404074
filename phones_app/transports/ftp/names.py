"""The names of the files beside a phone's file: temporary, moved aside, backups, and those that win over it.

The real file's name is the phone's own and comes from the caller, for example SEP001122334455.cnf.xml.
"""

import re
import secrets
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import count

_RELATIVE = re.compile(
    r"\.(?P<of>.+)\.[0-9a-f]{12}\.(?:part|old)"
    r"|(?P<kept>.+?)\.(?P<stamp>\d{8}T\d{6}Z)(?:\.(?P<number>\d+))?\.bak"
)


def temporary(name: str) -> str:
    """Return a new hidden name for content that is not complete yet."""
    return f".{name}.{secrets.token_hex(6)}.part"


def aside(name: str) -> str:
    """Return a new hidden name for the old file, for servers that cannot rename over an existing one."""
    return f".{name}.{secrets.token_hex(6)}.old"


def new_backups(name: str, moment: datetime, relatives: Iterable[str]) -> Iterator[str]:
    """Offer names for the backup made at `moment`, all of them newer than those among `relatives`.

    From the second one of the same second on they bear a number. Numbers freed by deletion are not used
    again, as the newest backup would then pass for the oldest.
    """
    stamp = moment.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    last = max((number for taken, number, _ in _backups(relatives) if taken == stamp), default=-1)
    for number in count(last + 1):
        yield f"{name}.{stamp}.{number}.bak" if number else f"{name}.{stamp}.bak"


def backups(relatives: Iterable[str]) -> list[str]:
    """Return the backups among `relatives`, the newest first."""
    return [backup for _, _, backup in sorted(_backups(relatives), reverse=True)]


def leftovers(relatives: Iterable[str]) -> list[str]:
    """Return what uploads that were killed half-way have left among `relatives`."""
    return sorted(relative for relative in relatives if relative.startswith("."))


def companions(name: str) -> list[str]:
    """Return the signed, encrypted and trust-list files that win over `name` (Cisco phones spec §3.9)."""
    device = name.split(".", 1)[0]
    return [
        *(f"{name}{ending}" for ending in (".sgn", ".enc", ".enc.sgn", ".tlv")),
        *(f"{prefix}{device}.tlv" for prefix in ("CTL", "ITL")),
    ]


class Listing:
    """The names in a folder, with the relatives of each file at hand: its temporary names and backups.

    A folder of 10,000 phones has some 40,000 names, too many to be searched at every upload.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._names: set[str] = set()
        self._relatives: defaultdict[str, set[str]] = defaultdict(set)
        for name in names:
            self.add(name)

    def __contains__(self, name: str) -> bool:
        return name in self._names

    def add(self, name: str) -> None:
        self._names.add(name)
        if match := _RELATIVE.fullmatch(name):
            self._relatives[match["of"] or match["kept"]].add(name)

    def discard(self, name: str) -> None:
        self._names.discard(name)
        if match := _RELATIVE.fullmatch(name):
            self._relatives[match["of"] or match["kept"]].discard(name)

    def relatives(self, name: str) -> set[str]:
        return self._relatives.get(name, set())


def _backups(relatives: Iterable[str]) -> list[tuple[str, int, str]]:
    matches = filter(None, map(_RELATIVE.fullmatch, relatives))
    return [(match["stamp"], int(match["number"] or 0), match[0]) for match in matches if match["kept"]]
