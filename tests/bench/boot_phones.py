"""`python -m tests.bench.boot_phones PORT PHONES kept|new`: so many phones boot, each at an address of its own.

Each asks for what a 79xx asks for, one after the other: over one connection, or over a new one each time. Prints JSON.
"""

import asyncio
import json
import resource
import sys
import time
from dataclasses import dataclass, field

# Phones whose requests are under way at a time; the rest waits for a socket.
AT_ONCE = 1000
# What a phone asks for, whether there is such a file, and its size.
NAMES = (
    ("CTLSEP{mac}.tlv", None),
    ("ITLSEP{mac}.tlv", None),
    ("ITLFile.tlv", None),
    ("SEP{mac}.cnf.xml", 8_000),
    ("SIP45.9-4-2SR3-1S.loads", 600),
    ("United_Kingdom/be-sip.jar", 30_000),
    ("United_Kingdom/g3-tones.xml", 4_000),
    ("dialplan.xml", 300),
    ("SK-standard.xml", 2_000),
    ("FeaturePolicy-default.xml", 1_000),
    ("AppDialRules.xml", None),
    ("Ringlist.xml", 900),
)
REQUEST = b"GET /%b HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: Cisco/SIP45\r\n%b\r\n"


def mac_of(number: int) -> str:
    return f"02{number:010X}"


def address_of(number: int) -> str:
    return f"127.{64 + number // 40_000}.{number // 200 % 200}.{1 + number % 200}"


@dataclass
class Crowd:
    port: int
    keeps: bool
    asked: int = 0
    wrong: list[str] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)


class Phone(asyncio.Protocol):
    """Asks for the rest of the names on this connection, or for the next of them alone."""

    def __init__(self, crowd: Crowd, mac: str, first: int) -> None:
        self.crowd, self.mac, self.at = crowd, mac, first
        self.buffer = bytearray()
        self.wanted = 0
        self.ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.ask()

    def ask(self) -> None:
        name = NAMES[self.at][0].format(mac=self.mac).encode()
        self.transport.write(REQUEST % (name, b"" if self.crowd.keeps else b"Connection: close\r\n"))

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        if not self.wanted:
            end = self.buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            start = self.buffer.find(b"Content-Length: ") + 16
            length = int(self.buffer[start : self.buffer.find(b"\r", start)])
            self.wanted = end + 4 + length
            size = NAMES[self.at][1]
            expected = b"404" if size is None else b"200"
            if self.buffer[9:12] != expected or (size is not None and length != size):
                self.crowd.wrong.append(f"{NAMES[self.at][0]}: {bytes(self.buffer[:100])!r}")
        if len(self.buffer) < self.wanted:
            return
        self.crowd.asked += 1
        self.at += 1
        self.buffer.clear()
        self.wanted = 0
        if self.crowd.keeps and self.at < len(NAMES):
            self.ask()
        else:
            self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.ended.done():
            self.ended.set_result(self.at)


async def boot(crowd: Crowd, number: int, places: asyncio.Semaphore) -> None:
    loop, at = asyncio.get_running_loop(), 0
    async with places:
        began = time.monotonic()
        while at < len(NAMES):
            before = at
            _, phone = await loop.create_connection(
                lambda first=at: Phone(crowd, mac_of(number), first),
                "127.0.0.1",
                crowd.port,
                local_addr=(address_of(number), 0),
            )
            at = await phone.ended
            if at == before:
                crowd.wrong.append("broken off")
                return
        crowd.seconds.append(time.monotonic() - began)


async def main(port: int, phones: int, keeps: bool) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(max(soft, 4 * AT_ONCE), hard), hard))
    crowd, places = Crowd(port, keeps), asyncio.Semaphore(AT_ONCE)
    began = time.monotonic()
    await asyncio.gather(*(boot(crowd, number, places) for number in range(phones)))
    seconds = time.monotonic() - began
    figures = {
        "requests": crowd.asked,
        "seconds": seconds,
        "wrong": len(crowd.wrong),
        "first_wrong": crowd.wrong[:3],
        "slowest": max(crowd.seconds, default=0.0),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "kept"))
