"""A worker that is stopped for longer than its lease, and goes on, puts no older file over a newer one.

It is stopped in many uploads at once, in each at another command, once before the server does it and once after; and in
many deployments at once, in each before or after another step. In the meantime another worker takes all of them over and
uploads newer files.
"""

import contextlib
import json
import signal
import sqlite3
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from contacts_app.core.work.queue import run_queue
from phones_app.deployment import steps
from phones_app.deployment.models import Deployment, PhoneFile
from phones_app.deployment.request import request_of
from phones_app.deployment.transitions import queued
from phones_app.servers.models import FileServer
from phones_app.transports.ftp.login import FtpTarget
from phones_app.transports.ftp.session import FtpSession
from profiles_app.phone import sep
from tests.peers.ftp_held import PASSWORD, USER, Hold, held_servers
from tests.phones_app.deployment.held_worker import PLACES
from tests.phones_app.site import ACTOR, sip_file
from tests.processes import processes
from tests.servers import wait_for

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("no_inline_work")]
FIRST, OLDER, NEWER = (sip_file(line) for line in ("1001", "1002", "1003"))


def commands_of_an_upload(tmp_path) -> list[str]:
    """What the server hears of one that replaces a file and keeps a backup."""
    hold = Hold(at=None)
    (tmp_path / "probe").mkdir()
    with held_servers(tmp_path / "probe", [hold]):
        (tmp_path / "probe" / "0" / "a.xml").write_text(FIRST)
        with FtpSession(FtpTarget("127.0.0.1", hold.port, USER, PASSWORD)) as session:
            session.upload("a.xml", OLDER.encode())
    return hold.commands[: hold.commands.index("NLST")]


@pytest.fixture
def phones(site, tmp_path):
    """Two for each command of an upload, each with a server of its own that holds its first connection there."""
    commands = commands_of_an_upload(tmp_path)
    assert commands.count("RNTO") == 2, "of the backup, and of the file"
    holds = [Hold(at, answer_only=after) for at in range(len(commands)) for after in (False, True)]
    (tmp_path / "held").mkdir()
    with held_servers(tmp_path / "held", holds):
        phones = []
        for number, hold in enumerate(holds):
            server = FileServer.objects.create(
                name=f"held at {commands[hold.at]}", host="127.0.0.1", port=hold.port, username=USER, password=PASSWORD
            )
            phone = site.phone(file_server=server, next_check_at=timezone.now() + timedelta(days=1))
            phone.hold, phone.path = hold, tmp_path / "held" / str(number) / sep.file_name(phone.mac)
            phone.path.write_text(FIRST)
            phones.append(phone)
        yield phones


@pytest.fixture
def running(tmp_path):
    (tmp_path / "processes").mkdir()
    with processes(tmp_path / "processes") as running:
        yield running


def upload(phones, profile, kind=Deployment.Kind.UPLOAD, **fields) -> None:
    rows = [request_of(phone, ACTOR, profile, profile.revision, kind) for phone in phones]
    for row in rows:
        row.in_batch = fields.get("in_batch", False)
    queued(rows, phones=[phone.pk for phone in phones])


def stop(process, broker: str) -> None:
    """SIGSTOP; but not in the middle of a transaction of SQLite's, in which it would stop everybody."""
    files = [connection.settings_dict["NAME"]] if connection.vendor == "sqlite" else []
    files += [broker.partition("///")[2]] if "sqlite" in broker else []

    def is_stopped_well() -> bool:
        process.send_signal(signal.SIGSTOP)
        for file in files:
            try:
                with contextlib.closing(sqlite3.connect(file, timeout=0.5, isolation_level=None)) as other:
                    other.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                process.send_signal(signal.SIGCONT)
                return False
        return True

    wait_for(is_stopped_well)


def all_over() -> bool:
    return not Deployment.objects.filter(finished_at=None).exists()


