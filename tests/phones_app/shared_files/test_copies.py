"""Shared files on FTP servers: which of them a server should have, and that they come there, stay right and go again."""

import threading
import tracemalloc
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from pyftpdlib.handlers import FTPHandler

from contacts_app.core.work.queue import run_queue
from phones_app.inventory.models import Phone
from phones_app.servers.models import FileServer
from phones_app.servers.services import save_file_server
from phones_app.shared_files import copies, services, store
from phones_app.shared_files.models import CopyState, FileCopy, SharedFile
from tests.peers.ftp import needs_proftpd, needs_vsftpd, proftpd, pyftpd, vsftpd
from tests.phones_app.rest import of
from tests.processes import processes
from tests.servers import free_port, wait_for

pytestmark = pytest.mark.django_db(transaction=True)
TONES = "United_States/g3-tones.xml"


@pytest.fixture(autouse=True)
def kept(settings, tmp_path, no_inline_work):
    settings.SHARED_FILES_DIR = settings.DATA_DIR / "shared-files"


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "ftp"
    folder.mkdir()
    return folder


def share(path: str, text: str, **owner: object) -> SharedFile:
    return services.put(path, store.store([text.encode()]), **owner)


def server_at(ftp=None, **fields: object) -> FileServer:
    at = {"port": 1} if ftp is None else {"port": ftp.port, "username": ftp.username, "password": ftp.password}
    return FileServer.objects.create(
        **{"name": "Phones' files", "host": "127.0.0.1", "takes_shared_files": True} | at | fields
    )


def wanted(server: FileServer) -> dict[str, str]:
    """What the server should have, in words: the texts of the files, "" for what is to go."""
    return {
        copy.path: store.read(copy.sha256).read().decode() if copy.sha256 else ""
        for copy in FileCopy.objects.filter(server=server)
    }


def bring() -> None:
    FileCopy.objects.exclude(due_at=None).update(due_at=timezone.now() - timedelta(seconds=1))
    run_queue(copies.QUEUE)


def there(folder) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_a_server_should_have_what_phones_of_its_account_would_be_given(acme, other):
    ours, shared, theirs = server_at(account=acme), server_at(), server_at(account=other)
    none = [server_at(is_embedded=True), server_at(account=acme, takes_shared_files=False)]
    phone = Phone.objects.create(account=acme, mac="001122334455", model="8851")
    share("Ringlist.xml", "everybody's")
    share(TONES, "tones")
    share("ringlist.XML", "acme's", account=acme)
    share("Ringlist.xml", "the phone's own", phone=phone)
    assert wanted(ours) == {"ringlist.XML": "acme's", TONES: "tones"}
    assert wanted(shared) == wanted(theirs) == {"Ringlist.xml": "everybody's", TONES: "tones"}
    assert not FileCopy.objects.filter(server__in=none).exists()

    services.remove(SharedFile.objects.filter(account=acme, phone=None))
    share("Ringlist.xml", "changed")
    late = server_at(account=other)
    for server in (ours, shared, theirs, late):
        assert wanted(server) == {"Ringlist.xml": "changed", TONES: "tones"}
    theirs.account = acme
    save_file_server(theirs)
    share("acme.xml", "acme's", account=acme)
    assert wanted(theirs)["acme.xml"] == "acme's"
    assert "acme.xml" not in wanted(late)


def test_the_number_of_statements_does_not_grow_with_files_or_servers(acme, other):
    counts = []
    for number in (1, 6):
        for each in range(number):
            server_at(account=(acme, other)[each % 2])
        content = store.store([b"content"])
        with CaptureQueriesContext(connection) as caught:
            services.put_many(services.NewFile(f"tone-{number}-{each}.raw", content) for each in range(number))
        counts.append(len(caught))
    assert counts[0] == counts[1]
    assert FileCopy.objects.count() == 1 + 6 * 7 + 6


@pytest.fixture(params=[pyftpd, pytest.param(vsftpd, marks=needs_vsftpd), pytest.param(proftpd, marks=needs_proftpd)])
def ftp(request, folder):
    with request.param(*[folder] if request.param is pyftpd else ()) as server:
        yield server


