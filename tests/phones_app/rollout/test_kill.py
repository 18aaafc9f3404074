"""kill -9 in the middle of a rollout: of a worker, the database's connections, the broker, everything, the file server.

Afterwards every phone is in a true state, none was restarted twice, and every file on the server is whole.
"""

import os

import pytest
from django.db import connection

from phones_app.deployment.models import State
from phones_app.rollout import rollout as rollouts
from phones_app.rollout.models import RolloutState
from phones_app.servers.models import FileServer
from tests.phones_app.site import ACTOR, sip_file
from tests.processes import processes

pytestmark = pytest.mark.django_db(transaction=True)
PHONES = 30
# Large enough that its way to the server takes a while.
NEW = sip_file("1002").replace("<fullConfig>", f"<!-- {'x' * 200_000} --><fullConfig>")


@pytest.fixture
def running(tmp_path, db, no_inline_work):
    (tmp_path / "processes").mkdir()
    with processes(tmp_path / "processes") as running:
        yield running


# SQLite and the embedded broker are files, no processes.
ON_SERVERS = os.environ["CELERY_BROKER_URL"].startswith("redis")


def kill_worker(running):
    running.kill("worker")
    running.start_worker()


def kill_database(running):
    """What the end of a database server is to everybody else: all connections are gone at once."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def kill_broker(running):
    """Every message is lost, and every connection to the broker; workers find the next one by themselves."""
    port = int(running.environment["CELERY_BROKER_URL"].rpartition(":")[2].removesuffix("/0"))
    running.kill("broker")
    running.start_broker(port)


def kill_everything(running):
    for name in list(running.running):
        running.kill(name)
    (running.folder / "broker.sqlite3").unlink(missing_ok=True)
    start_all(running)


def start_all(running):
    if ON_SERVERS:
        running.start_broker()
    running.start_worker()
    running.start_sweep()


def begun(rollout, number=3):
    return rollout.deployments.exclude(restarted_at=None).count() >= number


def ended(rollout):
    rollout.refresh_from_db()
    return not rollout.is_open and not rollout.deployments.filter(finished_at=None).exists()


# What is killed, and how many phones have been told to restart by then: each in a wave of its own.
KILLS = {3: kill_worker, 15: kill_everything}
if ON_SERVERS:
    KILLS = {3: kill_worker, 6: kill_database, 15: kill_broker, 24: kill_everything}


def test_killed_in_the_middle(site, start, running):
    phones, profile = [site.phone() for _ in range(PHONES)], site.profile(content=NEW)
    with site.alive(*phones) as fleet:
        start_all(running)
        rollout = start(phones, profile, canary_size=4, wave_size=9)
        for number, kill in KILLS.items():
            running.until(lambda number=number: begun(rollout, number))
            kill(running)
        # Celery ends when it loses its broker at a bad moment.
        running.until(lambda: ended(rollout), 240)
        assert [fleet[phone.mac].restarts for phone in phones] == [1] * PHONES
    assert set(rollout.deployments.values_list("state", "error")) == {(State.CONFIRMED, "")}
    assert rollout.state == RolloutState.FINISHED
    assert {site.file_of(phone) for phone in phones} == {profile.content}
    assert not list(site.folder.glob(".*"))


def test_the_file_server_killed_in_the_middle(site, start, running):
    """What was not uploaded before its death has failed and has a whole file, old or new; a retry brings the rest."""
    phones, profile = [site.phone() for _ in range(PHONES)], site.profile(content=NEW)
    old = {site.file_of(phone) for phone in phones}
    # The phones fetch from this folder what another process stores there.
    port = running.start_files(site.folder)
    FileServer.objects.update(port=port, username="phones")
    with site.alive(*phones) as fleet:
        start_all(running)
        rollout = start(phones, profile, wave_size=10)
        running.until(lambda: begun(rollout))
        running.kill("files")
        running.until(lambda: ended(rollout))
        failed = 0
        for phone in phones:
            state, restarts = rollout.deployments.get(phone=phone).state, fleet[phone.mac].restarts
            assert (state, restarts) in ((State.CONFIRMED, 1), (State.FAILED, 0))
            assert site.file_of(phone) in ({profile.content} if restarts else {*old, profile.content})
            failed += not restarts
        assert failed
        running.start_files(site.folder, port)
        again = rollouts.retry_failed(rollout, actor=ACTOR)
        running.until(lambda: ended(again))
        assert (again.total, set(again.deployments.values_list("state", flat=True))) == (failed, {State.CONFIRMED})
        assert [fleet[phone.mac].restarts for phone in phones] == [1] * PHONES
    assert {site.file_of(phone) for phone in phones} == {profile.content}
    assert not list(site.folder.glob(".*")), "what the dead server left was cleared away"
