"""Many phones in one process, on a loop of the caller's or on a loop in a thread of its own."""

import contextlib
import resource
import threading
from collections.abc import Callable, Iterable
from typing import Self

from contacts_app.core.net.async_http import LoopThread
from phones_app.simulator.phone import SimulatedPhone
from phones_app.simulator.state import OnEvent

# UDP, TCP and web port of a phone, and one request it makes or answers.
_FILES_PER_PHONE = 5
_OTHER_FILES = 256


class Fleet:
    """Phones by their MAC."""

    def __init__(self, phones: Iterable[SimulatedPhone]) -> None:
        self.phones = {phone.config.mac: phone for phone in phones}

    async def start(self) -> None:
        """Start all phones, or none: OSError when a port is taken or too few files may be open."""
        _allow_files(len(self.phones))
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
        _allow_files(len(self.phones) + 1)
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

    def wait_until(self, condition: Callable[[], bool], seconds: float = 10.0) -> bool:
        """Wait for a condition about the phones, looking after each thing that happens to one."""
        with self._changed:
            return self._changed.wait_for(condition, seconds)

    def _noting(self, on_event: OnEvent) -> OnEvent:
        def note(mac: str, text: str) -> None:
            on_event(mac, text)
            with self._changed:
                self._changed.notify_all()

        return note


def _allow_files(phones: int) -> None:
    """Raise the soft limit of open files as far as needed; the usual 1024 is enough for 150 phones."""
    number = phones * _FILES_PER_PHONE + _OTHER_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < number:
        if hard != resource.RLIM_INFINITY and hard < number:
            # Only a privileged process can have more than the hard limit.
            with contextlib.suppress(ValueError, OSError):
                resource.setrlimit(resource.RLIMIT_NOFILE, (number, number))
                return
        wanted = number if hard == resource.RLIM_INFINITY else min(number, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
