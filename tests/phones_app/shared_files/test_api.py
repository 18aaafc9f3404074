"""/api/v1/files: stored, replaced, described, downloaded and deleted, by whom it may be (boot server spec §4)."""

import io
import tracemalloc

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from contacts_app.tokens.services import create_token
from phones_app.inventory.models import Phone
from phones_app.shared_files import services, store
from phones_app.shared_files.models import SharedFile
from tests.phones_app.firmware import sets

pytestmark = pytest.mark.django_db

RINGS, OTHER_RINGS = b"<CiscoIPPhoneRingList/>", b"<CiscoIPPhoneRingList>\n</CiscoIPPhoneRingList>"
URL = "/api/v1/files"


@pytest.fixture(autouse=True)
def folder(settings, tmp_path):
    settings.SHARED_FILES_DIR = tmp_path / "shared-files"
    return settings.SHARED_FILES_DIR


@pytest.fixture
def ask(acme):
    """As a token of Acme, or of the portal."""

    def ask(method, url, content=None, *, staff=False, media="application/octet-stream", headers=(), **query):
        key = create_token()[1] if staff else create_token(account=acme)[1]
        client = Client(headers={"Authorization": f"Bearer {key}", **dict(headers)}, query_params=query)
        extra = {} if content is None else {"data": content, "content_type": media}
        return getattr(client, method)(url, query_params=query, **extra)

    return ask


def test_a_file_is_put_at_a_path_and_replaced_there(ask, acme):
    made = ask("put", URL, RINGS, path="Ringlist.xml", description="Rings")
    assert made.status_code == 201, made.content
    record = made.json()["data"]
    assert (record["path"], record["kind"], record["size"]) == ("Ringlist.xml", "ring-list", len(RINGS))
    assert (record["account"], record["phone"], record["description"]) == (acme.voip_id, None, "Rings")
    again = ask("put", URL, OTHER_RINGS, path="ringlist.xml", kind="other")
    assert (again.status_code, again.json()["data"]["uuid"]) == (200, record["uuid"])
    row = SharedFile.objects.get()
    assert (row.path, row.kind, row.description, row.account) == ("ringlist.xml", "other", "Rings", acme)
    [changed, _created] = row.history.all()
    assert (changed.history_channel, sorted(changed.history_changes)) == ("rest", ["kind", "path", "sha256", "size"])


@pytest.mark.parametrize("media", ["", "application/x-www-form-urlencoded", "application/xml"])
def test_a_body_is_taken_whatever_its_media_type(ask, media):
    assert ask("put", URL, b"a=b&c=%41", media=media, path="a.txt").status_code == 201
    with store.read(SharedFile.objects.get().sha256) as file:
        assert file.read() == b"a=b&c=%41"


def test_a_content_is_downloaded_with_its_digest_as_its_tag(ask):
    record = ask("put", URL, RINGS, path="United_Kingdom/g3-tones.xml").json()["data"]
    url = f"{URL}/{record['uuid']}/content"
    answer = ask("get", url)
    assert b"".join(answer.streaming_content) == RINGS
    assert answer["Content-Length"] == str(len(RINGS))
    assert answer["Content-Disposition"] == 'attachment; filename="g3-tones.xml"'
    assert answer["ETag"] == f'"{record["sha256"]}"'
    assert ask("get", url, headers={"If-None-Match": answer["ETag"]}).status_code == 304
    store.place_of(record["sha256"]).unlink()
    lost = ask("get", url)
    assert (lost.status_code, lost.json()["code"]) == (409, "content-lost")


def test_a_content_is_replaced_only_as_it_was_read(ask):
    record = ask("put", URL, RINGS, path="a.xml").json()["data"]
    url, tag = f"{URL}/{record['uuid']}/content", f'"{record["sha256"]}"'
    assert ask("put", URL, OTHER_RINGS, path="A.xml", headers={"If-None-Match": "*"}).status_code == 412
    assert ask("put", url, OTHER_RINGS, headers={"If-Match": '"other"'}).status_code == 412
    assert ask("put", url, OTHER_RINGS, headers={"If-Match": tag}).status_code == 200
    assert ask("put", url, RINGS, headers={"If-Match": tag}).status_code == 412
    assert ask("put", URL, RINGS, path="a.xml", headers={"If-Match": tag}).status_code == 412
    assert SharedFile.objects.get().size == len(OTHER_RINGS)
    assert ask("put", URL, RINGS, path="new.xml", headers={"If-None-Match": "*"}).status_code == 201


