"""The bell above the pages of the admin: files that somebody has uploaded, on their way to the FTP servers of phones."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from phones_app.shared_files.models import CopyState, FileCopy, SharedFile
from tests.admin_people import at_desk, clerk
from tests.bell import BELL, bell_of, told
from tests.peers.ftp import pyftpd
from tests.phones_app.firmware import sets
from tests.phones_app.shared_files.test_copies import bring, server_at, share

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("no_inline_work")]
UPLOAD = reverse("admin:phones_app_sharedfile_upload")


def upload(desk: Client, *names: str, text: bytes = b"<x/>", **more: object) -> None:
    answer = desk.post(UPLOAD, {"chosen": [SimpleUploadedFile(name, text) for name in names], **more})
    assert answer.status_code == 302, answer.context["form"].errors


@pytest.fixture
def desk(root) -> Client:
    return at_desk(root)


def test_files_are_running_until_the_last_server_has_them(desk, tmp_path):
    with pyftpd(tmp_path) as ftp:
        server_at(ftp)
        away = server_at(name="Away")
        upload(desk, "Ringlist.xml", "tones.xml")
        assert bell_of(desk) == "Your long work: 1 running, 0 new"
        assert "0 of 4 in place 0 %" in told(desk)["2 files → file servers"][0]
        bring()
        assert "2 of 4 in place 50 %" in told(desk)["2 files → file servers"][0]
        away.delete()
    assert bell_of(desk) == "Your long work: 0 running, 1 new"
    assert "2 of 2 in place, " in told(desk)["2 files → file servers"][0]
    desk.post(BELL)
    assert bell_of(desk) == "Your long work: 0 running, 0 new"


def test_the_files_of_added_firmware_are_told_too(desk, tmp_path):
    server_at()
    package = sets.as_zip(sets.classic(), tmp_path / "a.zip").read_bytes()
    sent = {"chosen": [SimpleUploadedFile("a.zip", package)], "folder": ""}
    assert desk.post(reverse("admin:phones_app_firmware_package"), sent).status_code == 302
    [(title, (text, _))] = told(desk).items()
    assert title == f"{SharedFile.objects.count()} files → file servers"
    assert f"0 of {FileCopy.objects.count()} in place" in text


def test_a_copy_that_failed_is_told_and_still_under_way(desk):
    server_at()
    upload(desk, "Ringlist.xml", "tones.xml")
    FileCopy.objects.filter(path="tones.xml").update(state=CopyState.FAILED, error="No room")
    FileCopy.objects.filter(path="Ringlist.xml").update(state=CopyState.IN_PLACE)
    text, url = told(desk)["2 files → file servers"]
    assert "1 of 2 in place, 1 failed 50 %" in text
    page = desk.get(url).text
    assert "No room" in page
    assert "Ringlist.xml" not in page


def test_a_file_that_is_replaced_is_told_of_by_what_was_done_last(desk):
    server_at()
    upload(desk, "Ringlist.xml", "tones.xml")
    replace = reverse("admin:phones_app_sharedfile_replace", args=[SharedFile.objects.get(path="tones.xml").pk])
    desk.post(replace, {"content": SimpleUploadedFile("tones.xml", b"<tones/>")})
    assert set(told(desk)) == {"Ringlist.xml → file servers", "tones.xml → file servers"}
    page = desk.get(told(desk)["tones.xml → file servers"][1]).text
    assert "tones.xml" in page
    assert "Ringlist.xml" not in page


def test_other_words_for_a_file_bring_nothing_anywhere(desk):
    share("Ringlist.xml", "rings")
    server_at()
    row = SharedFile.objects.get()
    form = {"path": row.path, "kind": row.kind, "description": "Rings"}
    desk.post(reverse("admin:phones_app_sharedfile_change", args=[row.pk]), form)
    assert SharedFile.objects.get().description == "Rings"
    assert not told(desk)


def test_without_a_server_that_takes_files_there_is_nothing_to_tell(desk):
    server_at(is_embedded=True)
    server_at(takes_shared_files=False)
    upload(desk, "Ringlist.xml")
    assert not told(desk)


def test_people_of_an_account_hear_of_their_own_servers_alone(acme, other, desk):
    for account in (acme, other, None):
        server_at(account=account)
    mine = at_desk(clerk(acme))
    upload(mine, "Ringlist.xml", account=acme.pk)
    assert "0 of 1 in place" in told(mine)["Ringlist.xml → file servers"][0]
    upload(desk, "tones.xml")
    assert "0 of 3 in place" in told(desk)["tones.xml → file servers"][0]
    assert set(told(desk)) == {"tones.xml → file servers"}
    assert set(told(mine)) == {"Ringlist.xml → file servers"}
    assert not told(at_desk(clerk(other, "clerk@other.example")))


def test_a_page_asks_as_often_for_many_files_and_servers_as_for_one(desk):
    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            desk.get(BELL)
        return len(queries)

    server_at()
    upload(desk, "Ringlist.xml")
    one = asked()
    for number in range(10):
        server_at(name=f"No. {number}")
        upload(desk, f"tones-{number}.xml", f"other-{number}.xml")
    assert asked() == one
    assert desk.get(BELL).text.count("<li>") == 8


def test_both_queries_are_answered_from_an_index(desk):
    if connection.vendor != "postgresql":
        pytest.skip("only PostgreSQL tells its plans so")
    server_at()
    upload(desk, "Ringlist.xml")
    with connection.cursor() as cursor:
        # Of so few rows it would read all.
        cursor.execute("SET enable_seqscan = off")
        try:
            with CaptureQueriesContext(connection) as captured:
                assert told(desk)
            asked = [sql for one in captured if (sql := one["sql"]).startswith("SELECT") and "file_" in sql.lower()]
            for sql in asked:
                cursor.execute("EXPLAIN " + sql)
                plan = "\n".join(row[0] for row in cursor.fetchall())
                assert "Seq Scan on phones_app_filecopy" not in plan, plan
                assert "Seq Scan on phones_app_historicalsharedfile" not in plan, plan
        finally:
            cursor.execute("RESET enable_seqscan")
