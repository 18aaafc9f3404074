"""The bounds that keep one bad client or server from holding up a process full of phones."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from http import HTTPStatus

import pytest

from contacts_app.core.net.async_http import HttpListener
from contacts_app.core.net.http_connection import HttpExchange
from contacts_app.core.net.loops import LoopThread
from phones_app.simulator.download import get


async def _greet(exchange: HttpExchange) -> None:
    if exchange.request.path == "/never":
        await exchange.send_head(HTTPStatus.OK, {})
        await asyncio.Event().wait()
    await exchange.reply(HTTPStatus.OK, b"hello " + exchange.request.body)


class Listening:
    """A listener for two connections and three seconds of patience."""

    def __init__(self, loop: LoopThread) -> None:
        self.loop = loop
        self.listener = HttpListener(_greet, max_connections=2, request_seconds=3.0)
        self.port = loop.call(self.listener.open("127.0.0.1", 0))

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=60)


@pytest.fixture
def loop() -> Iterator[LoopThread]:
    thread = LoopThread("test")
    yield thread
    thread.stop()


@pytest.fixture
def listening(loop: LoopThread) -> Listening:
    return Listening(loop)


def test_a_client_that_never_finishes_is_cut_off(listening: Listening) -> None:
    with listening.connect() as client:
        client.sendall(b"GET / HTTP/1.1\r\nX: y")
        assert client.recv(100) == b""


def ask(client: socket.socket) -> bool:
    client.sendall(b"GET / HTTP/1.1\r\n\r\n")
    return client.recv(15).endswith(b"200 OK")


def test_connections_beyond_the_bound_are_refused(listening: Listening) -> None:
    with listening.connect() as first, listening.connect() as second:
        for client in (first, second):
            client.sendall(b"GET /never HTTP/1.1\r\n\r\n")
            assert client.recv(100)
        with listening.connect() as third:
            assert third.recv(100).startswith(b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 2\r\n")


def test_one_that_asks_for_nothing_gives_its_place_to_the_next(listening: Listening) -> None:
    with listening.connect() as asking, listening.connect() as silent:
        assert ask(asking)
        with listening.connect() as third:
            assert ask(third)
        assert silent.recv(100) == b""


@pytest.mark.parametrize(
    "request_text",
    [
        b"GET /\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: many\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 999999\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"GET / HTTP/1.1\r\nX: " + b"y" * 20_000,
    ],
)
def test_what_is_no_request_is_answered_400(request_text: bytes, listening: Listening) -> None:
    with listening.connect() as client:
        client.sendall(request_text)
        assert client.recv(12) == b"HTTP/1.1 400"


def _serve_once(answer: bytes) -> str:
    """Answer one connection with these bytes, whatever is asked, and return the address to ask."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with server, server.accept()[0] as client:
            client.recv(65536)
            client.sendall(answer)

    threading.Thread(target=serve, daemon=True).start()
    return f"http://127.0.0.1:{server.getsockname()[1]}/file?a=b"


def test_a_chunked_answer_is_put_together(loop: LoopThread) -> None:
    url = _serve_once(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")
    assert loop.call(get(url, limit=100)) == (200, b"abcde")


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"hello",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nContent-Length: 90000\r\n\r\n" + b"x" * 90_000,
    ],
)
def test_an_answer_that_is_broken_or_too_large_is_an_error(answer: bytes, loop: LoopThread) -> None:
    url = _serve_once(answer)
    with pytest.raises(OSError, match=url.replace("?", r"\?")):
        loop.call(get(url, limit=100))


def test_only_http_is_asked(loop: LoopThread) -> None:
    with pytest.raises(OSError, match="not a http address"):
        loop.call(get("https://127.0.0.1/", limit=100))
