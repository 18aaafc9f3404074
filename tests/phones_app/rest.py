"""Clients of the REST API, and what a switch needs at its other ends: a file server and a phone."""

from contextlib import ExitStack

import pytest
from django.test import Client
from django.utils import timezone

from contacts_app.people.login import open_session
from contacts_app.tokens.services import create_token
from phones_app.boot.models import FileFetch
from phones_app.inventory.models import Phone
from phones_app.servers.models import FileServer, KeyMacro
from tests.peers import ftp
from tests.peers.phone_web import PhoneWebServer
from tests.peers.sip_udp import sip_phone
from tests.phones_app.site import sip_file

MAC = "AA:BB:CC:DD:EE:01"


class Api:
    """One caller of /api/v1, with a credential or without."""

    def __init__(self, token: str = "") -> None:
        self.client = Client(raise_request_exception=False)
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}

    def call(self, method: str, path: str, body=None, **headers):
        extra = {"headers": self.headers | headers}
        if body is not None:
            extra |= {"data": body, "content_type": "application/json"}
        return getattr(self.client, method)(f"/api/v1/{path}", **extra)

    def get(self, path: str, query=None):
        return self.client.get(f"/api/v1/{path}", query, headers=self.headers)

    def post(self, path: str, body=None):
        return self.call("post", path, {} if body is None else body)

    def put(self, path: str, body):
        return self.call("put", path, body)

    def patch(self, path: str, body):
        return self.call("patch", path, body)

    def delete(self, path: str):
        return self.call("delete", path)

    def create_profile(self, user, **fields) -> dict:
        body = {"user_uuid": str(user.uuid), "name": "Reception Desk", "cnf_xml": sip_file()} | fields
        response = self.post("phone-profiles", body)
        assert response.status_code == 201, response.content
        return response.json()["data"]

    def switch(self, profile: dict, mac: str = MAC):
        return self.post("phone-profiles/switch", {"profile_uuid": profile["uuid"], "mac": mac})


def of(user) -> Api:
    return Api(open_session(user, "127.0.0.1").access)


def of_token(**scope) -> Api:
    return Api(create_token(**scope)[1])


@pytest.fixture
def nobody():
    return Api()


@pytest.fixture
def api(alice):
    """Alice: level 0 in account `acme`."""
    return of(alice)


@pytest.fixture
def staff(root):
    return of(root)


@pytest.fixture
def stranger(charlie):
    """Charlie: level 0 in another account."""
    return of(charlie)


@pytest.fixture
def colleague(bob):
    """Bob: in Alice's account, not level 0."""
    return of(bob)


@pytest.fixture
def phone(acme):
    return Phone.objects.create(
        mac="AABBCCDDEE01", account=acme, model="8845", software_type="SIP", phone_ip="127.0.0.1", line_user="1001"
    )


SERVERS = [
    pytest.param((ftp.pyftpd, {}), id="pyftpdlib"),
    pytest.param((ftp.vsftpd, {}), id="vsftpd", marks=ftp.needs_vsftpd),
    pytest.param((ftp.proftpd, {"tls": True}), id="proftpd-ftps", marks=[ftp.needs_proftpd, ftp.needs_proftpd_tls]),
]


class SwitchSite:
    """A file server and a phone's own ends, with the rows that describe them."""

    def __init__(self, phone: Phone, server: ftp.Server, tls: bool, sip, web: PhoneWebServer) -> None:
        self.phone, self.server, self.sip, self.web = phone, server, sip, web
        self.row = FileServer.objects.create(
            name="Files",
            account=phone.account,
            host=server.host,
            port=server.port,
            is_default=True,
            username=server.username,
            password=server.password,
            protocol=FileServer.Protocol.FTPS if tls else FileServer.Protocol.FTP,
        )

    def file(self, name: str = "SEPAABBCCDDEE01.cnf.xml") -> bytes:
        return (self.server.root / name).read_bytes()

    def backups(self) -> list[bytes]:
        return [path.read_bytes() for path in self.server.root.glob("SEPAABBCCDDEE01.cnf.xml.*.bak")]


def _site(phone, tmp_path, kind, stack: ExitStack) -> SwitchSite:
    make, options = kind
    server = stack.enter_context(make(tmp_path) if make is ftp.pyftpd else make(**options))
    sip = stack.enter_context(sip_phone())
    web = stack.enter_context(PhoneWebServer().running())
    phone.sip_port, phone.web_port = sip.port, web.port
    phone.web_username, phone.web_password = web.account
    phone.save()
    # Its web server has no status pages; a fetch of its file shows that it is at its address.
    name = f"SEP{phone.mac}.cnf.xml"
    FileFetch.objects.create(
        mac=phone.mac, file_name=name, size=1, address=phone.phone_ip, protocol="tftp", fetched_at=timezone.now()
    )
    return SwitchSite(phone, server, bool(options.get("tls")), sip, web)


@pytest.fixture
def switch_site(phone, tmp_path):
    with ExitStack() as stack:
        yield _site(phone, tmp_path, (ftp.pyftpd, {}), stack)


@pytest.fixture(params=SERVERS)
def any_site(request, phone, tmp_path):
    """The same with each kind of file server."""
    with ExitStack() as stack:
        yield _site(phone, tmp_path, request.param, stack)


@pytest.fixture
def quick_keys(db):
    """A macro without the pauses that a real phone needs."""
    KeyMacro.objects.create(name="Quick", phone_models="*", priority=0, steps="Key:Settings\nKey:KeyPadStar")
