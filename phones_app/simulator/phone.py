"""One simulated phone: boots, reads its file, registers, and starts over when it is told to.

The phone's life is here; what it knows is in `state`, what it answers in `sip` and `web`, what it reads in `device_file`.
"""

import asyncio
import contextlib
import logging
import secrets
import time
from urllib.parse import quote

from phones_app.simulator.device_file import (
    MAX_BYTES,
    DeviceFile,
    FileRejectedError,
    default_load_of,
    read_device_file,
    read_text_file,
)
from phones_app.simulator.download import Download, NotGivenError, download
from phones_app.simulator.families import filled
from phones_app.simulator.firmware import LARGEST_FILE, LoadRefusedError, take_load
from phones_app.simulator.sip import SipAgent
from phones_app.simulator.state import Fault, OnEvent, Order, PhoneState, SimulatedPhoneConfig, ignore
from phones_app.simulator.web import SimulatedWeb
from phones_app.simulator.window import PhoneWindow

__all__ = ["Fault", "Order", "SimulatedPhone", "SimulatedPhoneConfig"]

logger = logging.getLogger(__name__)

DEFAULT_FILE = "XMLDefault.cnf.xml"
# How often a phone that cannot have its ports tries again.
_PORT_SECONDS = 0.5


class SimulatedPhone(PhoneState):
    """Lives on one asyncio loop from `start` to `stop`."""

    def __init__(self, config: SimulatedPhoneConfig, on_event: OnEvent = ignore) -> None:
        super().__init__(config, on_event)
        self._sip = SipAgent(self) if config.software_type != "SCCP" else None
        self.window = PhoneWindow(self)
        self._web = SimulatedWeb(self, self.window)
        self._life: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Listen and begin to live; OSError when a port is taken."""
        self._loop = asyncio.get_running_loop()
        if not self._without_power():
            await self._come_up()
        self._life = asyncio.create_task(self._live(), name=f"phone {self.config.mac}")

    async def stop(self) -> None:
        self._loop = None
        if self._life is not None:
            self._life.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._life
        self._go_dark()

    def _on_fault(self) -> None:
        if self._without_power():
            self._go_dark()
        super()._on_fault()

    def _without_power(self) -> bool:
        return self.fault is Fault.POWERED_OFF

    async def _live(self) -> None:
        try:
            while True:
                if not self.is_up:
                    await self._boot()
                if not (self.registered or self.is_settled):
                    await self._configure()
                order = await self._next_order()
                if order is not None:
                    self._start_over(order)
        except Exception:
            logger.exception("The simulated phone %s has died", self.config.mac)

    async def _next_order(self) -> Order | None:
        """Wait for an order that may be carried out; None when it is time for the file or for a boot."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(None if self.registered or self.is_settled else self.config.retry_seconds):
                while self.is_up and (self.order is None or self.fault is Fault.IN_CALL):
                    self.wake.clear()
                    await self.wake.wait()
                order, self.order = self.order, None
                return order
        return None

    def _start_over(self, order: Order) -> None:
        # A phone that loses its power does not come to this.
        self.record("unregisters")
        self._unregister()
        if order is Order.RESET:
            self._go_dark()
        self.restarts += 1
        self.record(f"{order.name.lower()}s")

    async def _boot(self) -> None:
        while not self.is_up:
            while self._without_power():
                self.wake.clear()
                await self.wake.wait()
            await asyncio.sleep(self.config.boot_seconds)
            if self._without_power():
                continue
            try:
                await self._come_up()
            except OSError as error:
                self.record(f"cannot listen: {error}")
                await asyncio.sleep(_PORT_SECONDS)

    async def _come_up(self) -> None:
        if self._sip is not None:
            self.sip_port = await self._sip.open(self.config.host, self.sip_port)
        try:
            await self._set_web_access(self.device_file is None or self.device_file.web_access)
        except OSError:
            self._go_dark()
            raise
        if self._without_power():  # taken away while the ports were being opened
            self._go_dark()
            return
        self.is_up = True
        self.up_since = time.monotonic()
        self.record("is up")

    def _go_dark(self) -> None:
        """Be without power: nothing is answered, and orders are forgotten."""
        # The ports first: who sees from another thread that it is dark finds them closed.
        self._web.close()
        if self._sip is not None:
            self._sip.close()
        self.is_up = False
        self.order = None
        self._unregister()

    async def _set_web_access(self, wanted: bool) -> None:
        wanted = wanted and self.config.web_access
        if wanted and not self._web.is_open:
            self.web_port = await self._web.open(self.config.host, self.web_port)
        elif not wanted:
            self._web.close()

    async def _configure(self) -> None:
        """Ask for the file once, and register if it is good; otherwise it is asked for again later."""
        name, common = self.family.own.replace("<mac>", self.config.mac), None
        await self._ask_around(self.family.before)
        if self.family.common:
            common = await self._download(self.family.common)
        found = await self._download(name)
        if found is None and self.is_up:
            await self._ask_for_default()
        if found is None or not self.is_up:
            return
        self.fetches += 1
        try:
            if self.fault is Fault.REJECTING:
                raise FileRejectedError("the file is not signed")
            if self.family.common:
                self.device_file = read_text_file(found.head, common.head if common else b"")
            else:
                self.device_file = read_device_file(found.head, self.config.software_type)
        except FileRejectedError as error:
            self.record(f"rejects {name}: {error}")
            return
        self.record(f"accepts {name} {self.config_sha256[:12]}")
        if await self._changes_load(self.device_file.load):
            return
        await self._ask_around(self.family.around, self.device_file)
        for companion in self.family.after(self.device_file):
            await self._download(companion)
        try:
            await self._set_web_access(self.is_up and self.device_file.web_access)
        except OSError as error:
            self.record(f"cannot open its web pages: {error}")
        if not self.is_up:
            self._go_dark()
        elif self.device_file.registers(self.config.software_type):
            self._register()
        else:
            self.is_settled = True
            self.record("has no line to register")

    async def _ask_for_default(self) -> None:
        """What is for phones without a file of their own: it names loads, and no lines."""
        found = await self._download(DEFAULT_FILE) if self.config.asks_around else None
        if found is not None:
            await self._changes_load(default_load_of(found.head, self.config.model))

    async def look_around(self) -> None:
        """Ask for what somebody at the phone makes it ask for who looks through ring tones and backgrounds."""
        for name in self.family.on_demand:
            await self._download(name)

    async def _ask_around(self, names: tuple[str, ...], file: DeviceFile | None = None) -> None:
        protocol = "sccp" if self.config.software_type == "SCCP" else "sip"
        for name in filled(names, mac=self.config.mac, protocol=protocol, file=file) if self.config.asks_around else ():
            await self._download(name)

    async def _changes_load(self, load: str) -> bool:
        """Take the load that the file names, and start anew with it; without all of its files the phone keeps its own."""
        if load in ("", self.load):
            return False
        config, runs = self.config, self.load
        try:
            files = await take_load(load, get=self._part, model=config.model, runs=runs, hardware=config.hardware)
        except LoadRefusedError as error:
            self.record(f"keeps {self.load}: {error}")
            return False
        if self.is_up:  # still
            self.load = load
            self.restarts += 1
            self.record(f"restarts with {load}, of {files} files")
            self._go_dark()
        return True

    async def _part(self, name: str, keep: int) -> Download | None:
        return await self._download(name, LARGEST_FILE, keep)

    async def _download(self, name: str, limit: int = MAX_BYTES, keep: int | None = None) -> Download | None:
        """By TFTP where nobody answers by HTTP, and where the firmware is too old for it; None when it was not given."""
        config, reason = self.config, ""
        speaks_http = self.family.speaks_http(self.load) or not config.tftp_url
        for server in filter(None, (config.config_url if speaks_http else "", config.tftp_url)):
            url = f"{server.rstrip('/')}/{quote(name)}"
            try:
                return await download(url, source=config.host, limit=limit, keep=keep, agent=self.user_agent)
            except NotGivenError as error:
                reason = str(error)
                break
            except OSError as error:
                reason = str(error)
        self.record(f"cannot get {name}: {reason}")
        return None

    def _register(self) -> None:
        """Take a Call-ID as firmware writes it: every registration has one of its own (Asterisk spec §A)."""
        if self._sip is not None:
            mac = self.config.mac.lower()
            self.registrations += 1
            counter = f"{self.registrations % 0x10000:04x}"
            random = "-".join(secrets.token_hex(4) for _ in range(2))
            self.call_id = f"{mac[:8]}-{mac[8:]}{counter}-{random}@{self.config.host}"
        self.registered = True
        self.record("registers")

    def _unregister(self) -> None:
        self.registered = self.is_settled = False
        self.call_id = ""
        # A restart ends what is being asked for as well.
        self.window.close()
