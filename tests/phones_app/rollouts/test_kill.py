"""kill -9 in the middle of a rollout: of a worker, of the database's connections, of the broker, of the file server.

Afterwards every phone is in a true state, none was restarted twice, and every file on the server is whole.
"""

import pytest
from django.db import connection

from phones_app.models import FileServer
from phones_app.models.deployment import State
from tests.peers.ftp import needs_vsftpd, vsftpd
from tests.phones_app.site import sip_file
from tests.processes import processes
from tests.servers import wait_for

pytestmark = pytest.mark.django_db(transaction=True)
PHONES = 30


@pytest.fixture
def running(tmp_path, db, no_inline_work):
    (tmp_path / "processes").mkdir()
    with processes(tmp_path / "processes") as running:
        yield running


def kill_worker(running):
    running.kill("worker")
    running.start_worker()


def kill_database(running):
    """What the end of a database server is to everybody else: all connections are gone at once."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has no connections that somebody else could end")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def kill_broker(running):
    """Every message is lost, and every connection to the broker."""
    url = running.environment["CELERY_BROKER_URL"]
    if not url.startswith("redis"):
        # The embedded one is a file that these processes share, and goes with them.
        running.kill("worker")
        running.kill("sweep")
        (running.folder / "broker.sqlite3").unlink(missing_ok=True)
        running.start_worker()
        running.start_sweep()
        return
    import redis

    client = redis.Redis.from_url(url)
    client.flushall()
    client.client_kill_filter(_type="normal", skipme=True)


def begun(rollout, number=3):
    return rollout.deployments.exclude(restarted_at=None).count() >= number


@pytest.mark.parametrize("kill", [kill_worker, kill_database, kill_broker])
def test_killed_in_the_middle(site, start, running, kill):
    phones, profile = [site.phone() for _ in range(PHONES)], site.profile(content=sip_file("1002"))
    with site.alive(*phones) as fleet:
        running.start_worker()
        running.start_sweep()
        rollout = start(phones, profile, canary_size=4, wave_size=13)
        wait_for(lambda: begun(rollout), 60)
        kill(running)
        wait_for(lambda: not rollout.deployments.filter(finished_at=None).exists(), 120)
        assert [fleet[phone.mac].restarts for phone in phones] == [1] * PHONES
    assert set(rollout.deployments.values_list("state", "error")) == {(State.CONFIRMED, "")}
    assert {site.file_of(phone) for phone in phones} == {profile.content}
    assert not list(site.folder.glob(".*"))


@needs_vsftpd
def test_the_file_server_killed_in_the_middle(site, start, running):
    """What was not uploaded before its death has failed, and has its old file; a retry brings the rest."""
    phones, profile = [site.phone() for _ in range(PHONES)], site.profile(content=sip_file("1002"))
    old = sip_file("1001").encode()
    with site.alive(*phones) as fleet, vsftpd() as server:
        for phone in phones:
            (server.root / f"SEP{phone.mac}.cnf.xml").write_bytes(old)
            (server.root / f"SEP{phone.mac}.cnf.xml").chmod(0o666)
        place = {"host": server.host, "port": server.port, "username": server.username}
        FileServer.objects.update(**place, is_embedded=False)
        row = FileServer.objects.get()
        row.password = server.password
        row.save()
        running.environment["CONFIRM_SECONDS"] = "3"
        running.start_worker()
        running.start_sweep()
        rollout = start(phones, profile, wave_size=6)
        wait_for(lambda: begun(rollout), 60)
        server.stop()
        wait_for(lambda: not rollout.deployments.filter(finished_at=None).exists(), 120)
        assert max(fleet[phone.mac].restarts for phone in phones) == 1
        files = {path.name: path.read_bytes() for path in server.root.glob("SEP*.cnf.xml")}
        for deployment in rollout.deployments.all():
            restarted = fleet[deployment.mac].restarts == 1
            assert restarted == (deployment.state in (State.CONFIRMED, State.RESTART_ACKNOWLEDGED))
            content = files[f"SEP{deployment.mac}.cnf.xml"]
            assert content in (old, profile.content)
            assert content == profile.content or deployment.state == State.FAILED
    assert rollout.deployments.filter(state=State.FAILED).exists()
