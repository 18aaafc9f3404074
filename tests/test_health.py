"""/readyz: what it says is in order has just been tried. And the embedded broker, whose damaged file replaces itself."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from celery import current_app
from django.conf import settings as configured
from django.db import connection

from contacts_app.core.memory import forget_everything
from contacts_app.core.work.broker import PROBES, mend, round_trip
from contacts_app.core.work.models import WorkStatus, note_run
from contacts_app.core.work.wake import SWEEP, nudge
from phones_app.inventory.models import Phone
from tests.processes import processes
from tests.servers import free_port

JUNK = b"this is no database" * 1000


@pytest.fixture
def ready(client, db):
    def ask() -> tuple[int, dict[str, object]]:
        forget_everything()
        response = client.get("/readyz")
        return response.status_code, response.json()

    note_run(SWEEP)
    return ask


@pytest.fixture
def through(settings, monkeypatch, no_inline_work):
    """Has this process send its messages through the broker of a URL."""

    def use(url: str, **options: object) -> None:
        settings.CELERY_TASK_ALWAYS_EAGER = False
        settings.CELERY_BROKER_URL = url
        monkeypatch.setenv("CELERY_BROKER_URL", url)  # which Celery reads anew each time
        monkeypatch.setattr(current_app.amqp, "_producer_pool", None)
        monkeypatch.setitem(current_app.conf, "broker_transport_options", options)

    return use


@pytest.fixture
def broker(through, tmp_path) -> Path:
    """The embedded broker, in a file of the test's own."""
    file = tmp_path / "broker.sqlite3"
    through(f"sqla+sqlite:///{file}", pool_recycle=0)
    mend()
    return file


def test_all_is_tried(ready, broker):
    assert ready()[0] == 200, ready()
    assert WorkStatus.objects.filter(name="readyz").exists()


@pytest.mark.skipif(
    not os.environ["CELERY_BROKER_URL"].startswith("redis"), reason="the broker of this run is not Redis"
)
def test_redis_is_tried_and_keeps_nothing(ready, through):
    through(os.environ["CELERY_BROKER_URL"])
    for _ in range(2):
        assert ready()[0] == 200, ready()
    with current_app.connection_for_write() as connection:
        assert connection.default_channel.client.llen(PROBES) == 0


def test_a_broker_that_is_away_is_told(ready, through):
    through(f"redis://127.0.0.1:{free_port()}/0")
    status, told = ready()
    assert (status, told["broker"]) == (503, "no message gets through")


def test_answers_within_a_second_are_the_same_and_write_once(client, ready, unforgetting):
    assert ready()[0] == 200
    first = WorkStatus.objects.get(name="readyz").ran_at
    assert client.get("/readyz").status_code == 200
    assert WorkStatus.objects.get(name="readyz").ran_at == first


def damage_header(file: Path) -> None:
    file.write_bytes(JUNK)


def damage_pages(file: Path) -> None:
    content = file.read_bytes()
    file.write_bytes(content[:4096] + b"\xa5" * (len(content) - 4096))


def empty(file: Path) -> None:
    file.write_bytes(b"")


@pytest.mark.parametrize("damage", [damage_header, damage_pages, empty, Path.unlink])
def test_a_damaged_file_of_the_embedded_broker_is_replaced(ready, broker, damage):
    nudge("deployments")
    assert not mend(), "it is good"
    damage(broker)
    nudge("deployments")
    round_trip()
    damage(broker)
    assert ready()[0] == 200, ready()
    assert {file.name for file in broker.parent.iterdir()} <= {"broker.sqlite3", "broker.lock"}


@pytest.mark.django_db(transaction=True)
def test_work_continues_after_the_brokers_file_was_damaged(acme, tmp_path, no_inline_work):
    with processes(tmp_path) as running:
        file = tmp_path / "broker.sqlite3"
        running.environment |= {"CELERY_BROKER_URL": f"sqla+sqlite:///{file}", "STATUS_CHECK_SECONDS": "900"}
        running.start_worker()
        running.start_sweep()

        def check(mac: str) -> None:
            phone = Phone.objects.create(mac=mac, account=acme, phone_ip="127.0.0.1", web_port=free_port())
            running.until(lambda: Phone.objects.get(pk=phone.pk).looked_at)

        check("AABBCCDDEE01")
        file.write_bytes(JUNK)
        check("AABBCCDDEE02")


FULL = """
import os, sys, tempfile, django
from config.environment import prepare
prepare(); django.setup()
from config.health import _disk
print(_disk())
with open(os.environ["DATA_DIR"] + "/ballast", "wb") as ballast:
    try:
        while True: ballast.write(bytes(65536)); ballast.flush()
    except OSError: pass
print(_disk())
"""


def test_a_full_disk_is_told(tmp_path):
    """In a mount namespace of its own, where a small disk can be mounted."""
    script = f"mount -t tmpfs -o size=80m none {tmp_path} && exec {sys.executable} -c '{FULL}'"
    environment = os.environ | {"DATA_DIR": str(tmp_path), "DJANGO_SETTINGS_MODULE": "config.settings"}
    command = ["unshare", "--mount", "sh", "-c", script]
    done = subprocess.run(
        command, cwd=configured.BASE_DIR, env=environment, capture_output=True, text=True, timeout=300
    )
    if "not permitted" in done.stderr or "permission denied" in done.stderr.lower():
        pytest.skip("only root can mount a disk")
    assert done.stdout.splitlines() == ["ok", "No space left on device"], done.stderr


def test_a_data_folder_that_is_gone_is_told(ready, settings, tmp_path):
    settings.DATA_DIR = tmp_path / "gone"
    status, told = ready()
    assert (status, told["disk"]) == (503, "No such file or directory")


@pytest.mark.django_db(transaction=True)
def test_a_database_that_takes_no_writes_is_told(ready):
    read_only, again = {
        "sqlite": ("PRAGMA query_only = 1", "PRAGMA query_only = 0"),
        "postgresql": ("SET default_transaction_read_only = on", "SET default_transaction_read_only = off"),
    }[connection.vendor]
    with connection.cursor() as cursor:
        cursor.execute(read_only)
        try:
            status, told = ready()
        finally:
            cursor.execute(again)
    assert (status, told["database"]) == (503, "takes no writes")
