"""5,000 messages into the outbox, and out over HTTP by one worker, beside a bare httpx loop with the same bodies.

Worker, gateway and database (PostgreSQL) share the machine; the gateway keeps connections. BENCH_MESSAGES and
BENCH_ROUNDS make it shorter.
"""

import json
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tests.bench.database import migrated
from tests.bench.figures import Figure
from tests.bench.receiver import receiver
from tests.bench.sizes import rounds, size

MESSAGES = size("BENCH_MESSAGES", 5_000)
FEED = 500
LONGEST = 600


def measure() -> Iterator[Figure]:
    from tests.servers import redis

    with ExitStack() as stack:
        if os.environ["CELERY_BROKER_URL"].startswith("memory"):
            del os.environ["CELERY_BROKER_URL"]
        os.environ["CELERY_TASK_ALWAYS_EAGER"] = "0"
        os.environ["DATABASE_URL"] = stack.enter_context(migrated())
        os.environ["CELERY_BROKER_URL"] = stack.enter_context(redis())
        os.environ["GATEWAY_NETWORKS"] = "127.0.0.0/8"
        import django

        django.setup()
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        port = stack.enter_context(receiver())
        yield from _measure(folder, port)


def _measure(folder: Path, port: int) -> Iterator[Figure]:
    from tests.processes import processes

    profile = _pool(port)
    taken, sent, bare = [], [], []
    with processes(folder, forked=False) as running:
        running.start_worker()
        running.start_sweep()
        # A worker takes a while to start.
        _send_out(_take_in(profile, 100)[1])
        running.kill("worker")
        for _ in rounds():
            rate, last = _take_in(profile, MESSAGES)
            taken.append(rate)
            running.start_worker()
            sent.append(_send_out(last))
            running.kill("worker")
            bare.append(_bare_loop(port))
    yield Figure("into the outbox, by the weights of a pool", taken, "messages/s")
    yield Figure("bare httpx loop", bare, "messages/s")
    yield Figure("handed to the gateway by one worker", sent, "messages/s", of="bare httpx loop")


def _pool(port: int) -> Any:
    from contacts_app.accounts.models import Account
    from contacts_app.core.actor import system
    from profiles_app.messaging.models import MessagingProfile, NumberLease
    from profiles_app.messaging.sending.models import MessageGateway
    from profiles_app.messaging.services import save_number_lease

    account = Account.objects.create(voip_id=1, name="Bench", email="bench@example.org")
    MessageGateway.objects.create(name="Bench", url=f"http://127.0.0.1:{port}/gateway")
    profile = MessagingProfile.objects.create(
        account=account, name="Bench", number_pool_enable=True, sticky_sender=True
    )
    for tn in (12025550101, 12025550102, 18005550100):
        save_number_lease(NumberLease(account=account, tn=tn, messaging_profile=profile), actor=system("bench"))
    return profile


def _take_in(profile: Any, number: int) -> tuple[float, int]:
    """Messages a second that are written, and how many there are in all."""
    from contacts_app.core.actor import system
    from profiles_app.messaging.sending.models import Message
    from profiles_app.messaging.sending.outbox import Draft, submit

    first = Message.objects.count()
    drafts = [Draft(to=f"33{first + place:09}", text="The table is laid at eight.") for place in range(number)]
    started = time.monotonic()
    for begin in range(0, number, FEED):
        submit(profile.account, drafts[begin : begin + FEED], profile=profile, actor=system("bench"))
    return number / (time.monotonic() - started), first + number


def _send_out(wanted: int) -> float:
    """Messages a second, from the first that is sent to the last, by the attempts' own times."""
    from django.db.models import Max, Min

    from profiles_app.messaging.sending.models import Message

    before = Message.objects.filter(state="sent").count()
    started = time.monotonic()
    while Message.objects.filter(state="sent").count() < wanted:
        assert time.monotonic() - started < LONGEST, "not all were sent"
        time.sleep(0.2)
    ours = Message.objects.filter(state="sent").order_by("pk")
    keys = list(ours.values_list("pk", flat=True)[before:])
    span = Message.objects.filter(pk__in=keys).aggregate(first=Min("attempts__started_at"), last=Max("sent_at"))
    return len(keys) / (span["last"] - span["first"]).total_seconds()


def _bare_loop(port: int) -> float:
    import httpx

    from profiles_app.messaging.sending.gateways.http import USUAL_BODY, filled, values_of
    from profiles_app.messaging.sending.models import Message

    rows = Message.objects.order_by("-pk")[:MESSAGES]
    bodies = [json.dumps(filled(USUAL_BODY, values_of(message))).encode() for message in rows]
    with httpx.Client() as client:
        started = time.monotonic()
        for body in bodies:
            client.post(
                f"http://127.0.0.1:{port}/bare", content=body, headers={"Content-Type": "application/json"}
            ).raise_for_status()
        return len(bodies) / (time.monotonic() - started)
