"""Many phones in one process, on a loop of the caller's or on a loop in a thread of its own."""

import threading
import time
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, Self, TypeVar

from contacts_app.core.net.loops import LoopThread, allow_files
from phones_app.simulator.phone import SimulatedPhone
from phones_app.simulator.state import OnEvent

T = TypeVar("T")

# UDP, TCP and web port of a phone, and one request it makes or answers.
_FILES_PER_PHONE = 5
_OTHER_FILES = 256
_LOOK_SECONDS = 0.2


class Fleet:
    """Phones by their MAC."""

    def __init__(self, phones: Iterable[SimulatedPhone]) -> None:
        self.phones = {phone.config.mac: phone for phone in phones}

    async def start(self) -> None:
        """Start all phones, or none: OSError when a port is taken or too few files may be open."""
        allow_files(len(self.phones) * _FILES_PER_PHONE + _OTHER_FILES)
        try:
            for phone in self.phones.values():
                await phone.start()
        except OSError:
            await self.stop()
            raise

    async def stop(self) -> None:
        for phone in self.phones.values():
            await phone.stop()

    async def add(self, phone: SimulatedPhone) -> None:
        """Start one more phone; OSError when it cannot, and then it does not belong to the fleet."""
        allow_files((len(self.phones) + 1) * _FILES_PER_PHONE + _OTHER_FILES)
        await phone.start()
        self.phones[phone.config.mac] = phone

    async def remove(self, mac: str) -> None:
        await self.phones.pop(mac).stop()


class FleetThread:
    """A running fleet for code that is not asynchronous: `with FleetThread(phones) as fleet: fleet[mac]…`."""

    def __init__(self, phones: Iterable[SimulatedPhone]) -> None:
        self._fleet = Fleet(phones)
        self._loop = LoopThread("phones")
        self._changed = threading.Condition()

    def __enter__(self) -> Self:
        for phone in self._fleet.phones.values():
            phone.on_event = self._noting(phone.on_event)
        try:
            self._loop.call(self._fleet.start())
        except OSError:
            self._loop.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call(self._fleet.stop())
        self._loop.stop()

    def __getitem__(self, mac: str) -> SimulatedPhone:
        return self._fleet.phones[mac]

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        """What a person does at a phone: run it on the phones' loop."""
        return self._loop.call(work)

    def wait_until(self, condition: Callable[[], bool], seconds: float = 180.0) -> bool:
        """Wait for a condition about the phones, looking after each thing that happens to one.

        And a few times a second, as not all that changes is told.
        """
        deadline = time.monotonic() + seconds
        with self._changed:
            while not (holds := condition()) and time.monotonic() < deadline:
                self._changed.wait(_LOOK_SECONDS)
        return holds

    def _noting(self, on_event: OnEvent) -> OnEvent:
        def note(mac: str, text: str) -> None:
            on_event(mac, text)
            with self._changed:
                self._changed.notify_all()

        return note
