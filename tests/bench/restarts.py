"""200 restarts through an Asterisk with 10,016 contacts, which takes 1.6 s to list them, until the last NOTIFY is sent.

One worker with one session, the Asterisk in the same process, whose processor time counts, too. The goal is 15 s
(Asterisk spec §E).
"""

import time
from collections.abc import Iterator

from tests.bench.database import on_test_database
from tests.bench.figures import Figure


def measure() -> Iterator[Figure]:
    yield from on_test_database(_measure)


def _measure() -> Iterator[Figure]:
    from celery import current_app
    from django.conf import settings

    from contacts_app.accounts.models import Account
    from tests.phones_app.deployment.test_large_pbx import large_pbx, restart_phones

    current_app.conf.task_always_eager = False
    settings.CONFIRM_SECONDS = 600  # no phone fetches anything
    account = Account.objects.create(voip_id=1, name="Bench", email="bench@example.org")
    pbx = large_pbx()
    ends: list[float] = []
    pbx.on_restart = lambda _: ends.append(time.monotonic())
    with pbx.running():
        began, used = time.monotonic(), time.process_time()
        restart_phones(account, pbx, 200)
        seconds, processor = ends[-1] - began, time.process_time() - used
    assert len(ends) == 200
    yield Figure("200 restarts", [seconds], "s", processor=[1000 * processor / 200], goal=15)
    asked = f"{len(pbx.asked('Login'))}, {len(pbx.asked('PJSIPShowContacts'))}"
    yield Figure("log-ins, lists asked", said=asked)
