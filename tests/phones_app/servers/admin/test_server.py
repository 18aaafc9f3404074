"""File servers, call managers and key macros: stored, tested, and one default at a time."""

import pytest
from django.contrib.messages import get_messages
from django.urls import reverse
from django.utils import timezone

from phones_app.boot.server import EmbeddedFileServer
from phones_app.servers.models import CallManager, FileServer, KeyMacro

pytestmark = pytest.mark.django_db


def server_form(**fields: object) -> dict[str, object]:
    needed = {"name": "Files", "protocol": "ftp", "host": "127.0.0.1", "port": 21, "keep_backups": 3}
    return needed | {"passive": "on"} | fields


@pytest.fixture
def files(tmp_path):
    with EmbeddedFileServer(tmp_path, ftp_port=0, http_port=0, username="portal", password="ftp-Pa55") as server:
        yield server


def save_and_test(desk, row, form: dict[str, object]):
    name = f"{row._meta.app_label}_{row._meta.model_name}"
    return desk.post(reverse(f"admin:{name}_change", args=[row.pk]), form | {f"{name}_save_and_test": "1"})


def test_saving_and_testing_says_how_it_went_and_keeps_it(root_desk, files):
    server = FileServer.objects.create(name="Files", host="127.0.0.1", port=1)
    form = server_form(port=files.ftp_port, username="portal", new_secret="ftp-Pa55")
    answer = save_and_test(root_desk, server, form)
    told = " ".join(str(message) for message in get_messages(answer.wsgi_request))
    assert "Connection test: Logged in" in told
    server.refresh_from_db()
    assert (server.password, server.test_result) == ("ftp-Pa55", "")
    assert server.tested_at
    assert "not tested" not in root_desk.get(reverse("admin:phones_app_fileserver_changelist")).content.decode()


def test_a_failed_test_is_told_with_its_reason(root_desk, files):
    server = FileServer.objects.create(name="Files", host="127.0.0.1", port=1)
    form = server_form(port=files.ftp_port, username="portal", new_secret="wrong-Pa55")
    answer = save_and_test(root_desk, server, form)
    told = " ".join(str(message) for message in get_messages(answer.wsgi_request))
    server.refresh_from_db()
    assert server.test_result
    assert server.test_result in told
    assert "wrong-Pa55" not in told + server.test_result


def test_a_call_manager_that_does_not_answer_is_no_error_page(root_desk):
    manager = CallManager.objects.create(name="PBX", kind="ami", host="127.0.0.1", port=1)
    form = {"name": "PBX", "kind": "ami", "host": "127.0.0.1", "port": 1, "transport": "udp", "channel": "pjsip",
            "action": "restart", "stamps": manager.stamps}  # fmt: skip
    assert save_and_test(root_desk, manager, form).status_code == 302
    manager.refresh_from_db()
    assert manager.test_result


def test_a_new_default_server_takes_the_place_of_the_former(root_desk):
    former = FileServer.objects.create(name="Former", host="127.0.0.1", is_default=True)
    answer = root_desk.post(reverse("admin:phones_app_fileserver_add"), server_form(is_default="on"))
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    former.refresh_from_db()
    assert not former.is_default
    assert FileServer.objects.get(is_default=True).name == "Files"


def test_stamps_and_key_macros_are_checked_as_they_are_typed(root_desk):
    url = reverse("admin:phones_app_keymacro_add")
    form = {"name": "Mine", "phone_models": "79*", "steps": "Key:Settings\nInit:Reboot now", "priority": 1}
    assert "line 2" in " ".join(root_desk.post(url, form).context["adminform"].form.errors["steps"])
    assert root_desk.post(url, form | {"steps": "Key:Settings\npause 0.5"}).status_code == 302
    assert KeyMacro.objects.get(name="Mine").steps == "Key:Settings\npause 0.5"


@pytest.mark.parametrize(("model", "kind"), [(FileServer, {}), (CallManager, {"kind": "ami"})])
def test_tenants_see_a_shared_server_but_not_how_staff_log_in(clerk_desk, acme, model, kind):
    about = {"host": "192.0.2.1", "port": 21, "tested_at": timezone.now()} | kind
    shared = model.objects.create(name="Shared", username="first-login", test_result="first-login was refused", **about)
    shared.username = "second-login"
    shared.save()
    own = model.objects.create(
        name="Own", account=acme, username="own-login", test_result="own-login was refused", **about
    )
    base = f"admin:phones_app_{model._meta.model_name}"
    listed = clerk_desk.get(reverse(f"{base}_changelist")).content.decode()
    pages = {
        name: [clerk_desk.get(reverse(f"{base}_{name}", args=[row.pk])) for row in (shared, own)]
        for name in ("change", "history")
    }
    for name, both in pages.items():
        assert [answer.status_code for answer in both] == [200, 200], name
    hidden = [listed, *(both[0].content.decode() for both in pages.values())]
    assert [page for page in hidden if "first-login" in page or "second-login" in page] == []
    assert "own-login was refused" in listed
    assert "own-login was refused" in pages["change"][1].content.decode()
    assert 'value="own-login"' in pages["change"][1].content.decode()


def test_the_embedded_file_server_cannot_be_deleted(root_desk):
    server = FileServer.objects.create(name="Embedded", host="127.0.0.1", is_embedded=True)
    page = root_desk.post(reverse("admin:phones_app_fileserver_delete", args=[server.pk]), {"post": "yes"})
    assert page.status_code == 403
    chosen = {"action": "delete_selected", "_selected_action": [server.pk], "post": "yes"}
    root_desk.post(reverse("admin:phones_app_fileserver_changelist"), chosen)
    assert FileServer.objects.exists()
