"""Which phone is at an address: the one that asked there for a file of its own name.

This is no proof: whoever knows a MAC address can ask for its file. What phones are given because of it is theirs to
know, but no secret (boot server spec §6).
"""

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple

# Where two phones were seen at one address within this time, as behind a router, it says of neither who asks.
SHARED_SECONDS = 3600.0
# A phone asks for several of its own files at once, the second of which says nothing new.
AGAIN_SECONDS = 10.0
MOST_ADDRESSES = 200_000
# The times of phones that only the inventory has at an address: no request came from there.
NEVER = float("-inf")
ALWAYS = float("inf")


class _Seen(NamedTuple):
    """`mac` was named last, at the time `at`; several phones until `shared`, of several accounts until `mixed`."""

    mac: str
    account: int | None
    at: float
    shared: float
    mixed: float


class AtAddress(NamedTuple):
    """The phone named last at an address; `is_shared`: it, or another one of its account."""

    mac: str
    is_shared: bool


class PhonesAtAddresses:
    """Callers are on several threads. `account_of` a phone is None where the inventory has none of this MAC address."""

    def __init__(self, account_of: Callable[[str], int | None] = lambda _mac: None) -> None:
        self._account_of = account_of
        self._lock = threading.Lock()
        self._seen: OrderedDict[str, _Seen] = OrderedDict()
        # MAC addresses can be made up, any number of them at one address.
        self._places: OrderedDict[str, str] = OrderedDict()

    def named(self, address: str, mac: str, at: float) -> None:
        """A phone asked for a file of its own. It is no longer where it was before."""
        address, account = plain(address), self._account_of(mac)
        last = self._seen.get(address)
        if last is not None and last.mac == mac and last.account == account and 0 <= at - last.at < AGAIN_SECONDS:
            return
        with self._lock:
            self._leave(mac, address)
            last = self._seen.pop(address, None)
            shared, mixed = (last.shared, last.mixed) if last and last.at != NEVER else (0.0, 0.0)
            if last and last.mac != mac and at - last.at < SHARED_SECONDS:
                shared = at + SHARED_SECONDS
                if last.account != account or account is None:
                    mixed = shared
            self._put(address, _Seen(mac, account, at, shared, mixed))

    def expected(self, address: str, mac: str, account: int | None) -> None:
        """The inventory says that a phone is there, which counts until one asks; of two at one address, neither."""
        address = plain(address)
        with self._lock:
            last = self._seen.get(address)
            if last is not None and last.at != NEVER:
                return
            shared, mixed = (last.shared, last.mixed) if last is not None else (NEVER, NEVER)
            if last is not None and last.mac != mac:
                shared, mixed = ALWAYS, ALWAYS if last.account != account else mixed
            self._put(address, _Seen(mac, account, NEVER, shared, mixed))

    def expected_elsewhere(self, address: str, mac: str) -> None:
        """The inventory no longer says that the phone is there."""
        address = plain(address)
        with self._lock:
            if (last := self._seen.get(address)) is not None and last.at == NEVER and last.mac == mac:
                del self._seen[address]

    def at(self, address: str, at: float) -> AtAddress | None:
        """None: no phone is known there, or some of several accounts are."""
        last = self._seen.get(plain(address))
        return AtAddress(last.mac, at < last.shared) if last and at >= last.mixed else None

    def place_of(self, mac: str) -> str | None:
        """Where the phone asked last."""
        return self._places.get(mac)

    def _leave(self, mac: str, address: str) -> None:
        before = self._places.get(mac)
        if before not in (None, address) and (seen := self._seen.get(before)) and seen.mac == mac:
            del self._seen[before]

    def _put(self, address: str, seen: _Seen) -> None:
        self._seen[address] = seen
        if seen.at != NEVER:
            self._places[seen.mac] = address
            self._places.move_to_end(seen.mac)
            if len(self._places) > MOST_ADDRESSES:
                self._places.popitem(last=False)
        if len(self._seen) > MOST_ADDRESSES:
            _, gone = self._seen.popitem(last=False)
            self._places.pop(gone.mac, None)


def plain(address: str) -> str:
    """An IPv4 address as such, where a socket for both families writes it as an IPv6 one."""
    return address.removeprefix("::ffff:") if "." in address else address
