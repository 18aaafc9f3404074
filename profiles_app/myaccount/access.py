"""What a MyAccount profile opens in the self-service portal: which page and button needs which flags (portal spec §2).

The table is a configured file beside that of the presets, because every installation has preset lists of its own.
"""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning

from profiles_app.myaccount.models import MyAccountProfile
from profiles_app.myaccount.services import PresetsUnreadable, preset_values

# Columns of a profile by the names of its members on the wire, as the file spells them.
LISTS = {"myAccountFlags": "myaccount_flags", "myNumbers": "my_numbers", "myCampaigns": "my_campaigns"}
SWITCHES = {
    "myCallsEnabled": "my_calls_enabled",
    "myCallsDailyCDRAccess": "my_calls_daily_cdr_access",
    "myCallsUseBackendDescriptions": "my_calls_use_backend_descriptions",
}
Flags = frozenset[str]
NONE: Flags = frozenset()


@dataclass(frozen=True)
class Needs:
    """Any of these flags opens the page; any of a button's allows what it does."""

    opens: Flags = NONE
    buttons: Mapping[str, Flags] = field(default_factory=dict)

    def are_met(self, flags: Flags, button: str = "") -> bool:
        """Whether these flags open the page, and allow the button if one is named."""
        return bool(self.opens & flags) and (not button or bool(self.buttons.get(button, NONE) & flags))


class PortalTableUnreadable(Exception):
    """The configured file is missing, or is no TOML table of pages and what they need."""


def _flag(text: str) -> str:
    """In the one spelling in which flags are compared: any case and any spaces around the colon mean the same."""
    return ":".join(part.strip().casefold() for part in text.split(":", 1))


def flags_of(profile: MyAccountProfile | None) -> Flags:
    """Everything that the profile grants; nothing without one."""
    if profile is None:
        return NONE
    granted = {_flag(f"{name}: {value}") for name, column in LISTS.items() for value in getattr(profile, column)}
    return frozenset(granted | {_flag(name) for name, column in SWITCHES.items() if getattr(profile, column)})


def grants(flags: Flags, name: str) -> bool:
    """Whether a flag of this name is among them; its list need not be named."""
    asked = _flag(name)
    return asked in flags or any(flag.partition(":")[2] == asked for flag in flags)


def _flags(where: str, names: object) -> Flags:
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise PortalTableUnreadable(f"{where} must be a list of flags")
    return frozenset(map(_flag, names))


@lru_cache(maxsize=4)
def _read(path: str) -> Mapping[str, Needs]:
    try:
        pages = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise PortalTableUnreadable(f"{path}: {error}") from None
    needs = {}
    for page, row in pages.items():
        buttons = row.get("buttons", {}) if isinstance(row, dict) else None
        if not isinstance(row, dict) or not isinstance(buttons, dict) or row.keys() - {"opens", "buttons"}:
            raise PortalTableUnreadable(f"{path}: {page} must be a table of `opens` and `buttons`")
        named = {button: _flags(f"{path}: {page}.buttons.{button}", flags) for button, flags in buttons.items()}
        needs[page] = Needs(_flags(f"{path}: {page}.opens", row.get("opens")), named)
    return needs


def needs_of(page: str) -> Needs:
    """What a page needs, by its slug; one that the file does not name opens to nobody."""
    return _read(settings.MYACCOUNT_PORTAL_FILE).get(page, Needs())


def known_flags() -> dict[str, str]:
    """Everything that a profile of this installation can grant, as the file spells it, by how it is compared."""
    values = [f"{name}: {value}" for name in LISTS for value in preset_values()[name]]
    return {_flag(name): name for name in (*values, *SWITCHES)}


def portal_table_is_readable(**_: object) -> list[CheckMessage]:
    hint = "MYACCOUNT_PORTAL_FILE names the file; profiles_app/myaccount/portal.toml is an example."
    try:
        return [Warning(told, hint=hint, id="profiles.W001") for told in _unknown()]
    except PortalTableUnreadable as unreadable:
        return [Error(str(unreadable), hint=hint, id="profiles.E002")]
    except PresetsUnreadable:
        return []  # Told by its own check.


def _unknown() -> Iterator[str]:
    """Pages whose flags no profile can have, which therefore open to nobody."""
    known = known_flags().keys()
    for page, needs in _read(settings.MYACCOUNT_PORTAL_FILE).items():
        for flag in sorted((needs.opens.union(*needs.buttons.values())) - known):
            yield f"The portal's page {page} asks for “{flag}”, which is in no preset list."
