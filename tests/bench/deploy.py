"""200 simulated phones, one profile: from the request until every phone is confirmed.

Everything in one process on one database: the file server, the phones, and
one worker. All traffic goes over loopback sockets.
"""

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.bench.database import on_test_database
from tests.bench.figures import Figure
from tests.bench.sizes import size

PHONES = size("BENCH_PHONES", 200)


def measure() -> Iterator[Figure]:
    yield from on_test_database(_measure)


def _measure() -> Iterator[Figure]:
    from celery import current_app
    from django.db import connection

    from contacts_app.accounts.models import Account
    from contacts_app.core.work.queue import run_queue
    from contacts_app.people.models import User
    from phones_app.deployment.models import Deployment
    from phones_app.deployment.request import DEPLOYMENTS, deploy_many
    from tests.phones_app.site import ACTOR, Site, sip_file

    current_app.conf.task_always_eager = False
    account = Account.objects.create(voip_id=1, name="Bench", email="bench@example.org")
    owner = User.objects.create_user("bench@example.org", account=account)
    with tempfile.TemporaryDirectory() as folder:
        site = Site(Path(folder), account, owner)
        site.add_file_server()
        phones = [site.phone() for _ in range(PHONES)]
        profile = site.profile(content=sip_file("1002"))
        with site.alive(*phones):
            started = time.monotonic()
            deploy_many(phones=phones, profile=profile, actor=ACTOR)
            while Deployment.objects.filter(finished_at=None).exists():
                run_queue(DEPLOYMENTS)
            seconds = time.monotonic() - started
        site.files.stop()
    states = dict.fromkeys(Deployment.objects.order_by().values_list("state", flat=True))
    yield Figure(f"{PHONES} phones on {connection.vendor}", [PHONES / seconds], "phones/s")
    yield Figure("how they ended", said=", ".join(states))
