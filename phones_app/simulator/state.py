"""The state of a simulated phone: its configuration, file, registration, fault and next order.

Nothing here opens a port or waits. What a phone answers on the network is in `sip`, `web` and `status_pages`, its life
from boot to boot in `phone`.
"""

import asyncio
import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum

from phones_app.simulator.device_file import DeviceFile
from phones_app.simulator.families import family_of
from phones_app.simulator.generations import MENU_SECONDS, default_load, generation_of

SOFTWARE_TYPES = ("SIP", "SCCP", "SIPE")
_HISTORY_LINES = 200
# A menu walk is never longer than this.
_REMEMBERED_KEYS = 32

OnEvent = Callable[[str, str], None]


class Order(IntEnum):
    """What the phone does next; of two orders that wait the larger one wins."""

    RESTART = 1
    RESET = 2


class Fault(StrEnum):
    """A condition that a test or a demo puts a phone into, at any time."""

    NONE = ""
    # A call is up: orders are accepted and wait for its end.
    IN_CALL = "in_call"
    # Nothing answers, until the fault is taken away; then the phone boots.
    POWERED_OFF = "powered_off"
    # Another phone has got the address: the status page shows its MAC.
    WRONG_MAC = "wrong_mac"
    # Every answer comes late.
    SLOW = "slow"
    # Every file is abandoned, as phones do that were bound to a signed cluster (Cisco phones spec §3.6).
    REJECTING = "rejecting"


@dataclass(frozen=True)
class SimulatedPhoneConfig:
    """What is fixed when the phone leaves its box; a port of 0 becomes a free one at the first start."""

    mac: str
    model: str = "8845"
    software_type: str = "SIP"
    host: str = "127.0.0.1"
    sip_port: int = 0
    web_port: int = 0
    config_url: str = "http://127.0.0.1:6970"
    # Where it asks by TFTP, when nobody answers at the former or its firmware does nothing else; "": nowhere.
    tftp_url: str = ""
    # What it runs when it is first switched on; later its files say. `hardware`: a section of lists of firmware.
    load: str = field(default="", compare=False)
    hardware: str = ""
    boot_seconds: float = 1.0
    # Real phones ask again every 15 to 45 s (Cisco phones spec §2.7).
    retry_seconds: float = 5.0
    slow_seconds: float = 3.0
    web_access: bool = True
    # Whether it asks for trust lists and tones as well: three requests more at each start, for thousands of phones.
    asks_around: bool = True
    # Refuse a NOTIFY that names no registration, too; firmware differs.
    strict_call_id: bool = False
    fault: Fault | str = Fault.NONE

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[0-9A-F]{12}", self.mac):
            raise ValueError(f"{self.mac!r} is not a MAC of 12 upper-case hex digits")
        if self.software_type not in SOFTWARE_TYPES:
            raise ValueError(f"{self.software_type!r} is none of {', '.join(SOFTWARE_TYPES)}")


def ignore(_mac: str, _text: str) -> None:
    """For phones whose events are of no interest."""


class PhoneState:
    """Counters and `fault` are for any thread, the rest for the phone's loop."""

    def __init__(self, config: SimulatedPhoneConfig, on_event: OnEvent = ignore) -> None:
        self.config = config
        self.on_event = on_event
        self.generation = generation_of(config.model)
        self.family = family_of(config.model, config.software_type)
        self.load = config.load or default_load(config.model, config.software_type)
        self.sip_port = config.sip_port
        self.web_port = config.web_port
        self.restarts = self.fetches = self.notifies = self.executes = self.registrations = 0
        self.is_up = False
        self.up_since = 0.0  # by the steady clock, once it is up
        self.registered = False
        # It runs on a file without lines, and does not ask for another one by itself.
        self.is_settled = False
        self.call_id = ""
        self.device_file: DeviceFile | None = None
        self.history: deque[str] = deque(maxlen=_HISTORY_LINES)
        self.order: Order | None = None
        # Set when an order or a change of the fault may end a wait.
        self.wake = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._fault = Fault(config.fault)
        self._keys: deque[str] = deque(maxlen=_REMEMBERED_KEYS)
        self._last_key = 0.0

    @property
    def fault(self) -> Fault:
        return self._fault

    @fault.setter
    def fault(self, fault: Fault | str) -> None:
        self._fault = Fault(fault)
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._on_fault)

    @property
    def config_sha256(self) -> str:
        """The digest of the file the phone runs on, empty before it has accepted any."""
        return self.device_file.sha256 if self.device_file else ""

    @property
    def line_users(self) -> tuple[str, ...]:
        return self.device_file.line_users if self.device_file else ()

    @property
    def version_stamp(self) -> str:
        return self.device_file.version_stamp.strip("{}") if self.device_file else ""

    @property
    def user_agent(self) -> str:
        version = ".".join(re.findall(r"\d+", self.load.partition(".")[2] or self.load.partition("-")[2])[:3])
        return f"Cisco-CP{self.config.model}/{version}"

    @property
    def shown(self) -> list[str]:
        """What stands on the screen, line by line."""
        state = "In a call" if self._fault is Fault.IN_CALL else "Ready" if self.registered else "Registering …"
        lines = [f"Cisco {self.config.model}, load {self.load}", state, *(f"Line {user}" for user in self.line_users)]
        return [*lines, f"Pressed last: {self._keys[-1]}"] if self._keys else lines

    @property
    def answer_delay(self) -> float:
        return self.config.slow_seconds if self._fault is Fault.SLOW else 0.0

    def record(self, text: str) -> None:
        """Note one line of what happens to the phone."""
        self.history.append(text)
        self.on_event(self.config.mac, text)

    def take(self, order: Order) -> None:
        """Do this as soon as no call is up."""
        if self.is_up:
            self.order = max(order, self.order or order)
            self.wake.set()

    def press(self, key: str) -> None:
        """Take one key press; the walk to a restart works only in an idle and unlocked phone (Cisco phones spec §1.4)."""
        now = asyncio.get_running_loop().time()
        if now - self._last_key > MENU_SECONDS:
            self._keys.clear()
        self._last_key = now
        self._keys.append(key)
        pressed = tuple(self._keys)
        allowed = self.device_file is None or self.device_file.settings_access
        walk = self.generation.restart_keys
        if pressed[-len(walk) :] == walk and allowed and self._fault is not Fault.IN_CALL:
            self._keys.clear()
            self.take(Order.RESET)

    def _on_fault(self) -> None:
        """On the phone's loop, after the fault has changed."""
        self.wake.set()
        self.record(f"fault {self._fault or 'none'}")
