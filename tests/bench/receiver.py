"""`python -m tests.bench.receiver PORT`: answers 200 to every POST on kept connections, and remembers who sent what.

`GET /seen` tells the events of each path in the order in which they came, and forgets them.
"""

import asyncio
import json
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

from tests.servers import free_port, listens, wait_for

seen: dict[str, list[str]] = defaultdict(list)


@contextmanager
def receiver() -> Iterator[int]:
    """Its port."""
    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", "tests.bench.receiver", str(port)])

    try:
        wait_for(lambda: listens(port))
        yield port
    finally:
        process.kill()
        process.wait()


class Peer(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport, self.buffer = transport, b""

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            head = self.buffer[:end].decode("latin-1").lower()
            length = int(_field(head, "content-length") or 0)
            if len(self.buffer) < end + 4 + length:
                return
            self.buffer = self.buffer[end + 4 + length :]
            self.transport.write(_answer(head))


def _answer(head: str) -> bytes:
    path, body = head.split(" ", 2)[1], b"{}"
    if path == "/seen":
        body = json.dumps(seen).encode()
        seen.clear()
    elif event := _field(head, "x-patchbay-event"):
        seen[path].append(event)
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


def _field(head: str, name: str) -> str:
    _, _, rest = head.partition(f"\r\n{name}:")
    return rest.partition("\r\n")[0].strip()


async def main(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Peer, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
