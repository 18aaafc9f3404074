"""kill -9 at every step: after a restart of the process the deployment finishes, once, and no half file is ever seen.

The peers hold a step open: an FTP server that falls silent at one command, a phone whose status page or NOTIFY is never
answered. While it hangs there the worker is killed; then the peer works again and another worker is started.
"""

import contextlib
import http.server
import json
import threading
import urllib.request
from datetime import timedelta

import pytest
from django.utils import timezone
from pyftpdlib.handlers import FTPHandler

from contacts_app.tokens.services import create_token
from phones_app.boot.fetches import Fetch
from phones_app.boot.recording import record_fetch
from phones_app.deployment.models import Deployment, State
from phones_app.deployment.request import deploy
from phones_app.servers.models import FileServer
from tests.peers.ftp import pyftpd
from tests.peers.sip_udp import sip_phone
from tests.phones_app.site import ACTOR, sip_file
from tests.processes import processes
from tests.servers import free_port, wait_for

pytestmark = pytest.mark.django_db(transaction=True)
OLD, NEW = sip_file("1001").encode(), sip_file("1002").encode()


class Holding:
    """An FTP handler that falls silent at one command: before doing it or, with `after`, when it is done."""

    def __init__(self) -> None:
        held = self
        self.at("")

        class Handler(FTPHandler):
            def pre_process_command(self, line, cmd, arg):
                if cmd == held.command and not held.after:
                    held.reached.set()
                    return
                super().pre_process_command(line, cmd, arg)

            def ftp_RNTO(self, path):
                done = super().ftp_RNTO(path)
                if held.command == "RNTO" and held.after:
                    held.reached.set()
                return done

            def respond(self, resp, *arguments, **options):
                if not (held.after and held.reached.is_set()):
                    super().respond(resp, *arguments, **options)

        self.handler = Handler

    def at(self, command: str, *, after: bool = False) -> None:
        self.reached = threading.Event()
        self.command, self.after = command, after

    def release(self) -> None:
        self.at("")


@pytest.fixture
def running(tmp_path, db, no_inline_work):
    (tmp_path / "processes").mkdir()
    with processes(tmp_path / "processes") as running:
        yield running


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "files"
    folder.mkdir()
    return folder


@pytest.fixture
def desk(site, folder):
    """A phone row with a file on the server; its agent and its server are the test's."""
    # The periodic look at its status page would be taken for the deployment's.
    phone = site.phone(web_port=free_port(), next_check_at=timezone.now() + timedelta(days=1))
    (folder / f"SEP{phone.mac}.cnf.xml").write_bytes(OLD)
    return phone


def use(server) -> None:
    FileServer.objects.update(
        host=server.host, port=server.port, username=server.username, password=server.password, is_embedded=False
    )


def reached(deployment, *states) -> bool:
    deployment.refresh_from_db()
    assert deployment.state != State.FAILED, deployment.error
    return deployment.state in states


def fetch(phone) -> None:
    """The embedded file server says that the phone took the new file."""
    fetched = Fetch(f"SEP{phone.mac}.cnf.xml", "127.0.0.1", "http", complete=True)
    fetched.sent(NEW)
    record_fetch(fetched)


