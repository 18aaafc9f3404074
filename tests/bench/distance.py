"""A server some milliseconds away: what it says on its control connections arrives that much later.

Data connections go to it directly: no command is waited for on them.
"""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

CHUNK = 65536


@contextmanager
def away(port: int, milliseconds: float) -> Iterator[int]:
    """The port at which the server of this machine is that far away, in a process of its own."""
    command = [sys.executable, "-m", "tests.bench.distance", str(port), str(milliseconds)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            yield int(process.stdout.readline())
        finally:
            process.kill()


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, seconds: float) -> None:
    """Pass on what arrives, each piece so much later and none waiting for the one before."""
    loop = asyncio.get_running_loop()

    with suppress(ConnectionError):
        while piece := await reader.read(CHUNK):
            loop.call_later(seconds, writer.write, piece)
    loop.call_later(seconds, writer.close)


async def _serve(port: int, seconds: float) -> None:
    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from_server, to_server = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(_carry(reader, to_server, 0), _carry(from_server, writer, seconds))

    server = await asyncio.start_server(meet, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), float(sys.argv[2]) / 1000))