def test_files_are_found_changed_and_deleted(ask, acme):
    Phone.objects.create(account=acme, mac="001122334455")
    for path, more in (("a.xml", {"phone": "00-11-22-33-44-55"}), ("b.raw", {}), ("Desktops/320x212x12/List.xml", {})):
        assert ask("put", URL, RINGS, path=path, **more).status_code == 201

    def found(**query: str) -> list[str]:
        return [one["path"] for one in ask("get", URL, **query).json()["data"]]

    assert found() == ["Desktops/320x212x12/List.xml", "a.xml", "b.raw"]
    assert found(order="-path") == ["b.raw", "a.xml", "Desktops/320x212x12/List.xml"]
    assert found(kind="ring-tone") == ["b.raw"]
    assert found(phone="001122334455") == ["a.xml"]
    assert found(search="desktops/") == ["Desktops/320x212x12/List.xml"]
    [one] = ask("get", URL, path="b.raw").json()["data"]
    url = f"{URL}/{one['uuid']}"
    changed = ask("patch", url, {"path": "c.raw", "description": "Chime"}, media="application/json")
    assert (changed.status_code, found(search="chime")) == (200, ["c.raw"])
    taken = ask("patch", url, {"path": "Desktops/320x212x12/list.XML"}, media="application/json")
    assert (taken.status_code, taken.json()["code"]) == (409, "path-taken")
    assert ask("patch", url, {"path": "../c.raw"}, media="application/json").status_code == 400
    assert ask("delete", url).json()["data"] == {"uuid": one["uuid"], "path": "c.raw"}
    assert ask("get", url).status_code == 404


def test_everybodys_files_are_seen_by_all_and_written_by_staff(ask, acme, other):
    shared = ask("put", URL, RINGS, staff=True, path="Ringlist.xml").json()["data"]
    assert shared["account"] is None
    services.put("theirs.xml", store.store([RINGS]), account=other)
    assert [one["path"] for one in ask("get", URL).json()["data"]] == ["Ringlist.xml"]
    url = f"{URL}/{shared['uuid']}"
    assert ask("get", f"{url}/content").status_code == 200
    for refused in (
        ask("put", f"{url}/content", OTHER_RINGS),
        ask("patch", url, {"description": "ours"}, media="application/json"),
        ask("delete", url),
    ):
        assert refused.status_code == 403, refused.content
    assert ask("put", URL, OTHER_RINGS, path="Ringlist.xml").json()["data"]["account"] == acme.voip_id
    theirs = SharedFile.objects.get(account=other)
    assert ask("get", f"{URL}/{theirs.uuid}/content").status_code == 404
    assert ask("put", URL, RINGS, path="a.xml", account=str(other.voip_id)).status_code == 400
    assert ask("put", URL, RINGS, staff=True, path="a.xml", account=str(other.voip_id)).status_code == 201


@pytest.mark.parametrize(
    ("content", "query", "status", "code"),
    [
        (RINGS, {}, 400, "invalid"),
        (RINGS, {"path": "../a.xml"}, 400, "bad-path"),
        (RINGS, {"path": "SEP001122334455.cnf.xml"}, 400, "phones-own-file"),
        (RINGS, {"path": "a.xml", "acount": "1"}, 400, "invalid"),
        (RINGS, {"path": "a.xml", "phone": "00:00:00:00:00:01"}, 400, "invalid"),
        (RINGS, {"path": "a.xml", "kind": "music"}, 400, "invalid"),
        (b"", {"path": "a.xml"}, 400, "parse-error"),
    ],
)
def test_what_is_wrong_is_told_and_nothing_is_stored(ask, folder, content, query, status, code):
    answer = ask("put", URL, content, **query)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.content
    assert [each for each in folder.rglob("*") if each.is_file()] == []


def test_of_a_body_that_ends_early_or_has_no_length_nothing_is_stored(ask, acme, folder):
    key = create_token(account=acme)[1]
    headers = {"HTTP_AUTHORIZATION": f"Bearer {key}"}

    def put(**extra: object):
        return Client().generic("PUT", f"{URL}?path=a.xml", RINGS, "application/octet-stream", **headers, **extra)

    # As a web server ends a body whose sender has gone.
    assert put(**{"wsgi.input": io.BytesIO(RINGS), "CONTENT_LENGTH": len(RINGS) + 1}).status_code == 400
    assert put(HTTP_TRANSFER_ENCODING="chunked").status_code == 411
    assert put(CONTENT_LENGTH=2**30).status_code == 413
    form = Client().generic("PUT", f"{URL}?path=a.xml", RINGS, "multipart/form-data; boundary=x", **headers)
    assert form.status_code == 415
    assert [each for each in folder.rglob("*") if each.is_file()] == []
    assert not SharedFile.objects.exists()


