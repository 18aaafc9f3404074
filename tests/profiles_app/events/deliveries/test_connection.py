"""The connection to a customer's URL: it is kept, and a request leaves in one piece."""

import socket
import threading
from contextlib import closing

import pytest

from contacts_app.core.net.http import SENT_TOGETHER
from contacts_app.core.net.wire import Networks
from profiles_app.events.transport import Answer, Connection

LOOPBACK = Networks.parse("127.0.0.0/8")
ANSWER = b"HTTP/1.1 %s\r\nContent-Length: 2\r\n\r\n{}"


class OneByOne:
    """Answers to what one read brings, and remembers it; `wanted` bytes are waited for, and no more."""

    def __init__(self, *, status=b"200 OK", hangs_up=False, wanted=1):
        self.status, self.hangs_up, self.wanted = status, hangs_up, wanted
        self.came, self.connections = [], 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}/"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            with peer:
                while came := peer.recv(65536):
                    while len(came) < self.wanted:
                        came += peer.recv(65536)
                    self.came.append(came)
                    peer.sendall(ANSWER % self.status)
                    if self.hangs_up:
                        break

    def close(self):
        self.listener.close()


@pytest.fixture
def peer(request):
    with closing(OneByOne(**getattr(request, "param", {}))) as peer, closing(connection_to(peer)) as connection:
        yield peer, connection


def connection_to(peer):
    return Connection(peer.url, networks=LOOPBACK, timeout=10)


def send(connection, body):
    return connection.send("POST", body=body, headers=[], timeout=10)


def test_head_and_body_are_one_write_over_a_connection_that_is_kept(peer):
    peer, connection = peer
    assert [send(connection, b'{"a": 1}') for _ in range(3)] == [Answer(200, "{}")] * 3
    assert [came.endswith(b'\r\n\r\n{"a": 1}') for came in peer.came] == [True] * 3
    assert peer.connections == 1


@pytest.mark.parametrize("peer", [{"hangs_up": True}], indirect=True)
def test_a_connection_that_the_other_side_gives_up_is_made_anew(peer):
    peer, connection = peer
    assert [send(connection, b"{}").status for _ in range(3)] == [200] * 3
    assert peer.connections == 3


@pytest.mark.parametrize("peer", [{"wanted": 4 * SENT_TOGETHER + 100}], indirect=True)
def test_a_large_body_is_sent_whole(peer):
    peer, connection = peer
    body = b'"' + b"x" * 4 * SENT_TOGETHER + b'"'
    assert send(connection, body).status == 200
    assert b"".join(peer.came).endswith(body)
