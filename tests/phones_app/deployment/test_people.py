"""A deployment that fails is a mail in somebody's mailbox, and so is the one that succeeds after all."""

import pytest

from phones_app.deployment.request import deploy
from phones_app.servers.models import FileServer
from tests.contacts_app.contacts.mail.conftest import mail_server, pass_time
from tests.peers.mail import text_of
from tests.phones_app.site import ACTOR, sip_file
from tests.servers import free_port

__all__ = ["mail_server", "pass_time"]

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_office_hears_of_a_failed_deployment_and_of_the_end_of_it(site, other, finish, mail_server, pass_time):
    phone, profile = site.phone(name="Reception"), site.profile(content=sip_file("1002"))
    with site.alive(phone):
        FileServer.objects.update(port=free_port(), is_embedded=False)
        for _ in range(2):
            finish(deploy(phone=phone, profile=profile, actor=ACTOR))
            pass_time(minutes=5)
        FileServer.objects.update(port=site.files.ftp_port, is_embedded=True)
        finish(deploy(phone=phone, profile=profile, actor=ACTOR))
        pass_time(minutes=5)
    who = f"Reception ({phone.mac_with_colons})"
    assert [message["Subject"] for message in mail_server.to("office@acme.example")] == [
        f"{who}: the deployment failed",
        f"{who}: deployed after all",
    ]
    assert len(mail_server.messages) == 2
    assert "refuse" in text_of(mail_server.messages[0])
    assert "very-secret" not in "".join(message.as_string() for message in mail_server.messages)
