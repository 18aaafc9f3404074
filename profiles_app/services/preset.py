"""The preset values of MyAccount profiles: a reader of the configured file (MyAccount spec §4)."""

import tomllib
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path

from django.conf import settings

from profiles_app.models import Availability

# The lists that an installation configures, by their names on the wire.
LISTS = ("myAccountFlags", "myNumbers", "myCampaigns")


class PresetsUnreadable(Exception):
    """The configured file is missing or is not a TOML table of lists of texts."""


@lru_cache(maxsize=4)
def _read(path: str) -> Mapping[str, tuple[str, ...]]:
    try:
        table = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise PresetsUnreadable(f"{path}: {error}") from None
    lists: dict[str, tuple[str, ...]] = {}
    for name in LISTS:
        values = table.pop(name, None)
        if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
            raise PresetsUnreadable(f"{path}: {name} must be a list of texts")
        spellings = {value.strip().casefold() for value in values}
        if "" in spellings or len(spellings) != len(values):
            raise PresetsUnreadable(f"{path}: {name} has an empty value, or one twice")
        lists[name] = tuple(value.strip() for value in values)
    if table:
        raise PresetsUnreadable(f"{path}: {', '.join(table)}: no such list")
    return lists


def preset_values() -> dict[str, tuple[str, ...]]:
    """Every preset list by its name on the wire: the fixed one, then the configured ones. Raises PresetsUnreadable."""
    return {"availability": tuple(Availability.values), **_read(settings.MYACCOUNT_PRESETS_FILE)}


def allowed_values(name: str, kept: Iterable[str] = ()) -> dict[str, str]:
    """Canonical spellings by folded ones: those of the list, and those that a record keeps from an older list."""
    return {value.casefold(): value for value in (*kept, *preset_values()[name])}
