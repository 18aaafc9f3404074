"""Answers that are not what they should be: a relay that spoils what real peers say, and JSON that nobody would write."""

import contextlib
import json
import random
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

SPICE = (
    b"\x00", b"\xff\xfe", b"\r\n", b"\n\n", b"\r\n\r\n", b" ", b"\t", b":", b"<", b"&#0;", b"]]>", b"%s%n", b"-1",
    b"99999999999999999999", b"999", b"\xc3", b"\x1b[2J", b"a" * 70_000, b"Content-Length: -5\r\n", b"ActionID: 1\r\n",
    b"227 Entering Passive Mode (0,0,0,0,0,0)\r\n", b"SIP/2.0 -1 \r\n", b"HTTP/1.1 999 \r\n",
    b"<?xml version='1.0' encoding='utf-16'?>", b"<!DOCTYPE a [<!ENTITY b 'c'>]>",
)  # fmt: skip


# What becomes of the bytes before a place, of some there, and of the rest.
MISTAKES: tuple[Callable[[bytes, bytes, bytes, random.Random], bytes], ...] = (
    lambda head, cut, tail, chance: head + chance.choice(SPICE) + cut + tail,
    lambda head, cut, tail, chance: head + chance.choice(SPICE) + tail,
    lambda head, cut, tail, chance: head + tail,
    lambda head, cut, tail, chance: head + cut * 3 + tail,
    lambda head, cut, tail, chance: head + chance.randbytes(len(cut)) + tail,
    lambda head, cut, tail, chance: head,
    lambda head, cut, tail, chance: (head + cut + tail)[::-1],
)


def spoiled(data: bytes, chance: random.Random) -> bytes:
    """The same with a mistake or some."""
    for _ in range(chance.choice((1, 1, 1, 2, 5))):
        place = chance.randrange(len(data) + 1)
        end = place + chance.choice((1, 2, 10, 100))
        data = chance.choice(MISTAKES)(data[:place], data[place:end], data[end:], chance)
    return data


class Garbler:
    """Stands before a server on loopback and spoils some of its answers; `spoilt` counts them."""

    def __init__(self, target: int, seed: int, share: float = 0.5) -> None:
        self.target, self.chance, self.share = target, random.Random(seed), share
        self.spoilt = self.port = 0

    def pass_on(self, data: bytes) -> bytes:
        if self.chance.random() > self.share:
            return data
        self.spoilt += 1
        return spoiled(data, self.chance)

    @contextlib.contextmanager
    def tcp(self) -> Iterator["Garbler"]:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.port = listener.getsockname()[1]
            thread = threading.Thread(target=self._accept, args=(listener,), daemon=True)
            thread.start()
            try:
                yield self
            finally:
                listener.shutdown(socket.SHUT_RDWR)
                thread.join()

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                client = listener.accept()[0]
                server = socket.create_connection(("127.0.0.1", self.target))
                for ends in ((client, server, bytes), (server, client, self.pass_on)):
                    threading.Thread(target=_copy, args=ends, daemon=True).start()

    @contextlib.contextmanager
    def udp(self) -> Iterator["Garbler"]:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as near, socket.socket(*UDP) as far:
            near.bind(("127.0.0.1", 0))
            self.port = near.getsockname()[1]
            far.connect(("127.0.0.1", self.target))
            thread = threading.Thread(target=self._relay, args=(near, far), daemon=True)
            thread.start()
            try:
                yield self
            finally:
                with socket.socket(*UDP) as last:
                    last.sendto(b"", ("127.0.0.1", self.port))
                thread.join()

    def _relay(self, near: socket.socket, far: socket.socket) -> None:
        far.settimeout(1)
        while True:
            request, client = near.recvfrom(65_535)
            if not request:
                return
            with contextlib.suppress(OSError):
                far.send(request)
                near.sendto(self.pass_on(far.recv(65_535))[:60_000], client)


UDP = (socket.AF_INET, socket.SOCK_DGRAM)


def _copy(here: socket.socket, there: socket.socket, change: Callable[[bytes], bytes]) -> None:
    with contextlib.suppress(OSError):
        while data := here.recv(65_536):
            there.sendall(change(data))
    for end in (here, there):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
    here.close()


LEAVES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1.5, 1e308, 2**31, 2**63, 10**400, "", " ", "a", "a\x00b", "a\r\nb", "\ud800", "x" * 5_000,
    "٣", "9999-99-99", "2026-02-30T25:61:61Z", "00000000-0000-0000-0000-000000000000", "AA:BB:CC:DD:EE:01", "1", "-1",
    "1e9", "http://127.0.0.1:1/", "javascript:alert(1)", "{{7*7}}", "%00", "' OR 1=1 --", "<script>",
    "\N{RIGHT-TO-LEFT OVERRIDE}",
)  # fmt: skip


def value(chance: random.Random, depth: int = 0) -> Any:
    kind = chance.random()
    if depth < 3 and kind < 0.12:
        return [value(chance, depth + 1) for _ in range(chance.choice((0, 1, 2, 50)))]
    if depth < 3 and kind < 0.24:
        return {str(leaf(chance))[:50]: value(chance, depth + 1) for _ in range(chance.choice((0, 1, 3)))}
    return leaf(chance)


def leaf(chance: random.Random) -> Any:
    return chance.choice(LEAVES)


def body(names: list[str], chance: random.Random) -> bytes:
    """A body with some of these members, right or wrong, or what is no JSON at all."""
    some = chance.sample(names, chance.randrange(len(names) + 1)) if names else []
    members = {name: value(chance) for name in some}
    if chance.random() < 0.1:
        members[str(leaf(chance))[:50]] = value(chance)
    whole: Any = members if chance.random() < 0.9 else chance.choice(([members], [members] * 2, value(chance)))
    text = json.dumps(whole).encode()
    return spoiled(text, chance) if chance.random() < 0.25 else text
