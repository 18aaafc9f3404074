"""A connection test tells a tenant whether the own server works, and of all others only that they do not."""

import socketserver
import threading
from contextlib import contextmanager

import pytest
from django.urls import reverse

from contacts_app.core.work.queue import run_queue
from phones_app.deployment.models import Deployment
from phones_app.inventory.models import Phone
from phones_app.servers.models import FileServer
from phones_app.servers.services import UNREACHABLE
from profiles_app.phone.services import create_profile
from tests.admin_people import at_desk, clerk
from tests.peers import ftp
from tests.phones_app.site import ACTOR, sip_file
from tests.servers import free_port

pytestmark = pytest.mark.django_db
BANNERS = [
    b"SSH-2.0-OpenSSH_9.6\r\n",
    b"220 mail.internal ESMTP Postfix\r\n502 5.5.2 Error\r\n",
    b"HTTP/1.1 400 Bad Request\r\nServer: secret/1\r\n\r\n",
    b"",
]


@contextmanager
def says(banner: bytes):
    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.sendall(banner)

    class Server(socketserver.ThreadingTCPServer):
        allow_reuse_address = daemon_threads = True

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


def tried(caller, path: str, port: int, **fields) -> tuple[dict, dict]:
    body = {"name": "N", "host": "127.0.0.1", "port": port, "username": "u", "password": "p"} | fields
    if path == "call-managers":
        body["kind"] = "ami"
    uuid = caller.post(path, body).json()["data"]["uuid"]
    return caller.post(f"{path}/{uuid}/test").json()["data"], caller.get(f"{path}/{uuid}").json()["data"]


@pytest.mark.parametrize("path", ["file-servers", "call-managers"])
def test_an_open_port_is_told_as_a_closed_one(api, path):
    told = [tried(api, path, free_port())]
    for banner in BANNERS:
        with says(banner) as port:
            told.append(tried(api, path, port))
    for result, row in told:
        assert result == {"ok": False, "message": UNREACHABLE, "request": "", "answer": ""}
        assert row["test_result"] == UNREACHABLE


def test_portal_staff_are_told_what_is_there(staff):
    with says(BANNERS[0]) as port:
        result, row = tried(staff, "file-servers", port)
    assert result["message"].startswith(f"Could not connect to 127.0.0.1:{port}")
    assert row["test_result"] == result["message"]


def test_a_wrong_password_is_told_from_no_server(api, tmp_path):
    with ftp.pyftpd(tmp_path) as server:
        wrong, _ = tried(api, "file-servers", server.port, username=server.username, password="wrong")
        own, _ = tried(api, "file-servers", server.port, username=server.username, password=server.password)
    assert wrong["message"] == "Reachable, but the log-in is refused."
    assert (wrong["request"], wrong["answer"]) == ("", "")
    assert own["ok"]
    assert "STOR" in own["request"]


def test_the_address_of_a_name_inside_is_not_told(api, settings):
    settings.PHONE_NETWORKS = ""
    result, _ = tried(api, "file-servers", 21, host="localhost")
    assert (
        result["message"] == "This address is neither public nor in one of the networks of the setting PHONE_NETWORKS."
    )


@pytest.mark.django_db(transaction=True)
def test_a_failed_deployment_tells_no_more_than_a_test(api, staff, root, acme, alice):
    profile = create_profile(actor=ACTOR, user=alice, name="Desk", content=sip_file().encode())
    at = {"account": acme, "host": "127.0.0.1", "username": "u", "password": "p"}
    with says(BANNERS[0]) as banner, says(BANNERS[3]) as silent:
        for number, port in enumerate((free_port(), banner, silent)):
            server = FileServer.objects.create(name=f"Server {number}", port=port, **at)
            Phone.objects.create(mac=f"02000000000{number}", account=acme, model="8845", file_server=server)
        macs = list(Phone.objects.values_list("mac", flat=True))
        api.post("deployments", {"profile_uuid": str(profile.uuid), "macs": macs})
        run_queue("deployments")
    desks = at_desk(root), at_desk(clerk(acme))
    for deployment in Deployment.objects.all():
        row = api.get(f"deployments/{deployment.uuid}").json()["data"]
        assert (row["state"], row["error_code"], row["error"]) == ("failed", "not-reachable", UNREACHABLE)
        [step] = row["steps"]
        assert (step["request"], step["answer"], step["detail"].get("for_staff")) == ("", "", None)
        [step] = staff.get(f"deployments/{deployment.uuid}").json()["data"]["steps"]
        assert "127.0.0.1" in step["detail"]["for_staff"]
        page = reverse("admin:phones_app_deployment_change", args=[deployment.pk])
        assert ["For staff" in desk.get(page).text for desk in desks] == [True, False]
