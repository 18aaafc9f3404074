"""check_servers, against servers that work and ports where nobody listens."""

import pytest

from phones_app.servers.models import CallManager, FileServer
from tests.commands import run
from tests.servers import free_port

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def dead_port():
    return free_port()


def test_working_server_passes_and_the_result_is_kept(site):
    ran = run("check_servers", "--json")

    assert (ran.status, ran.row["ok"], ran.row["name"]) == (0, True, "Embedded")
    site.file_server.refresh_from_db()
    assert site.file_server.tested_at is not None
    assert site.file_server.test_result == ""
    assert not list(site.folder.iterdir())


def test_dead_servers_fail_and_say_why(site, dead_port):
    FileServer.objects.create(name="Dead", host="127.0.0.1", port=dead_port)
    manager = CallManager.objects.create(name="Asterisk", kind="ami", host="127.0.0.1", port=dead_port)
    ran = run("check_servers", "--json")

    assert (ran.status, ran.err) == (1, "2 of 3 servers do not work.\n")
    assert {row["name"]: row["ok"] for row in ran.rows} == {"Embedded": True, "Dead": False, "Asterisk": False}
    manager.refresh_from_db()
    assert "refuses" in manager.test_result


def test_wrong_password_fails_without_being_printed(site):
    FileServer.objects.update(password="wrong-pw-1234")
    ran = run("check_servers")
    assert ran.status == 1
    assert "wrong-pw-1234" not in ran.out + ran.err


def test_account_has_its_own_and_the_shared_servers(site, acme, other, dead_port):
    for account in (acme, other):
        FileServer.objects.create(name=account.name, host="127.0.0.1", port=dead_port, account=account)
    ran = run("check_servers", "--account", acme.voip_id, "--json")
    assert {row["name"] for row in ran.rows} == {"Embedded", "Acme"}


def test_dry_run_speaks_to_nobody(site, dead_port):
    FileServer.objects.create(name="Dead", host="127.0.0.1", port=dead_port)
    ran = run("check_servers", "--dry-run", "--json")

    assert ran.status == 0
    assert [row["ok"] for row in ran.rows] == [None, None]
    assert not FileServer.objects.exclude(tested_at=None).exists()
