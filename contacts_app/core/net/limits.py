"""What one address may ask of a server at a time and in a second, so that it keeps nobody else waiting.

Used on one event loop: there is no lock.
"""

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Literal

# Addresses that are remembered at most; of more the one that has asked for nothing for longest is forgotten.
MOST_ADDRESSES = 65_536
Refused = Literal["connections", "under-way", "rate"]
OnRefused = Callable[[str, Refused], None]


class _Asking:
    __slots__ = ("at", "left", "under_way")

    def __init__(self, left: float, at: float) -> None:
        self.left, self.at, self.under_way = left, at, 0


class RequestLimits:
    """`begin` each request, and `end` each that was begun. 0 stands for any number."""

    def __init__(
        self,
        *,
        under_way: int = 0,
        per_second: float = 0.0,
        burst: float = 0.0,
        on_refused: OnRefused = lambda _address, _why: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._under_way = under_way
        self._per_second, self._burst = per_second, max(burst, per_second)
        self._on_refused, self._clock = on_refused, clock
        self._asking: OrderedDict[str, _Asking] = OrderedDict()

    def begin(self, address: str) -> bool:
        """Whether a request from there may be answered now. One that may not is counted as refused."""
        now = self._clock()
        asking = self._asking.get(address)
        if asking is None:
            asking = self._asking[address] = _Asking(self._burst, now)
            self._forget_one()
        else:
            self._asking.move_to_end(address)
        if self._under_way and asking.under_way >= self._under_way:
            self._on_refused(address, "under-way")
            return False
        if self._per_second:
            # A bucket of tokens: so many come in each second, and one that is full takes no more.
            asking.left = min(self._burst, asking.left + (now - asking.at) * self._per_second)
            asking.at = now
            if asking.left < 1:
                self._on_refused(address, "rate")
                return False
            asking.left -= 1
        asking.under_way += 1
        return True

    def end(self, address: str) -> None:
        if (asking := self._asking.get(address)) is not None:
            asking.under_way = max(0, asking.under_way - 1)

    def refuse_connection(self, address: str) -> None:
        self._on_refused(address, "connections")

    def _forget_one(self) -> None:
        if len(self._asking) > MOST_ADDRESSES:
            address, asking = self._asking.popitem(last=False)
            if asking.under_way:  # at its end it is still to be known
                self._asking[address] = asking
