"""Admission of calls by one profile, next to a bare loop that locks the profile's row; and 200 at once for ten channels.

The service and REST in one process; on PostgreSQL also REST as a PBX asks, of two web processes as the product starts
them. The goal is a median below 5 ms and 500 a second. ADMISSIONS sets another number.
"""

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from statistics import median
from threading import Barrier, local
from urllib.parse import urlsplit

from tests.bench.database import on_test_database
from tests.bench.figures import Figure
from tests.bench.sizes import rounds, size
from tests.bench.web import ask as ask_web
from tests.bench.web import request_of, web_server

ADMISSIONS = size("ADMISSIONS", 1000)
CLIENTS = 4
CROWD, CHANNELS = 200, 10
BARE = "bare SELECT … FOR UPDATE"


def measure() -> Iterator[Figure]:
    yield from on_test_database(_measure)


def _measure() -> Iterator[Figure]:
    from django.db import connection, transaction
    from django.test import Client

    from contacts_app.accounts.services import create_account
    from contacts_app.tokens.services import create_token
    from profiles_app.voice.admission import CallRequest, admit
    from profiles_app.voice.models.admission import Admission
    from profiles_app.voice.models.profile import OutboundVoiceProfile

    account = create_account(voip_id=1000001, name="Acme", email="office@acme.example")
    token = create_token(account=account)[1]
    profile = OutboundVoiceProfile.objects.create(
        account=account, name="Calls", tech_prefix=123456, channel_limit=10 * ADMISSIONS, daily_spend_limit=1e6
    )
    limited = OutboundVoiceProfile.objects.create(
        account=account, name="Few calls", tech_prefix=123457, channel_limit=CHANNELS
    )
    ask = CallRequest("12025550123", "bench")

    def bare() -> None:
        with transaction.atomic():
            OutboundVoiceProfile.objects.select_for_update().filter(pk=profile.pk).values_list("pk").get()

    def service() -> None:
        assert admit(profile, ask).is_admitted

    # A client of its own for each thread: what it loads when it is new takes a hundred times as long as a request.
    clients = local()

    def rest(tech_prefix: int = 123456) -> bool:
        if not hasattr(clients, "one"):
            clients.one = Client(headers={"Authorization": f"Bearer {token}"})
        answer = clients.one.post(
            f"/rest/profile/outbound_voice/{tech_prefix}/admission",
            {"destination": "12025550123", "call_id": "bench"},
            content_type="application/json",
        )
        assert answer.status_code == 200, answer.content
        return bool(answer.json()["payload"]["allowed"])

    ways: dict[str, Callable[[], object]] = {BARE: bare, "admit()": service, "POST …/admission": rest}
    rates: dict[str, list[float]] = {name: [] for name in ways}
    medians: dict[str, list[float]] = {name: [] for name in ways}
    for _ in rounds():
        for name, once in ways.items():
            # Running calls of earlier rounds would be read along: each round begins with none.
            Admission.objects.all().delete()
            took = _alone(once, ADMISSIONS // 10)
            rate = _together(once, ADMISSIONS // CLIENTS)
            rates[name].append(rate)
            medians[name].append(1000 * median(took))
    for name in ways:
        peer = "" if name == BARE else BARE
        alone, together = "{}, one client: median", "{}, clients together: " + str(CLIENTS)
        goal = None if name == BARE else 5
        yield Figure(alone.format(name), medians[name], "ms", of=peer and alone.format(peer), goal=goal)
        yield Figure(together.format(name), rates[name], "/s", of=peer and together.format(peer))
    if connection.vendor == "postgresql":
        yield from _over_the_network(token)
    Admission.objects.all().delete()
    passed = sum(_crowd(lambda: rest(limited.tech_prefix)))
    yield Figure(f"{CROWD} at once for {CHANNELS} channels", said=f"{passed} admitted")
    assert passed == CHANNELS


def _over_the_network(token: str) -> Iterator[Figure]:
    from django.conf import settings
    from django.db import connection

    from profiles_app.voice.models.admission import Admission

    database = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}").geturl()
    environment = os.environ | {"DATABASE_URL": database, "LOG_LEVEL": "WARNING"}
    body = {"destination": "12025550123", "call_id": "bench"}
    request = request_of("/rest/profile/outbound_voice/123456/admission", token, body)
    with tempfile.TemporaryDirectory() as folder:
        # The key by which tokens are checked is that of this process.
        inside = environment | {"DATA_DIR": folder, "SECRET_KEY": settings.SECRET_KEY}
        with web_server("config.wsgi:application", inside) as (port, _):
            for clients in (1, CLIENTS):
                ask_web(port, request, 1, clients)
            medians: dict[int, list[float]] = {1: [], CLIENTS: []}
            rates: dict[int, list[float]] = {1: [], CLIENTS: []}
            for _ in rounds():
                for clients in (1, CLIENTS):
                    Admission.objects.all().delete()
                    took, seconds = ask_web(port, request, ADMISSIONS / 500, clients)
                    medians[clients].append(1000 * median(took))
                    rates[clients].append(len(took) / seconds)
    for clients in medians:
        what = f"POST …/admission of two web processes, clients: {clients}"
        yield Figure(f"{what}: median", medians[clients], "ms", goal=5 if clients == 1 else None)
        yield Figure(what, rates[clients], "/s", goal=500 if clients > 1 else None)


def _alone(once: Callable[[], object], number: int) -> list[float]:
    took = []
    once()
    for _ in range(number):
        began = time.perf_counter()
        once()
        took.append(time.perf_counter() - began)
    return took


def _together(once: Callable[[], object], number: int) -> float:
    """How many a second, with clients that have a connection of their own each."""
    from django.db import connection

    ready = Barrier(CLIENTS + 1)

    def ask() -> None:
        once()
        ready.wait()
        for _ in range(number):
            once()
        connection.close()

    with ThreadPoolExecutor(CLIENTS) as pool:
        asked = [pool.submit(ask) for _ in range(CLIENTS)]
        ready.wait()
        began = time.perf_counter()
        for each in asked:
            each.result()
        return CLIENTS * number / (time.perf_counter() - began)


def _crowd(once: Callable[[], bool]) -> list[bool]:
    from django.db import connection

    def ask(_: int) -> bool:
        try:
            return once()
        finally:
            connection.close()

    # As many at a time as a web process has threads; the others wait for their turn, as they do there.
    with ThreadPoolExecutor(48) as pool:
        return list(pool.map(ask, range(CROWD)))