@pytest.mark.parametrize("in_batch", [False, True], ids=["alone", "in a batch"])
def test_no_older_file_takes_the_place_of_a_newer_one(site, phones, running, in_batch):
    running.environment |= {"DEPLOYMENT_THREADS": str(len(phones))}
    # What is uploaded in batches is restarted afterwards; nothing answers there, so that the deployment fails then.
    kind = Deployment.Kind.DEPLOY if in_batch else Deployment.Kind.UPLOAD
    upload(phones, site.profile(content=OLDER), kind, in_batch=in_batch)
    running.start_sweep()
    running.start_worker("stopped")
    for phone in phones:
        assert phone.hold.reached.wait(300), phone.file_server.name
    running.start_worker("other")
    stopped = running.running["stopped"]
    stop(stopped, running.environment["CELERY_BROKER_URL"])
    try:
        wait_for(all_over, 300)
        upload(phones, site.profile(content=NEWER))
        wait_for(all_over, 300)
        assert {phone.path.read_text() for phone in phones} == {NEWER}
    finally:
        stopped.send_signal(signal.SIGCONT)
        for phone in phones:
            phone.hold.released.set()
    # It ends when it is through with what it was doing.
    stopped.send_signal(signal.SIGTERM)
    stopped.wait(180)
    for phone in phones:
        assert phone.path.read_text() == NEWER, phone.file_server.name
        # What a server stores for a client that has given up meanwhile is deleted by the next upload.
        assert not (phone.hold.answer_only and list(phone.path.parent.glob(".*"))), phone.file_server.name


def finish_all() -> None:
    def is_over() -> bool:
        run_queue("deployments")
        return all_over()

    wait_for(is_over, 300)


def test_a_worker_stopped_at_any_step_changes_nothing_when_it_goes_on(site, running, tmp_path, monkeypatch):
    monkeypatch.setattr(steps, "DOUBT_SECONDS", 1)
    held = tmp_path / "held"
    held.mkdir()
    phones = [site.phone(next_check_at=timezone.now() + timedelta(days=1)) for _ in PLACES]
    (held / "places.json").write_text(
        json.dumps({phone.mac: place for phone, place in zip(phones, PLACES, strict=True)})
    )
    running.environment["DEPLOYMENT_THREADS"] = str(len(phones))
    with site.alive(*phones) as fleet:
        upload(phones, site.profile("Older", OLDER), Deployment.Kind.DEPLOY)
        stopped = running.start("stopped", "-m", "tests.phones_app.deployment.held_worker", str(held))
        wait_for((held / "held").exists, 300)
        stop(stopped, running.environment["CELERY_BROKER_URL"])
        try:
            finish_all()
            newer = site.profile("Newer", NEWER)
            upload(phones, newer, Deployment.Kind.DEPLOY)
            finish_all()
            # A fetch confirms before the phone has read what it fetched.
            assert fleet.wait_until(lambda: all(fleet[phone.mac].line_users == ("1003",) for phone in phones))
            before = told(phones, fleet)
            assert {state for state, *_ in before.values()} == {"confirmed"}
        finally:
            (held / "go").touch()
            stopped.send_signal(signal.SIGCONT)
        stopped.wait(180)
        assert {site.file_of(phone) for phone in phones} == {newer.content}
        # Neither state nor restart is anything that it has changed; each phone was restarted once by each deployment.
        assert told(phones, fleet) == before
        assert {restarts for _, _, restarts in before.values()} == {2}


def told(phones, fleet) -> dict[str, tuple[str, str, int]]:
    """Of each phone: its last deployment's state and the line it has, and how often it was restarted."""
    states = dict(Deployment.objects.order_by("created_at").values_list("mac", "state"))
    return {phone.mac: (states[phone.mac], *fleet[phone.mac].line_users, fleet[phone.mac].restarts) for phone in phones}


def test_an_older_file_that_got_through_is_repaired(site, finish):
    """The last resort: what a stopped worker does in the moment after its question is found and put right."""
    phone = site.phone()
    older, newer = site.profile("Older", OLDER), site.profile("Newer", NEWER)
    for profile in (older, newer):
        upload([phone], profile)
        run_queue("deployments")
    assert PhoneFile.objects.filter(reread_at=None).count() == 1, "no worker was lost"
    (site.folder / sep.file_name(phone.mac)).write_bytes(older.content)
    PhoneFile.objects.update(reread_at=timezone.now())
    assert run_queue("drift-checks") == 1
    assert all_over() is False
    run_queue("deployments")
    assert site.file_of(phone) == newer.content
    assert Deployment.objects.first().reason
    PhoneFile.objects.update(reread_at=timezone.now())
    run_queue("drift-checks")
    assert PhoneFile.objects.get().reread_at is None
    assert Deployment.objects.count() == 3


def test_what_somebody_else_put_there_is_only_reported(site):
    phone = site.phone()
    upload([phone], site.profile(content=NEWER))
    run_queue("deployments")
    (site.folder / sep.file_name(phone.mac)).write_text(sip_file("4711"))
    PhoneFile.objects.update(reread_at=timezone.now())
    run_queue("drift-checks")
    file = PhoneFile.objects.get()
    assert (file.state, file.reread_at) == ("changed", None)
    assert Deployment.objects.count() == 1
