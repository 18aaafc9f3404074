"""10,000 events for three callbacks: two workers, next to a bare httpx loop that posts the same bodies.

Then the same with each worker killed (-9) once in the middle, and 100 callbacks without and with one that accepts
connections and never answers. Workers, receiver and database share the machine; the receiver keeps connections.
BENCH_EVENTS and BENCH_ROUNDS make it shorter.
"""

import json
import os
import socket
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tests.bench.database import migrated
from tests.bench.figures import Figure
from tests.bench.receiver import receiver
from tests.bench.sizes import rounds, size

EVENTS = size("BENCH_EVENTS", 10_000)
CALLBACKS, WORKERS = 3, ("first", "second")
HEALTHY, EACH = 100, max(1, EVENTS // 200)
FEED = 100
LONGEST = 900


def measure() -> Iterator[Figure]:
    from tests.servers import redis

    with ExitStack() as stack:
        # That of the tests, which have no worker.
        if os.environ["CELERY_BROKER_URL"].startswith("memory"):
            del os.environ["CELERY_BROKER_URL"]
        os.environ["CELERY_TASK_ALWAYS_EAGER"] = "0"
        os.environ["DATABASE_URL"] = stack.enter_context(migrated())
        os.environ["CELERY_BROKER_URL"] = stack.enter_context(redis())
        os.environ["CALLBACK_NETWORKS"] = "127.0.0.0/8"
        import django

        django.setup()
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        port = stack.enter_context(receiver())
        yield from _measure(folder, port)


def _measure(folder: Path, port: int) -> Iterator[Figure]:
    from tests.processes import processes

    with processes(folder, forked=False) as running:
        running.environment["LEASE_SECONDS"] = "10"
        for name in WORKERS:
            running.start_worker(name)
        running.start_sweep()
        # Workers take a while to start.
        _deliver(_callbacks(1, port), 100)
        _forget(port)
        yield from _beside_a_loop(running, port)
        yield from _killed(running, port)
        yield from _dead_callback(running, port)


def _beside_a_loop(running: Any, port: int) -> Iterator[Figure]:
    ours: list[float] = []
    bare, work, memory = [], [], [_resident(running)]
    for _ in rounds():
        callbacks, before = _callbacks(CALLBACKS, port), _processor_seconds(running)
        ours.append(CALLBACKS * EVENTS / _deliver(callbacks, EVENTS))
        work.append(1000 * (_processor_seconds(running) - before) / (CALLBACKS * EVENTS))
        bare.append(_bare_loop(port, callbacks[0]))
        memory.append(_resident(running))
        _forget(port)
    rates, costs = [list(each) for each in zip(*bare, strict=True)]
    yield Figure("bare httpx loop", rates, "deliveries/s", processor=costs)
    yield Figure("Patchbay, two workers", ours, "deliveries/s", of="bare httpx loop", processor=work)
    yield Figure("memory of the larger worker at first, after each round", memory, "MiB")


def _killed(running: Any, port: int) -> Iterator[Figure]:
    """Every event has to come, in order, and twice at most what a killed worker had not written down."""
    from profiles_app.events.delivery_run import ROUND
    from profiles_app.events.models.outbox import Event

    callbacks = _callbacks(CALLBACKS, port)
    left = list(WORKERS)

    def kill_one(delivered: int) -> None:
        if left and delivered > CALLBACKS * EVENTS * (1 - len(left) / (len(WORKERS) + 1)):
            running.kill(name := left.pop(0))
            running.start_worker(name)

    seconds = _deliver(callbacks, EVENTS, kill_one)
    assert not left, "it was over before both workers were killed"
    wanted = [str(uuid) for uuid in Event.objects.order_by("pk").values_list("uuid", flat=True)]
    came = list(_seen(port).values())
    lost = sum(len(set(wanted) - set(events)) for events in came) + EVENTS * (CALLBACKS - len(came))
    twice = sum(len(events) - len(set(events)) for events in came)
    in_order = all(list(dict.fromkeys(events)) == wanted for events in came)
    assert not lost, f"{lost} deliveries were lost"
    assert in_order, "order was not kept"
    assert twice <= ROUND * CALLBACKS * len(WORKERS), f"{twice} deliveries came twice"
    _forget(port)
    said = f"{lost} lost, {twice} twice, in order, {seconds:.0f} s"
    yield Figure("both workers killed (-9) in the middle, one after the other", said=said)


def _dead_callback(running: Any, port: int) -> Iterator[Figure]:
    """In turn without and with the dead one; every second round begins with the other."""
    seconds: dict[bool, list[float]] = {False: [], True: []}
    work: dict[bool, list[float]] = {False: [], True: []}
    for number in rounds():
        for with_dead in (False, True) if number % 2 == 0 else (True, False):
            took, worked = _healthy_round(running, port, with_dead)
            seconds[with_dead].append(took)
            work[with_dead].append(worked)
    names = {False: f"{HEALTHY} callbacks", True: f"{HEALTHY} callbacks, with a dead one besides"}
    for with_dead, name in names.items():
        rates = [HEALTHY * EACH / took for took in seconds[with_dead]]
        costs = [1000 * worked / (HEALTHY * EACH) for worked in work[with_dead]]
        yield Figure(name, rates, "deliveries/s", of=names[False] if with_dead else "", processor=costs)


def _healthy_round(running: Any, port: int, with_dead: bool) -> tuple[float, float]:
    """Seconds until the healthy ones have got all, and those of processor time."""
    from profiles_app.events.models.outbox import CallbackQueue
    from profiles_app.events.models.setup import Callback
    from tests.servers import wait_for

    healthy = _callbacks(HEALTHY, port)
    # Accepted by the system, and never answered.
    with socket.create_server(("127.0.0.1", 0), backlog=1000) as dead:
        if with_dead:
            _callbacks(1, dead.getsockname()[1])
        before = _processor_seconds(running)
        seconds = _deliver(healthy, EACH)
        work = _processor_seconds(running) - before
    # Clients that waited for the dead one are told now that it went away, and sends no more.
    Callback.objects.update(enabled=False)
    wait_for(lambda: not CallbackQueue.objects.exclude(lease_owner="").exists(), 60)
    _forget(port)
    return seconds, work


def _callbacks(number: int, port: int) -> list[Any]:
    from contacts_app.accounts.models import Account
    from profiles_app.events.models.setup import Callback, Listener, Subscription

    account, _ = Account.objects.get_or_create(voip_id=1, name="Bench", email="bench@example.org")
    made = []
    for place in range(number):
        callback = Callback(account=account, target="127.0.0.1")
        callback.config = {"url": f"http://127.0.0.1:{port}/{place}", "method": "POST"}
        callback.save()
        listener = Listener.objects.create(account=account, callback=callback)
        Subscription.objects.create(listener=listener, tags=["call"])
        made.append(callback)
    return made


def _deliver(callbacks: list[Any], events: int, look: Any = lambda delivered: None) -> float:
    """Seconds from the first event until all of these callbacks have been told of all."""
    from contacts_app.accounts.models import Account
    from profiles_app.events.models.outbox import Delivery
    from profiles_app.events.outbox import EventDraft, emit_many
    from tests.profiles_app.events.deliveries.events import call

    account, data = Account.objects.get(voip_id=1), call()
    one = EventDraft(account, data["tags"], "call", data["data"])
    wanted = len(callbacks) * events
    done = Delivery.objects.filter(callback__in=[callback.pk for callback in callbacks], state="delivered")
    started = time.monotonic()
    for begin in range(0, events, FEED):
        emit_many([one] * min(FEED, events - begin))
    while (delivered := done.count()) < wanted:
        assert time.monotonic() - started < LONGEST, f"{delivered} of {wanted} after {LONGEST} s"
        look(delivered)
        time.sleep(0.1)
    return time.monotonic() - started


def _bare_loop(port: int, callback: Any) -> tuple[float, float]:
    """Posts a second, and milliseconds of processor time: the same bodies, one after the other through one client."""
    import httpx

    from profiles_app.events.envelope import envelope
    from profiles_app.events.models.outbox import Event

    bodies = [json.dumps(envelope(event, callback, 1, None)).encode() for event in Event.objects.order_by("pk")]
    with httpx.Client() as client:
        started, before = time.monotonic(), time.process_time()
        for body in bodies:
            client.post(
                f"http://127.0.0.1:{port}/bare", content=body, headers={"Content-Type": "application/json"}
            ).raise_for_status()
        work = 1000 * (time.process_time() - before) / len(bodies)
        return len(bodies) / (time.monotonic() - started), work


def _forget(port: int) -> None:
    from profiles_app.events.models.outbox import Event
    from profiles_app.events.models.setup import Callback, Listener

    Event.objects.all().delete()
    Listener.objects.all().delete()
    Callback.objects.all().delete()
    _seen(port)


def _seen(port: int) -> dict[str, list[str]]:
    """The uuids that each callback was sent since it was last asked."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/seen") as answer:
        seen: dict[str, list[str]] = json.load(answer)
    return seen


def _resident(running: Any) -> float:
    """MiB of memory that the larger worker holds."""

    def held(name: str) -> int:
        status = Path(f"/proc/{running.running[name].pid}/status").read_text()
        return int(next(line for line in status.splitlines() if "VmRSS" in line).split()[1])

    return max(map(held, WORKERS)) / 1024


def _processor_seconds(running: Any) -> float:
    """What both workers have used so far."""
    ticks = 0
    for name in WORKERS:
        # Behind the name in brackets, which may hold anything: utime and stime are the 14th and 15th (proc(5)).
        fields = Path(f"/proc/{running.running[name].pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")
