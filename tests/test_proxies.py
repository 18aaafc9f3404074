"""Behind a proxy: whose request it is, for tokens, log-ins and phones' pages. A real web server behind a real relay."""

import contextlib
import http.client
import json
from collections.abc import Iterator

import pytest
from axes.models import AccessAttempt
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.core.checks import run_checks
from django.test import Client

from config.proxies import client_of
from contacts_app.people.models import User
from contacts_app.tokens.services import create_token
from phones_app.inventory.models import Phone
from tests.peers.relay import Relay
from tests.processes import processes

# Addresses of this machine that play the others.
PROXY, ALICE, STRANGER, OTHER_PROXY = "127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.9"


class Browser:
    """Asks from an address, through a relay or the web server itself."""

    def __init__(self, host: str, port: int, address: str) -> None:
        self.host, self.port, self.address = host, port, address

    def ask(self, path: str, body: object = None, **headers: str) -> tuple[int, str]:
        connection = http.client.HTTPConnection(self.host, self.port, 60, source_address=(self.address, 0))
        named = {"Host": "localhost"} | {name.replace("_", "-"): value for name, value in headers.items()}
        with contextlib.closing(connection):
            if body is None:
                connection.request("GET", path, headers=named)
            else:
                named["Content-Type"] = "application/json"
                connection.request("POST", path, json.dumps(body), headers=named)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()


@pytest.fixture
def web(transactional_db, tmp_path) -> Iterator[int]:
    """The port of a web server that trusts one proxy."""
    with processes(tmp_path) as running:
        running.environment |= {"TRUSTED_PROXIES": PROXY, "PHONE_NETWORKS": "127.0.0.0/8", "LOGIN_FAILURE_LIMIT": "3"}
        yield int(running.start_web().rpartition(":")[2])


@contextlib.contextmanager
def through(port: int, address: str = PROXY, says: str = "append") -> Iterator[Relay]:
    with Relay(port, address, says).running() as relay:
        yield relay


def test_a_client_behind_a_proxy_is_known_by_its_own_address(web, acme, alice):
    token = f"Bearer {create_token(account=acme, networks=ALICE)[1]}"
    phone = Phone.objects.create(mac="AABBCCDDEE01", account=acme, phone_ip=ALICE)
    # The web server knows none of the quick hashes of tests.
    alice.password = PBKDF2PasswordHasher().encode("correct horse", "salt", iterations=1)
    alice.save()
    login = {"username": alice.email, "password": "correct horse"}
    page = f"/cisco/services/dir?mac={phone.mac}"

    for says in ("append", "line"):
        with through(web, says=says) as relay:
            hers, theirs = (Browser(PROXY, relay.port, address) for address in (ALICE, STRANGER))
            # The networks of tokens; what the client itself says of where it comes from counts for nothing.
            assert hers.ask("/api/v1/phones", Authorization=token)[0] == 200, says
            assert theirs.ask("/api/v1/phones", Authorization=token)[0] == 401, says
            assert theirs.ask("/api/v1/phones", Authorization=token, X_Forwarded_For=ALICE)[0] == 401, says
            # Phones' pages.
            assert hers.ask(page)[0] == 200, says

    with through(web) as relay:
        hers, theirs = (Browser(PROXY, relay.port, address) for address in (ALICE, STRANGER))
        # A name is locked at the address from which it was guessed, and nowhere else.
        for _ in range(4):
            status, _ = theirs.ask("/api/v1/auth/login", login | {"password": "wrong"}, X_Forwarded_For=ALICE)
        assert status == 429
        assert theirs.ask("/api/v1/auth/login", login)[0] == 429
        assert hers.ask("/api/v1/auth/login", login)[0] == 200
        assert set(AccessAttempt.objects.values_list("ip_address", flat=True)) == {STRANGER}
        assert User.objects.get(pk=alice.pk).last_login_ip == ALICE

    # Proxies that are not trusted, or say nothing: then the phone is not known.
    for address, says in ((OTHER_PROXY, "append"), (OTHER_PROXY, "line"), (PROXY, "nothing")):
        with through(web, address, says) as relay:
            refused = Browser(address, relay.port, ALICE).ask(page)
            assert refused == (403, "Forbidden: unknown proxy"), (address, says)
    assert Browser("127.0.0.1", web, ALICE).ask("/api/v1/phones", Authorization=token)[0] == 200
    assert (
        Browser("127.0.0.1", web, STRANGER).ask("/api/v1/phones", Authorization=token, X_Forwarded_For=ALICE)[0] == 401
    )


