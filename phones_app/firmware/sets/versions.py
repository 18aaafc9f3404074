"""The version in the name of a load, and which of two is the newer one."""

import re

from contacts_app.core.tables import table

# Major, minor, maintenance, and the service release where there is one: 9-4-2SR3-1S is (9, 4, 2, 3).
Version = tuple[int, int, int, int]
_NUMBERS = re.compile(r"(\d{1,3})-(\d{1,3})-(\d{1,4})(?:[A-RT-Z\d-]*SR(\d{1,3}))?")


def version_of_load(load: str) -> str:
    """Return 9-4-2SR3-1S for SIP42.9-4-2SR3-1S, "" where the name tells no version."""
    match = re.fullmatch(table(__file__, "firmware.toml")["version"], load)
    return (match[1] or match[2]) if match else ""


def beginning_of_load(load: str) -> str:
    """Return SIP42. for SIP42.9-4-2SR3-1S, the whole name where it tells no version."""
    return load.removesuffix(version_of_load(load))


def tells_load(said: str, load: str) -> bool:
    """Whether a phone that says this of itself when it registers may run the load: its name, or Cisco-CP8851/14.2.1.

    A user agent names a version to its maintenance release, so that loads of one version cannot be told apart by it.
    """
    if said.lower() == load.lower():
        return True
    agent, _, version = said.partition("/")
    told, wanted = numbers_of(version), numbers_of(version_of_load(load))
    return agent.startswith("Cisco-") and told is not None and wanted is not None and told[:3] == wanted[:3]


def numbers_of(version: str) -> Version | None:
    """Return a version to compare, None where its form is not known. 8.5(2)SR1 is 8-5-2SR1 as people write it."""
    match = _NUMBERS.match(re.sub(r"[.(]", "-", version.replace(")", "")))
    return (int(match[1]), int(match[2]), int(match[3]), int(match[4] or 0)) if match else None