def test_files_come_to_the_server_and_go_with_their_folders(acme, ftp):
    server = server_at(ftp)
    share(TONES, "first")
    share("Desktops/320x212x12/List.xml", "backgrounds")
    share("Ringlist.xml", "rings")
    bring()
    assert there(ftp.root) == {TONES: "first", "Desktops/320x212x12/List.xml": "backgrounds", "Ringlist.xml": "rings"}
    assert str(copies.progress(server)) == "3 of 3 in place"
    assert not FileCopy.objects.exclude(due_at=None).exists()

    share(TONES, "second")
    services.remove(SharedFile.objects.exclude(path=TONES))
    assert str(copies.progress(server)) == "0 of 1 in place, 2 to be deleted"
    bring()
    assert there(ftp.root) == {TONES: "second"}
    assert [path.name for path in ftp.root.iterdir()] == ["United_States"]
    assert FileCopy.objects.get().state == CopyState.IN_PLACE


def test_what_others_have_put_there_stays(folder):
    with pyftpd(folder) as ftp:
        server_at(ftp)
        share(TONES, "ours")
        share("Ringlist.xml", "ours")
        bring()
        (folder / TONES).write_text("somebody's")
        (folder / "United_States" / "mk-sip.jar").write_text("somebody's")
        services.remove(SharedFile.objects.all())
        bring()
    assert there(folder) == {TONES: "somebody's", "United_States/mk-sip.jar": "somebody's"}
    assert not FileCopy.objects.exists()


def test_another_case_of_a_path_takes_its_place(folder):
    with pyftpd(folder) as ftp:
        server_at(ftp)
        share("ringlist.xml", "rings")
        bring()
        share("Ringlist.xml", "rings")
        bring()
        bring()
    assert there(folder) == {"Ringlist.xml": "rings"}


def test_a_server_that_takes_no_more_files_keeps_those_that_it_has(folder):
    with pyftpd(folder) as ftp:
        server = server_at(ftp)
        share("Ringlist.xml", "rings")
        bring()
        server.takes_shared_files = False
        save_file_server(server)
        assert not FileCopy.objects.exists()
        share("Ringlist.xml", "changed")
        bring()
        assert there(folder) == {"Ringlist.xml": "rings"}

        (folder / "phones").mkdir()
        server.takes_shared_files = True
        save_file_server(server)
        bring()
        server.directory = "phones"
        save_file_server(server)
        bring()
    assert there(folder) == {"Ringlist.xml": "changed", "phones/Ringlist.xml": "changed"}


def test_a_server_that_is_away_says_nothing_of_files(folder):
    port = free_port()
    server = server_at(port=port, username="phones", password="s3cret-pw")
    share("Ringlist.xml", "rings")
    share("dialplan.xml", "dial")
    run_queue(copies.QUEUE)
    waiting = list(FileCopy.objects.all())
    assert {copy.state for copy in waiting} == {CopyState.WAITING}
    assert all("refused" in copy.error and copy.due_at > timezone.now() for copy in waiting)
    assert str(copies.progress(server)) == "0 of 2 in place"
    with pyftpd(folder, port=port):
        bring()
    assert str(copies.progress(server)) == "2 of 2 in place"


class Refusing(FTPHandler):
    def ftp_STOR(self, file, mode="w"):
        if "dialplan" in file:
            self.respond("550 No.")
        else:
            super().ftp_STOR(file, mode)


def test_a_file_that_is_refused_is_told_and_tried_again_later(folder):
    with pyftpd(folder, handler=Refusing) as ftp:
        server = server_at(ftp)
        share("dialplan.xml", "dial")
        share("Ringlist.xml", "rings")
        bring()
        before = timezone.now()
        bring()
        after = timezone.now()
        failed = FileCopy.objects.get(path="dialplan.xml")
        assert (failed.state, failed.attempts) == (CopyState.FAILED, 2)
        assert "550 No." in failed.error
        assert before + timedelta(seconds=5) < failed.due_at < after + timedelta(seconds=25)
        assert str(copies.progress(server)) == "1 of 2 in place, 1 failed"
    with pyftpd(folder, port=ftp.port):
        copies.try_again(FileCopy.objects.filter(pk=failed.pk))
        run_queue(copies.QUEUE)
    assert there(folder) == {"dialplan.xml": "dial", "Ringlist.xml": "rings"}
    assert FileCopy.objects.get(path="dialplan.xml").error == ""


def test_a_content_that_was_lost_is_told(folder):
    with pyftpd(folder) as ftp:
        server_at(ftp)
        store.place_of(share("Ringlist.xml", "rings").sha256).unlink()
        bring()
    copy = FileCopy.objects.get()
    assert copy.state == CopyState.FAILED
    assert "upload the file again" in copy.error


