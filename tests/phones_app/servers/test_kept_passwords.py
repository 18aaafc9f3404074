"""A stored password goes to the server and the account that it was typed for, and nowhere else."""

import pytest
from django.urls import reverse

from phones_app.servers.models import CallManager, FileServer
from tests.peers import ftp
from tests.phones_app.servers.admin.test_server import server_form

pytestmark = pytest.mark.django_db
PASSWORD = "ftp-Pa55"
CHANGES = [{"host": "127.0.0.2"}, {"port": 2222}, {"username": "somebody"}]


@pytest.fixture(params=["file-servers", "call-managers"])
def kept(request, acme):
    """A server with its password, and its path in REST."""
    if request.param == "file-servers":
        row = FileServer.objects.create(
            account=acme, name="Files", host="127.0.0.1", port=21, username="u", password=PASSWORD
        )
    else:
        row = CallManager.objects.create(
            account=acme, name="PBX", kind="ami", host="127.0.0.1", port=5038, username="u", password=PASSWORD
        )
    return row, f"{request.param}/{row.uuid}"


def form_of(row, **fields) -> dict[str, object]:
    if isinstance(row, FileServer):
        return server_form(account=row.account_id, username="u", port=row.port) | fields
    return {
        "name": "PBX", "account": row.account_id, "kind": "ami", "host": row.host, "port": row.port, "username": "u",
        "transport": "udp", "channel": "pjsip", "action": "restart", "stamps": row.stamps,
    } | fields  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_over_rest_another_place_needs_the_password_again(api, kept, change):
    row, path = kept
    for method in ("put", "patch"):
        refused = api.call(method, path, change)
        assert refused.status_code == 400, refused.content
        assert [error["field"] for error in refused.json()["errors"]] == ["password"]
    row.refresh_from_db()
    assert (row.host, row.username) == ("127.0.0.1", "u")
    assert api.patch(path, change | {"password": "another"}).status_code == 200
    row.refresh_from_db()
    assert row.password == "another"
    assert api.patch(path, {"host": "127.0.0.9", "password": ""}).status_code == 200
    assert api.patch(path, {"host": "127.0.0.8"}).status_code == 200, "there is none to be told"


def test_what_stays_where_it_is_keeps_its_password(api, kept):
    row, path = kept
    body = {"name": "Renamed", "host": row.host, "port": row.port, "username": row.username}
    assert api.patch(path, body).status_code == 200
    row.refresh_from_db()
    assert (row.name, row.password) == ("Renamed", PASSWORD)


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("button", ["_save", "save_and_test"])
def test_in_the_admin_too_and_nothing_is_tried(clerk_desk, kept, change, button):
    row, _ = kept
    name = f"phones_app_{row._meta.model_name}"
    url, pressed = reverse(f"admin:{name}_change", args=[row.pk]), {button.replace("save_and", f"{name}_save_and"): "1"}
    refused = clerk_desk.post(url, form_of(row, **change) | pressed)
    assert "new_secret" in refused.context["adminform"].form.errors
    row.refresh_from_db()
    assert (row.host, row.username, row.tested_at) == ("127.0.0.1", "u", None)
    assert clerk_desk.post(url, form_of(row, **change, new_secret="another")).status_code == 302
    assert clerk_desk.post(url, form_of(row, host="127.0.0.9", forget_secret="on")).status_code == 302
    row.refresh_from_db()
    assert (row.host, row.password) == ("127.0.0.9", "")


def test_another_server_never_hears_it(api, kept, tmp_path):
    """The whole way: whoever changes the address and tests it learns nothing."""
    row, path = kept
    with ftp.pyftpd(tmp_path) as server:
        api.patch(path, {"host": server.host, "port": server.port})
        api.post(f"{path}/test")
        row.refresh_from_db()
        assert row.port != server.port
