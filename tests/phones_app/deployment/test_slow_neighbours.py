"""Phones whose file servers drip: they cost the phones of other accounts, and on other servers, no time."""

import contextlib
import threading
from functools import partial

import pytest
from django.db import connection

from contacts_app.core.work.queue import run_queue
from phones_app.deployment.models import Deployment, State
from phones_app.deployment.request import DEPLOYMENTS, deploy, deploy_many
from phones_app.servers import services
from phones_app.servers.models import FileServer
from phones_app.transports.ftp.login import FtpTarget
from phones_app.transports.ftp.pool import PER_SERVER
from profiles_app.phone.services import create_profile
from tests.peers.ftp import pyftpd
from tests.peers.ftp_misbehaving import SlowMotion
from tests.phones_app.site import ACTOR, sip_file
from tests.servers import wait_for

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("no_inline_work")]
PHONES = 96
# Each upload to a dripping server holds a thread for so long, unless the server ends before.
DRIPPING_SECONDS = 300


class Dripping(SlowMotion):
    """One character in two seconds: nothing is over while the test lasts."""

    pause = 2.0


@pytest.fixture
def worker(settings, monkeypatch):
    settings.FTP_UPLOAD_SECONDS = DRIPPING_SECONDS
    # Nor is a single command given up before.
    monkeypatch.setattr(services, "FtpTarget", partial(FtpTarget, timeout=DRIPPING_SECONDS))
    stopping = threading.Event()

    def work():
        try:
            while not stopping.wait(0.05):
                run_queue(DEPLOYMENTS, stopping.is_set)
        finally:
            connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    yield thread
    stopping.set()
    thread.join()


@pytest.fixture
def dripping(site, tmp_path):
    """Make so many dripping servers, and share the phones of Acme among them: `dripping(servers)`."""
    with contextlib.ExitStack() as stack:

        def make(number: int) -> None:
            servers = []
            for index in range(number):
                folder = tmp_path / f"dripping-{index}"
                folder.mkdir()
                running = stack.enter_context(pyftpd(folder, handler=Dripping))
                servers.append(
                    FileServer.objects.create(
                        account=site.account,
                        name=f"Dripping {index}",
                        host=running.host,
                        port=running.port,
                        username=running.username,
                        password=running.password,
                    )
                )
            phones = [site.phone(file_server=servers[index % number]) for index in range(PHONES)]
            deploy_many(phones=phones, profile=site.profile(content=sip_file("1002")), actor=ACTOR)

        yield make


def waited_for_nobody(deployment: Deployment) -> bool:
    """Whether its file was uploaded before any of those that are held now was given up."""
    before = held() - {deployment.pk}

    def is_uploaded() -> bool:
        deployment.refresh_from_db()
        return deployment.uploaded_at is not None

    wait_for(is_uploaded)
    return before <= held()


def held() -> set[int]:
    return set(Deployment.objects.filter(state=State.UPLOADING).values_list("pk", flat=True))


def test_another_account_does_not_wait_for_threads_that_wait_for_servers(
    site, other, charlie, worker, dripping, settings
):
    """Every thread that is for all is held by one account when another account asks."""
    dripping(settings.DEPLOYMENT_THREADS)
    wait_for(lambda: len(held()) == settings.DEPLOYMENT_THREADS)
    phone = site.phone()
    phone.account = other
    phone.save()
    profile = create_profile(actor=ACTOR, user=charlie, name="Desk", content=sip_file("1003").encode())
    assert waited_for_nobody(deploy(phone=phone, profile=profile, actor=ACTOR))


def test_one_server_holds_few_threads_and_the_account_s_other_servers_do_not_wait(site, worker, dripping):
    dripping(1)
    wait_for(lambda: len(held()) == PER_SERVER)
    quick = deploy(phone=site.phone(), profile=site.profile(content=sip_file("1003")), actor=ACTOR)
    assert waited_for_nobody(quick)
    assert len(held()) <= PER_SERVER
