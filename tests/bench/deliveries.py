"""10,000 events for three callbacks: two workers, next to a bare httpx loop that posts the same bodies.

Workers, receiver and database share the machine; the receiver is a process of its own that keeps connections. The second
figure: 100 callbacks without and with one that accepts connections and never answers.
"""

import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

EVENTS, CALLBACKS, ROUNDS = 10_000, 3, 3
HEALTHY, EACH = 100, 50
RECEIVER = """
import asyncio, sys

class Peer(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport, self.buffer = transport, b""
    def data_received(self, data):
        self.buffer += data
        while (end := self.buffer.find(b"\\r\\n\\r\\n")) >= 0:
            head = self.buffer[:end].lower()
            at = head.find(b"content-length:")
            length = int(head[at + 15:].split(b"\\r\\n", 1)[0]) if at >= 0 else 0
            if len(self.buffer) < end + 4 + length:
                return
            self.buffer = self.buffer[end + 4 + length:]
            self.transport.write(b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\n{}")

async def main():
    server = await asyncio.get_running_loop().create_server(Peer, "127.0.0.1", int(sys.argv[1]))
    await server.serve_forever()

asyncio.run(main())
"""


def measure() -> Iterator[tuple[str, str]]:
    from tests.servers import postgres, redis

    with ExitStack() as stack:
        # That of the tests, which have no worker.
        if os.environ["CELERY_BROKER_URL"].startswith("memory"):
            del os.environ["CELERY_BROKER_URL"]
        os.environ["CELERY_TASK_ALWAYS_EAGER"] = "0"
        os.environ["DATABASE_URL"] = stack.enter_context(postgres())
        os.environ["CELERY_BROKER_URL"] = stack.enter_context(redis())
        os.environ["CALLBACK_NETWORKS"] = "127.0.0.0/8"
        import django
        from django.core.management import call_command

        django.setup()
        call_command("migrate", verbosity=0)
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        yield from _measure(folder)


def _measure(folder: Path) -> Iterator[tuple[str, str]]:
    from tests.processes import processes

    port = _start_receiver()
    with processes(folder) as running:
        running.environment["LEASE_SECONDS"] = "10"
        for name in ("first", "second"):
            running.start_worker(name)
        running.start_sweep()
        # Workers take a while to start.
        _deliver(_callbacks(1, port), 100)
        _forget()
        ours, bare, memory = [], [], []
        for _ in range(ROUNDS):
            callbacks = _callbacks(CALLBACKS, port)
            ours.append(CALLBACKS * EVENTS / _deliver(callbacks, EVENTS))
            bare.append(_bare_loop(port, callbacks[0]))
            memory.append(max(_resident(running.running[name].pid) for name in ("first", "second")))
            _forget()
        ratios = [mine / other for mine, other in zip(ours, bare, strict=True)]
        yield "Patchbay, two workers", f"{statistics.median(ours):.0f} deliveries/s"
        yield "bare httpx loop", f"{statistics.median(bare):.0f} posts/s"
        yield "ratio per round", ", ".join(f"{ratio:.2f}" for ratio in ratios)
        yield "memory of the larger worker after each round", ", ".join(f"{mib:.0f} MiB" for mib in memory)
        yield from _dead_callback(port)


def _dead_callback(port: int) -> Iterator[tuple[str, str]]:
    """In turn without and with the dead one, three rounds; the cost is that of each round."""
    from profiles_app.models import CallbackLane

    costs = []
    with socket.create_server(("127.0.0.1", 0), backlog=1000) as dead:
        for _ in range(ROUNDS):
            rates = []
            for ports in ([], [dead.getsockname()[1]]):
                healthy = _callbacks(HEALTHY, port)
                _callbacks(len(ports), *ports)
                rates.append(HEALTHY * EACH / _deliver(healthy, EACH))
                CallbackLane.objects.update(wake_at=None)
                _forget()
            costs.append(1 - rates[1] / rates[0])
    yield "100 callbacks, with a dead one among them", f"{rates[1]:.0f} deliveries/s"
    yield "what the dead one costs, per round", ", ".join(f"{100 * cost:.0f} %" for cost in costs)


def _callbacks(number: int, port: int = 0) -> list[Any]:
    from contacts_app.models import Account
    from profiles_app.models import Callback, Listener, Subscription

    account, _ = Account.objects.get_or_create(voip_id=1, name="Bench", email="bench@example.org")
    made = []
    for _ in range(number):
        callback = Callback(account=account, target="127.0.0.1")
        callback.config = {"url": f"http://127.0.0.1:{port}/events", "method": "POST"}
        callback.save()
        listener = Listener.objects.create(account=account, callback=callback)
        Subscription.objects.create(listener=listener, tags=["call"])
        made.append(callback)
    return made


def _deliver(callbacks: list[Any], events: int) -> float:
    """Seconds from the first event until all of these callbacks have been told of all."""
    from contacts_app.models import Account
    from profiles_app.models import Delivery
    from profiles_app.services.event import Happening, emit_many
    from tests.profiles_app.deliveries.events import call

    account, data = Account.objects.get(voip_id=1), call()
    one = Happening(account, data["tags"], "call", data["data"])
    keys, wanted = [callback.pk for callback in callbacks], len(callbacks) * events
    started = time.monotonic()
    for begin in range(0, events, 100):
        emit_many([one] * min(100, events - begin))
    while Delivery.objects.filter(callback__in=keys, state="delivered").count() < wanted:
        assert time.monotonic() - started < 600
        time.sleep(0.1)
    return time.monotonic() - started


def _bare_loop(port: int, callback: Any) -> float:
    """Posts a second: the same bodies, one after the other through one client."""
    import httpx

    from profiles_app.models import Event
    from profiles_app.services.envelope import envelope

    rows = Event.objects.order_by("pk")[:EVENTS]
    bodies = [json.dumps(envelope(event, callback, 1, None)).encode() for event in rows]
    with httpx.Client() as client:
        started = time.monotonic()
        for body in bodies:
            client.post(
                f"http://127.0.0.1:{port}/events",
                content=body,
                headers={"Content-Type": "application/json"},
            ).raise_for_status()
        return len(bodies) / (time.monotonic() - started)


def _forget() -> None:
    from profiles_app.models import Callback, Event, Listener

    Event.objects.all().delete()
    Listener.objects.all().delete()
    Callback.objects.all().delete()


def _start_receiver() -> int:
    from tests.servers import free_port, wait_for

    port = free_port()
    process = subprocess.Popen([sys.executable, "-c", RECEIVER, str(port)])
    threading.Thread(target=process.wait, daemon=True).start()
    import atexit

    atexit.register(process.kill)

    def listens() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    wait_for(listens)
    return port


def _resident(pid: int) -> float:
    """MiB of memory that a process holds."""
    line = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if "VmRSS" in line)
    return int(line.split()[1]) / 1024
