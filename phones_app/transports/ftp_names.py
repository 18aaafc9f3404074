"""The names of the files beside a phone's file: temporary, moved aside, backups, and those that win over it.

The real file's name is the phone's own and comes from the caller, for example SEP001122334455.cnf.xml.
"""

import re
import secrets
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import count


def temporary(name: str) -> str:
    """Return a new hidden name for content that is not complete yet."""
    return f".{name}.{secrets.token_hex(6)}.part"


def aside(name: str) -> str:
    """Return a new hidden name for the old file, for servers that cannot rename over an existing one."""
    return f".{name}.{secrets.token_hex(6)}.old"


def new_backups(name: str, moment: datetime, known: Iterable[str]) -> Iterator[str]:
    """Offer names for the backup made at `moment`, all of them newer than those `known`.

    From the second one of the same second on they bear a number. Numbers freed by deletion are not used
    again, as the newest backup would then pass for the oldest.
    """
    stamp = moment.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    last = max((number for taken, number, _ in _backups(name, known) if taken == stamp), default=-1)
    for number in count(last + 1):
        yield f"{name}.{stamp}.{number}.bak" if number else f"{name}.{stamp}.bak"


def backups(name: str, names: Iterable[str]) -> list[str]:
    """Return the backups of `name` among `names`, the newest first."""
    return [backup for _, _, backup in sorted(_backups(name, names), reverse=True)]


def _backups(name: str, names: Iterable[str]) -> list[tuple[str, int, str]]:
    pattern = re.compile(re.escape(name) + r"\.(\d{8}T\d{6}Z)(?:\.(\d+))?\.bak")
    return [(match[1], int(match[2] or 0), match[0]) for match in map(pattern.fullmatch, names) if match]


def leftovers(name: str, names: Iterable[str]) -> list[str]:
    """Return what earlier uploads of `name`, killed half-way, have left among `names`."""
    pattern = re.compile(r"\." + re.escape(name) + r"\.[0-9a-f]{12}\.(?:part|old)")
    return sorted(filter(pattern.fullmatch, names))


def companions(name: str) -> list[str]:
    """Return the signed, encrypted and trust-list files that win over `name` (Cisco phones spec §3.9)."""
    device = name.split(".", 1)[0]
    return [
        *(f"{name}{ending}" for ending in (".sgn", ".enc", ".enc.sgn", ".tlv")),
        *(f"{prefix}{device}.tlv" for prefix in ("CTL", "ITL")),
    ]