class StatusPage:
    """The phone's, which answers nobody until it is let go, and then that there is none."""

    def __init__(self) -> None:
        self.asked, self.released = asked, released = threading.Event(), threading.Event()

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                asked.set()
                released.wait(180)
                self.send_error(404)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]

    @contextlib.contextmanager
    def running(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        yield self
        self.released.set()
        self.server.shutdown()


def test_one_worker_after_the_other_is_killed_a_little_later_than_the_one_before(site, folder, desk, running):
    """Until the file has its name, while the phone is looked at, before it has answered, while it is waited for."""
    profile, hold = site.profile(content=NEW.decode()), Holding()
    name = f"SEP{desk.mac}.cnf.xml"
    with pyftpd(folder, handler=hold.handler) as server, sip_phone(0) as agent, StatusPage().running() as page:
        use(server)
        desk.sip_port, desk.web_port = agent.port, page.port
        desk.save()
        running.start_sweep()
        deployment = deploy(phone=desk, profile=profile, actor=ACTOR)
        for command in ("USER", "SIZE", "STOR", "RNFR", "RNTO"):
            hold.at(command)
            running.start_worker()
            assert hold.reached.wait(180)
            running.kill("worker")
            assert (folder / name).read_bytes() in (OLD, NEW)
        hold.release()
        running.start_worker()
        assert page.asked.wait(180)
        running.kill("worker")
        deployment.refresh_from_db()
        assert deployment.state == State.SESSION_CLEARED
        assert agent.notifies == []
        page.released.set()
        running.start_worker()
        assert agent.arrived.wait(180)
        running.kill("worker")
        deployment.refresh_from_db()
        assert deployment.state == State.RESTARTING
        heard = agent.heard()
        agent.status = 200
        running.start_worker()
        wait_for(lambda: reached(deployment, State.RESTART_ACKNOWLEDGED))
        # The phone had not acted, and gets the same transaction once more.
        assert len(agent.notifies) > heard
        running.kill("worker")
        fetch(desk)
        running.start_worker()
        wait_for(lambda: reached(deployment, State.CONFIRMED))
        assert (folder / name).read_bytes() == NEW
        assert not list(folder.glob(".*part*")), "a temporary file was left behind"
        assert len(agent.transactions) == 1
    assert deployment.steps.count() == 4


def test_workers_killed_before_they_began_and_when_something_was_done_that_they_were_not_told(
    site, folder, desk, running
):
    """The nudge is lost with a worker, the row is not; a file is renamed, the phone has acted, no answer came."""
    hold, file = Holding(), folder / f"SEP{desk.mac}.cnf.xml"
    with pyftpd(folder, handler=hold.handler) as server, sip_phone(status=0) as agent:
        use(server)
        desk.sip_port = agent.port
        desk.save()
        running.start_worker()
        running.kill("worker")
        deployment = deploy(phone=desk, profile=site.profile(content=NEW.decode()), actor=ACTOR)
        Deployment.objects.filter(pk=deployment.pk).update(
            state=State.QUEUED, lease_owner="dead", lease_until=timezone.now() + timedelta(seconds=1)
        )
        hold.at("RNTO", after=True)
        running.start_sweep()
        running.start_worker()
        assert hold.reached.wait(180)
        running.kill("worker")
        assert file.read_bytes() in (OLD, NEW)
        hold.release()
        running.start_worker()
        assert agent.arrived.wait(180)
        running.kill("worker")
        deployment.refresh_from_db()
        assert deployment.state == State.RESTARTING
        heard = agent.heard()
        agent.status = 200
        fetch(desk)
        running.start_worker()
        wait_for(lambda: reached(deployment, State.RESTART_ACKNOWLEDGED, State.CONFIRMED))
        assert len(agent.transactions) == 1
        assert len(agent.notifies) == heard, "a phone that acted is not restarted again"
    assert file.read_bytes() == NEW
    assert not list(folder.glob(".*part*"))


def test_a_web_process_killed_in_the_middle_of_a_switch(site, folder, desk, running):
    """The client gets no answer, and the work continues."""
    _, token = create_token(account=site.account)
    hold = Holding()
    hold.at("STOR")
    with pyftpd(folder, handler=hold.handler) as server, sip_phone() as agent:
        use(server)
        desk.sip_port = agent.port
        desk.save()
        profile = site.profile(content=NEW.decode())
        url = running.start_web()
        running.start_worker()
        running.start_sweep()
        request = urllib.request.Request(
            f"{url}/api/v1/phone-profiles/switch",
            data=json.dumps({"profile_uuid": str(profile.uuid), "mac": desk.mac}).encode(),
            headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
        )
        unanswered = threading.Event()

        def ask() -> None:
            try:
                urllib.request.urlopen(request, timeout=120)
            except OSError:
                unanswered.set()

        asking = threading.Thread(target=ask)
        asking.start()
        assert hold.reached.wait(180)
        running.kill("web")
        running.kill("worker")
        asking.join(180)
        assert unanswered.is_set()
        hold.release()
        running.start_worker()
        deployment = Deployment.objects.get()
        wait_for(lambda: reached(deployment, State.RESTART_ACKNOWLEDGED))
        assert (folder / f"SEP{desk.mac}.cnf.xml").read_bytes() == NEW
        assert len(agent.transactions) == 1
