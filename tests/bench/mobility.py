"""1,000 people log in on as many simulated phones with their PINs: until each phone has taken its person's file.

The goal is ten minutes on two cores (mobility spec §7, case 9). One process on one database: the web application, the
file server, the phones and one worker; processor time is that of all of them for each log-in. LOGINS sets another
number.
"""

import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from statistics import quantiles

from tests.bench.database import on_test_database
from tests.bench.figures import Figure
from tests.bench.sizes import size

LOGINS = size("LOGINS", 1000)
PIN = "258013"


def measure() -> Iterator[Figure]:
    yield from on_test_database(_measure)


def _measure() -> Iterator[Figure]:
    from celery import current_app
    from django.contrib.auth.hashers import make_password
    from django.db import connection
    from django.test import Client

    from contacts_app.accounts.models import Account
    from contacts_app.core.work.queue import run_queue
    from contacts_app.people.models import User
    from phones_app.deployment.request import DEPLOYMENTS
    from phones_app.mobility.models import MobilitySession, SessionState
    from phones_app.mobility.timers import MOBILITY
    from profiles_app.phone.services import create_profile
    from tests.phones_app.site import ACTOR, Site, sip_file

    current_app.conf.task_always_eager = False
    account = Account.objects.create(voip_id=1, name="Bench", email="bench@example.org")
    owner = User.objects.create_user("bench@example.org", account=account)
    hashed = make_password(PIN)
    with tempfile.TemporaryDirectory() as folder:
        site = Site(Path(folder), account, owner)
        site.macs = (f"02000001{number:04X}" for number in range(LOGINS))
        site.add_file_server()
        base = site.profile("Logged out", sip_file("1000"))
        phones = [site.phone(base_profile=base) for _ in range(LOGINS)]
        for number in range(LOGINS):
            user = User.objects.create_user(f"p{number}@example.org", account=account, pin_hash=hashed)
            create_profile(actor=ACTOR, user=user, name="Mine", content=sip_file(f"2{number:04}").encode())
        stopped = threading.Event()

        def work() -> None:
            while not stopped.is_set():
                run_queue(DEPLOYMENTS)
                run_queue(MOBILITY)
                time.sleep(0.05)
            connection.close()

        with site.alive(*phones, asks_around=False):
            worker = threading.Thread(target=work)
            started, used, took = time.monotonic(), time.process_time(), []
            worker.start()
            for number, phone in enumerate(phones):
                asked = time.monotonic()
                who = {"device": f"SEP{phone.mac}", "user": f"p{number}@example.org", "pin": PIN}
                answer = Client(REMOTE_ADDR="127.0.0.1").get("/cisco/services/em/login", who)
                assert b"Logging in as" in answer.content, answer.content
                took.append(time.monotonic() - asked)
            asked_for = time.monotonic() - started
            while MobilitySession.objects.filter(state=SessionState.LOGGING_IN).exists():
                time.sleep(0.2)
            seconds, processor = time.monotonic() - started, time.process_time() - used
            stopped.set()
            worker.join()
        site.files.stop()
    states = Counter(MobilitySession.objects.values_list("state", "login__state"))
    cost = [1000 * processor / LOGINS]
    yield Figure(
        f"{LOGINS} log-ins on {connection.vendor}", [60 * LOGINS / seconds], "a minute", processor=cost, goal=100
    )
    yield Figure("all asked for after", [asked_for], "s")
    yield Figure("an answer, 95th percentile", [quantiles(took, n=20)[-1]], "s")
    ends = ", ".join(f"{number} {state}, {login}" for (state, login), number in states.items())
    yield Figure("how they ended", said=ends)
