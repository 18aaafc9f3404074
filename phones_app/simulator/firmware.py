"""How a phone changes its load: the list first, then each file on it, and all of them or nothing.

The forms are read by the same pure code as the portal's (`firmware/sets`): what a phone makes of a damaged set is what
was seen in the field, and no opinion of the simulator's.
"""

from collections.abc import Awaitable, Callable

from phones_app.firmware.sets.gates import way_between
from phones_app.firmware.sets.header import LONGEST_HEADER, DamagedHeader, is_signed, read_header
from phones_app.firmware.sets.loads import LONGEST_LOADS, Component, DamagedLoads, read_loads
from phones_app.simulator.download import Download

LOADS = ".loads"
# More than any file of a load has.
LARGEST_FILE = 256 * 1024 * 1024

# Asks the file server for a name and keeps so many bytes of its beginning; None: it did not get it.
Get = Callable[[str, int], Awaitable[Download | None]]


class LoadRefusedError(ValueError):
    """The phone keeps the load that it has; the text is what its status messages would say."""


async def take_load(load: str, *, get: Get, model: str, runs: str, hardware: str = "") -> int:
    """Fetch a load and its files, and return how many these were. Raises LoadRefusedError.

    `hardware`: the section of the list that is for this phone; "" for the first.
    """
    name = load + LOADS
    found = await get(name, LONGEST_LOADS + LONGEST_HEADER)
    if found is None:
        raise LoadRefusedError(f"{name} is not there")
    payload = _opened(name, found.head)
    # A load from before a gate has another key than what comes after it (boot server spec §3).
    way = way_between(model, "", runs, load)
    if way.refused or [step.load for step in way.steps] != [load]:
        raise LoadRefusedError(f"AUTH FAIL {name}")
    try:
        components = _of_hardware(read_loads(payload), hardware)
    except DamagedLoads as error:
        raise LoadRefusedError(f"{name}: {error}") from error
    for component in components:
        await _take(component, get)
    return len(components)


def _of_hardware(components: tuple[Component, ...], hardware: str) -> list[Component]:
    sections = [component.platform for component in components if component.platform]
    mine = hardware or next(iter(sections), "")
    return [component for component in components if component.platform in ("", mine)]


async def _take(component: Component, get: Get) -> None:
    file = await get(component.name, LONGEST_HEADER)
    if file is None:
        raise LoadRefusedError(f"{component.name} is not there")
    _opened(component.name, file.head)
    if component.size not in (None, file.size):
        raise LoadRefusedError(f"{component.name} has {file.size} bytes and not {component.size}")


def _opened(name: str, head: bytes) -> bytes:
    """What follows the header; a phone takes a signed file under its own name alone."""
    if not is_signed(head):
        return head
    try:
        header = read_header(head)
    except DamagedHeader as error:
        raise LoadRefusedError(f"AUTH FAIL {name}: {error}") from error
    if header.name != name:
        raise LoadRefusedError(f"AUTH FAIL {name}: it is {header.name}")
    return head[header.length :]