def test_a_large_file_passes_through_in_pieces(folder):
    with pyftpd(folder) as ftp:
        server_at(ftp, read_back=True)
        services.put("image.bin", store.store(bytes([number]) * 2**20 for number in range(40)), kind="firmware")
        tracemalloc.start()
        try:
            bring()
            _, most = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert FileCopy.objects.get().state == CopyState.IN_PLACE
    assert (folder / "image.bin").stat().st_size == 40 * 2**20
    assert most < 8 * 2**20


def test_a_content_that_is_no_longer_wanted_gets_no_name(folder):
    """It is replaced by a newer one in the moment before it is renamed."""
    named = []

    class Changing(FTPHandler):
        def ftp_RNFR(self, path):
            if not named:
                share("Ringlist.xml", "newer")
                connection.close()  # that of this thread
            return super().ftp_RNFR(path)

        def ftp_RNTO(self, path):
            named.append(open(self._rnfr).read())  # noqa: SIM115
            return super().ftp_RNTO(path)

    with pyftpd(folder, handler=Changing) as ftp:
        server_at(ftp)
        share("Ringlist.xml", "older")
        wait_for(lambda: bring() or FileCopy.objects.get().state == CopyState.IN_PLACE)
    assert named == ["newer"]
    assert there(folder) == {"Ringlist.xml": "newer"}


def test_a_worker_killed_in_the_middle_leaves_nothing_half_and_another_goes_on(folder, tmp_path):
    """It dies when the file is stored under its temporary name and is to be given its own."""
    held, reached = {"RNTO"}, threading.Event()

    class Holding(FTPHandler):
        def pre_process_command(self, line, cmd, arg):
            if cmd in held:
                reached.set()
            else:
                super().pre_process_command(line, cmd, arg)

    (tmp_path / "processes").mkdir()
    with pyftpd(folder, handler=Holding) as ftp, processes(tmp_path / "processes") as running:
        server_at(ftp)
        share(TONES, "first")
        running.start_sweep()
        running.start_worker()
        assert reached.wait(180)
        running.kill("worker")
        assert list(folder.rglob(".*.part"))
        assert not (folder / TONES).exists()
        held.clear()
        running.start_worker()
        wait_for(lambda: FileCopy.objects.get().state == CopyState.IN_PLACE)
    assert there(folder) == {TONES: "first"}


def test_the_page_of_a_server_tells_how_many_files_are_in_place_and_the_list_what_failed(folder, root_desk):
    with pyftpd(folder, handler=Refusing) as ftp:
        server = server_at(ftp)
        page = reverse("admin:phones_app_fileserver_change", args=[server.pk])
        share("dialplan.xml", "dial")
        share("Ringlist.xml", "rings")
        waiting = root_desk.get(page).content.decode()
        assert "0 of 2 in place" in waiting
        assert 'hx-select="#file-copies"' in waiting
        bring()
        told = root_desk.get(page).content.decode()
        assert "1 of 2 in place, 1 failed" in told
        assert 'hx-select="#file-copies"' not in told
        url = reverse("admin:phones_app_filecopy_changelist")
        listed = root_desk.get(url, {"server__id__exact": server.pk, "state": "failed"}).content.decode()
        assert "550 No." in listed
        assert "Ringlist.xml" not in listed
    chosen = {"action": "try_again_selected", "_selected_action": [FileCopy.objects.get(state="failed").pk]}
    with pyftpd(folder, port=ftp.port):
        assert root_desk.post(url, chosen).status_code == 302
        run_queue(copies.QUEUE)
    assert "2 of 2 in place" in root_desk.get(page).content.decode()


def test_rest_says_and_decides_whether_a_server_takes_shared_files(root):
    share("Ringlist.xml", "rings")
    client = of(root)
    given = {"name": "Files", "host": "127.0.0.1", "account": None, "takes_shared_files": True}
    made = client.post("file-servers", given)
    assert made.status_code == 201, made.content
    server = FileServer.objects.get(name="Files")
    assert (made.json()["data"]["takes_shared_files"], FileCopy.objects.filter(server=server).count()) == (True, 1)
    changed = client.patch(f"file-servers/{server.uuid}", {"takes_shared_files": False})
    assert changed.json()["data"]["takes_shared_files"] is False
    assert not FileCopy.objects.exists()
