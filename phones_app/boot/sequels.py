"""Which of all that phones ask for is evidence: their own files, and the first other file that they go on to.

All other requests are only counted, which may wait. When many phones start at once these are five of six.
"""

import re
from collections import OrderedDict
from dataclasses import dataclass
from datetime import timedelta

from phones_app.boot.fetches import Fetch
from profiles_app.phone.sep.catalogue import mac_of_file_name

# Another file that a phone asks for within this time after its own means that it accepted its own.
FOLLOWING = timedelta(minutes=2)
# Of more addresses, the one whose phone fetched its file first is forgotten.
MOST_ADDRESSES = 100_000
# Names of files as phones ask for them, in a folder of their language or in none.
_COMPANION = re.compile(r"[\w ./+-]{1,200}\.\w{2,8}")
# What phones ask for whether they accept their file or not: trust lists and what is for all of them, which come before it
# at every try, their file under another name, and the file for phones that have none (Cisco phones spec §3.3, §3.4).
_PROVES_NOTHING = re.compile(
    r"(CTL|ITL)(SEP[0-9A-F]{12}|File)\.tlv(\..+)?|(SEP|SIP|ATA)[0-9A-F]{12}.*|XMLDefault.*\.cnf\.xml.*"
    r"|OS79XX\.TXT|SIPDefault\.cnf",
    re.IGNORECASE,
)


def says_something(fetch: Fetch) -> bool:
    """Whether a phone that asks for this has accepted its own file."""
    return bool(_COMPANION.fullmatch(fetch.file_name) and not _PROVES_NOTHING.fullmatch(fetch.file_name))


@dataclass(slots=True)
class _Own:
    """The last fetch of an own file at an address; of several phones there until `mixed`. Times by the steady clock."""

    mac: str
    began: float
    mixed: float
    is_followed: bool = False


class Evidence:
    """`takes` each fetch once, in their order. It rather takes one too many: `recording` decides what follows what.

    What was fetched before `since`, by the steady clock, is not known here.
    """

    def __init__(self, since: float) -> None:
        self._own: OrderedDict[str, _Own] = OrderedDict()
        self._known_from = since + FOLLOWING.total_seconds()

    def takes(self, fetch: Fetch) -> bool:
        if fetch.complete and (mac := mac_of_file_name(fetch.file_name)) is not None:
            self._note(fetch, mac)
            return True
        own = self._own.get(fetch.address)
        if own is None:
            return fetch.began < self._known_from and says_something(fetch)
        if fetch.began < own.began or fetch.began <= own.mixed:
            return says_something(fetch)
        if own.is_followed or fetch.began > own.began + FOLLOWING.total_seconds() or not says_something(fetch):
            return False
        own.is_followed = True
        return True

    def _note(self, fetch: Fetch, mac: str) -> None:
        following = FOLLOWING.total_seconds()
        before, mixed = self._own.pop(fetch.address, None), float("-inf")
        if before is not None:
            mixed = before.mixed if before.mac == mac else max(before.mixed, before.began + following)
        self._own[fetch.address] = _Own(mac, fetch.began, mixed)
        while len(self._own) > MOST_ADDRESSES or next(iter(self._own.values())).began < fetch.began - following:
            self._own.popitem(last=False)