def test_a_form_takes_many_files_and_archives_all_or_none(ask, acme, tmp_path):
    package = sets.as_zip({"mk-sip.jar": b"PK\x03\x04jar", ".DS_Store": b"x"}, tmp_path / "locale.zip").read_bytes()

    def send(*files: tuple[str, bytes], **fields: str):
        key = create_token(account=acme)[1]
        data = {"file": [SimpleUploadedFile(name, content) for name, content in files], **fields}
        return Client(headers={"Authorization": f"Bearer {key}"}).post(URL, data)

    dry = send(("a.xml", RINGS), ("locale.zip", package), into="German_Germany", dry_run="true")
    assert (dry.status_code, SharedFile.objects.count()) == (201, 0), dry.content
    made = send(("a.xml", RINGS), ("locale.zip", package), into="German_Germany")
    assert [(one["path"], one["outcome"], bool(one["uuid"])) for one in made.json()["data"]] == [
        ("German_Germany/.DS_Store", "left-out", False),
        ("German_Germany/a.xml", "added", True),
        ("German_Germany/mk-sip.jar", "added", True),
    ]
    bad = send(("b.xml", RINGS), ("broken.zip", package[:-9]))
    assert (bad.status_code, bad.json()["code"]) == (409, "bad-archive")
    assert SharedFile.objects.count() == 2
    assert send(into="x").status_code == 400


def test_a_person_of_the_account_with_the_role_does_the_same(alice):
    from tests.apis.conftest import of

    alices = of(alice)
    put = alices.http.put(f"{URL}?path=a.xml", io.BytesIO(RINGS).read(), "application/octet-stream")
    assert put.status_code == 201


def test_of_a_form_whose_sender_has_gone_nothing_is_stored(ask, acme):
    """Its first file is whole, its second is not there."""
    key = create_token(account=acme)[1]
    part = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.xml"\r\n\r\n' + RINGS + b"\r\n--x\r\n"
    sent = {"wsgi.input": io.BytesIO(part), "CONTENT_LENGTH": len(part) + 100, "HTTP_AUTHORIZATION": f"Bearer {key}"}
    answer = Client().generic("POST", URL, part, "multipart/form-data; boundary=x", **sent)
    assert (answer.status_code, SharedFile.objects.count()) == (400, 0)
    assert "before its announced length" in answer.json()["message"]


class Stream(io.RawIOBase):
    """A body as it comes: some bytes, then millions that are nowhere all at once, then some bytes."""

    def __init__(self, head: bytes, size: int, tail: bytes) -> None:
        self._head, self._left, self._tail = head, size, tail

    def read(self, size: int = -1) -> bytes:
        assert size >= 0, "all of it at once"
        taken, self._head = self._head[:size], self._head[size:]
        many = min(size - len(taken), self._left)
        self._left -= many
        taken += bytes(many)
        rest = size - len(taken)
        taken, self._tail = taken + self._tail[:rest], self._tail[rest:]
        return taken


@pytest.mark.parametrize("way", ["put", "form", "firmware"])
def test_60_mb_are_in_memory_neither_on_their_way_in_nor_out(way, acme, tmp_path, settings):
    settings.FILE_UPLOAD_TEMP_DIR = tmp_path
    size, headers = 60_000_000, {"HTTP_AUTHORIZATION": f"Bearer {create_token(account=acme)[1]}"}
    head, tail = b"", b""
    if way != "put":
        part = '--x\r\nContent-Disposition: form-data; name="file"; filename="{}"\r\n\r\n'
        head, tail = part.format("rootfs.sbn").encode(), b"\r\n--x--\r\n"
    if way == "firmware":
        loads = sets.loads_file("sip88xx.14-2-1.loads", ["rootfs.sbn"])
        tail = b"\r\n" + part.format("sip88xx.14-2-1.loads").encode() + loads + tail
    extra = {"wsgi.input": Stream(head, size, tail), "CONTENT_LENGTH": len(head) + size + len(tail)}
    target = {"put": ("PUT", f"{URL}?path=rootfs.sbn"), "form": ("POST", URL), "firmware": ("POST", "/api/v1/firmware")}
    media = "application/octet-stream" if way == "put" else "multipart/form-data; boundary=x"
    tracemalloc.start()
    try:
        made = Client().generic(*target[way], b"in its stream", media, **headers, **extra)
        assert made.status_code == 201, made.content
        row = SharedFile.objects.get(path="rootfs.sbn")
        content = Client().get(f"{URL}/{row.uuid}/content", **headers)
        given = sum(map(len, content.streaming_content))
        _now, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert row.size == given == size
    assert most < 8_000_000
