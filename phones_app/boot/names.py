"""Names of files that are of a single phone, by its MAC address, trust lists too."""

import re
from functools import lru_cache

from profiles_app.phone.sep.catalogue import is_mac

# There are thousands of them, Patchbay names them exactly, and they stay exact.
_OF_ONE_PHONE = re.compile(r"(CTL|ITL)?(SEP|SIP|ATA)[0-9A-F]{12}\..*", re.IGNORECASE | re.DOTALL)
_OWN_MAC = re.compile(r"(?<=SEP|SIP|ATA)[0-9A-F]{12}(?=\.)")
OWN_MAC = "<MAC>"


# One request asks this in several places, and thousands ask for the same names.
@lru_cache(maxsize=1024)
def is_of_one_phone(path: str) -> bool:
    """Whether this is such a name, in whatever case and folder."""
    return _OF_ONE_PHONE.fullmatch(path.rpartition("/")[2]) is not None


@lru_cache(maxsize=1024)
def mac_in(name: str) -> str | None:
    """The MAC address of the phone whose file it is, as phones write it."""
    own = _OWN_MAC.search(name)
    return own[0] if own is not None and is_mac(own[0]) else None


def without_mac(name: str) -> str:
    """The same for all phones."""
    return _OWN_MAC.sub(OWN_MAC, name)
