"""The web server as the product starts it, and a client of it that costs next to nothing: plain sockets, no library."""

import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CONNECTIONS = 8


@contextmanager
def web_server(application: str, environment: dict[str, str]) -> Iterator[tuple[int, int]]:
    """Two web processes as the product starts them: the port, and the group of its processes."""
    from tests.servers import free_port

    port = free_port()
    command = [
        *(sys.executable, "-m", "granian", "--interface", "wsgi", "--port", str(port), "--workers", "2"),
        *("--blocking-threads", "24", "--log-level", "error", "--no-ws", application),
    ]
    with serving(command, port, environment) as group:
        yield port, group


@contextmanager
def serving(command: Sequence[str], port: int, environment: dict[str, str], cwd: Path = ROOT) -> Iterator[int]:
    """The group of its processes, once the command listens on the port."""
    from tests.servers import listens, wait_for

    process = subprocess.Popen(command, cwd=cwd, env=environment, start_new_session=True)
    try:
        wait_for(lambda: listens(port), 60)
        yield process.pid
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait()


def request_of(path: str, token: str, body: object = None, method: str = "") -> bytes:
    """A GET, or with a body a POST of JSON, unless the method is named."""
    content = b"" if body is None else json.dumps(body).encode()
    method = method or ("GET" if body is None else "POST")
    head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n"
    if body is not None:
        head += f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n"
    return f"{head}\r\n".encode() + content


def answer(port: int, request: bytes) -> tuple[int, bytes]:
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(request)
        received = b""
        while not is_whole(received):
            received += connection.recv(1 << 20)
    return int(received[9:12]), received


def is_whole(received: bytes) -> bool:
    head, found, body = received.partition(b"\r\n\r\n")
    length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
    return bool(found) and len(body) >= int(length)


def ask(
    port: int, request: bytes | Callable[[], bytes], seconds: float, connections: int = CONNECTIONS
) -> tuple[list[float], float]:
    """Ask on some connections at once, each again as soon as it is answered: how long each took, and all of them.

    Requests that are not to be the same are made by a function.
    """
    took, waiting = list[float](), selectors.DefaultSelector()
    asked: dict[int, float] = {}

    def send(connection: socket.socket) -> None:
        asked[connection.fileno()] = time.perf_counter()
        connection.sendall(request if isinstance(request, bytes) else request())

    for _ in range(connections):
        connection = socket.create_connection(("127.0.0.1", port))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        waiting.register(connection, selectors.EVENT_READ, bytearray())
        send(connection)
    started = time.perf_counter()
    while time.perf_counter() - started < seconds or not took:
        for key, _ in waiting.select(1):
            connection, received = key.fileobj, key.data
            assert isinstance(connection, socket.socket)
            received += connection.recv(1 << 20)
            if is_whole(bytes(received)):
                assert received.startswith(b"HTTP/1.1 20"), bytes(received[:300])
                received.clear()
                took.append(time.perf_counter() - asked[connection.fileno()])
                send(connection)
    elapsed = time.perf_counter() - started
    for key in list(waiting.get_map().values()):
        key.fileobj.close()  # type: ignore[union-attr]
    return took, elapsed