TRUSTED = "10.0.0.0/24, 2001:db8::/64"


@pytest.mark.parametrize(
    ("peer", "forwarded", "address", "is_known"),
    [
        ("192.0.2.1", "", "192.0.2.1", True),
        ("192.0.2.1", "198.51.100.7", "192.0.2.1", True),
        ("10.0.0.1", "", "10.0.0.1", False),
        ("10.0.0.1", "198.51.100.7", "198.51.100.7", True),
        ("10.0.0.1", "203.0.113.5, 198.51.100.7", "198.51.100.7", True),
        ("10.0.0.1", "203.0.113.5, 198.51.100.7, 10.0.0.2", "198.51.100.7", True),
        ("10.0.0.1", "198.51.100.7:5060", "198.51.100.7", True),
        ("10.0.0.1", "[2001:db8:1::7]:443", "2001:db8:1::7", True),
        ("2001:db8::1", "2001:DB8:1::7", "2001:db8:1::7", True),
        ("::ffff:10.0.0.1", "::ffff:198.51.100.7", "198.51.100.7", True),
        ("10.0.0.1", "198.51.100.7, unknown", "10.0.0.1", False),
        ("10.0.0.1", "198.51.100.7, unknown, 10.0.0.2", "10.0.0.2", False),
        ("10.0.0.1", "10.0.0.9", "10.0.0.9", True),
        ("10.0.0.1", ",", "10.0.0.1", False),
        ("", "198.51.100.7", "", True),
    ],
)
def test_the_list_is_believed_from_its_end_as_far_as_proxies_are_trusted(peer, forwarded, address, is_known):
    assert client_of(peer, forwarded, TRUSTED)[:2] == (address, is_known)


@pytest.mark.django_db
def test_a_proxy_says_whether_a_request_came_encrypted_only_if_it_is_trusted(settings):
    settings.TRUSTED_PROXIES, settings.SECURE_SSL_REDIRECT = PROXY, True
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    said = {"X-Forwarded-Proto": "https", "X-Forwarded-For": ALICE}
    assert Client(REMOTE_ADDR=PROXY, headers=said).get("/healthz").status_code == 200
    assert Client(REMOTE_ADDR=STRANGER, headers=said).get("/healthz").status_code == 301


UNSAFE = [
    ({"TRUSTED_PROXIES": "0.0.0.0/0"}, "patchbay.E101"),
    ({"TRUSTED_PROXIES": "10.0.0.1, ::/0"}, "patchbay.E101"),
    ({"TRUST_PROXY": True}, "patchbay.W102"),
    ({"HTTPS": True}, "patchbay.W103"),
    ({"METRICS_TOKEN": "short"}, "patchbay.W104"),
    ({"FILE_SERVER_FTP_HOST": "0.0.0.0"}, "patchbay.W105"),
]


def told(*, deploy: bool) -> set[str | None]:
    return {message.id for message in run_checks(tags=["security"], include_deployment_checks=deploy)}


@pytest.mark.parametrize(("changes", "name"), UNSAFE)
def test_check_deploy_tells_what_is_unsafe(settings, changes, name):
    assert name not in told(deploy=True)
    for setting, value in changes.items():
        setattr(settings, setting, value)
    assert name in told(deploy=True)


def test_check_tells_a_proxy_that_is_no_network(settings):
    assert "patchbay.E100" not in told(deploy=False)
    settings.TRUSTED_PROXIES = "proxy.example.org"
    assert "patchbay.E100" in told(deploy=False)
