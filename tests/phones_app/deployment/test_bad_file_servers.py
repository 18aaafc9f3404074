"""File servers that die, hang, fill up, refuse or crawl: a clear failed step in time, the old file intact, no restart."""

import time

import pytest

from phones_app.deployment.models import State, StepState
from phones_app.deployment.request import deploy
from phones_app.servers.models import FileServer
from tests.peers.ftp import pyftpd
from tests.peers.ftp_misbehaving import FullDisk, SlowMotion, answers, hangs_up, misbehaving, silent
from tests.peers.sip_udp import sip_phone
from tests.phones_app.site import ACTOR, sip_file

pytestmark = pytest.mark.django_db(transaction=True)

SERVERS = {
    "dies": (misbehaving(STOR=hangs_up), "disconnected"),
    "hangs": (misbehaving(STOR=silent), "timeout"),
    "disk full": (misbehaving(STOR=answers("452 Insufficient storage.")), "disk-full"),
    "disk full in the middle": (FullDisk, "data-connection"),
    "refuses the rename": (misbehaving(RNTO=answers("550 Permission denied.")), "rename"),
    "slow motion": (SlowMotion, "timeout"),
}


@pytest.mark.parametrize(("handler", "code"), SERVERS.values(), ids=SERVERS.keys())
def test_the_upload_fails_in_time_and_nothing_else_happens(site, finish, settings, tmp_path, handler, code):
    settings.FTP_UPLOAD_SECONDS = 3
    phone, folder = site.phone(), tmp_path / "server"
    folder.mkdir()
    old = folder / f"SEP{phone.mac}.cnf.xml"
    old.write_text(sip_file("1001"))
    with pyftpd(folder, handler=handler) as server, sip_phone() as agent:
        FileServer.objects.update(
            host=server.host, port=server.port, username=server.username, password=server.password
        )
        phone.sip_port = agent.port
        phone.save()
        started = time.monotonic()
        deployment = finish(deploy(phone=phone, profile=site.profile(content=sip_file("1002")), actor=ACTOR))
        assert time.monotonic() - started < 45
        assert agent.notifies == []
    assert (deployment.state, deployment.error_code) == (State.FAILED, code)
    [upload] = deployment.steps.all()
    assert (upload.kind, upload.state) == ("upload", StepState.FAILED)
    assert upload.request.startswith("USER")
    assert server.password not in upload.request + upload.answer + deployment.error
    assert old.read_text() == sip_file("1001")
