"""Shared files in the admin: uploaded, replaced, downloaded and deleted, by whom it may be."""

import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http.multipartparser import MultiPartParserError
from django.urls import reverse

from phones_app.inventory.models import Phone
from phones_app.shared_files import services, store
from phones_app.shared_files.models import SharedFile
from tests.phones_app.firmware import sets

pytestmark = pytest.mark.django_db

RINGS = b"<CiscoIPPhoneRingList/>"
UPLOAD = "admin:phones_app_sharedfile_upload"


@pytest.fixture(autouse=True)
def folder(settings, tmp_path):
    settings.SHARED_FILES_DIR = tmp_path / "shared-files"


def chosen(*files: tuple[str, bytes]) -> list[SimpleUploadedFile]:
    return [SimpleUploadedFile(*file) for file in files]


def url_of(row, page: str) -> str:
    return reverse(f"admin:phones_app_sharedfile_{page}", args=[row.pk])


def words(page) -> list[str]:
    return [str(one) for one in page.context["messages"]]


def test_files_and_an_archive_are_uploaded_together(root_desk, acme, tmp_path):
    package = sets.as_zip({"mk-sip.jar": b"jar", "Thumbs.db": b"x"}, tmp_path / "locale.zip").read_bytes()
    sent = {"chosen": chosen(("g3-tones.xml", b"<tones/>"), ("locale.zip", package)), "into": "German_Germany"}
    page = root_desk.post(reverse(UPLOAD), sent | {"account": acme.pk}, follow=True)
    assert words(page) == [
        "2 added.",
        "Left out, as phones are not given such files from here: German_Germany/Thumbs.db.",
    ]
    rows = {row.path: row.account for row in SharedFile.objects.all()}
    assert rows == {"German_Germany/g3-tones.xml": acme, "German_Germany/mk-sip.jar": acme}
    row = SharedFile.objects.get(path="German_Germany/mk-sip.jar")
    assert root_desk.get(url_of(row, "history")).context["entries"][0].row.history_channel == "admin"


def test_the_buttons_lead_to_their_pages(root_desk, acme):
    row = services.put("Ringlist.xml", store.store([RINGS]), account=acme)
    listed = root_desk.get(reverse("admin:phones_app_sharedfile_changelist")).content.decode()
    shown = root_desk.get(url_of(row, "change")).content.decode()
    for action, page, args, where in (
        ("upload_files", "upload", [], listed),
        ("replace_content", "replace", [row.pk], shown),
        ("download", "content", [row.pk], shown),
    ):
        url = reverse(f"admin:phones_app_sharedfile_{action}", args=args)
        assert url in where
        assert root_desk.get(url).url == reverse(f"admin:phones_app_sharedfile_{page}", args=args)


def test_what_is_wrong_is_said_and_nothing_is_stored(root_desk, acme, other):
    answer = root_desk.post(reverse(UPLOAD), {"chosen": chosen(("a.xml", RINGS), ("broken.zip", b"PK\x03\x04"))})
    assert "damaged" in answer.context["form"].errors["chosen"][0]
    phone = Phone.objects.create(account=other, mac="001122334455")
    sent = {"chosen": chosen(("a.xml", RINGS)), "account": acme.pk, "phone": phone.pk}
    assert "phone" in root_desk.post(reverse(UPLOAD), sent).context["form"].errors
    script = root_desk.post(
        reverse(UPLOAD), sent | {"chosen": chosen(("a.xml", RINGS))}, headers={"X-Requested-With": "XMLHttpRequest"}
    )
    assert "another account" in script.json()["errors"][0]
    assert not SharedFile.objects.exists()


def test_a_content_is_replaced_downloaded_and_deleted(root_desk, acme):
    row = services.put("Ringlist.xml", store.store([RINGS]), account=acme)
    assert root_desk.get(url_of(row, "replace")).status_code == 200
    answer = root_desk.post(
        url_of(row, "replace"), {"content": chosen(("x", b"new"))[0]}, headers={"X-Requested-With": "XMLHttpRequest"}
    )
    assert answer.json() == {"go": url_of(row, "change")}
    got = root_desk.get(url_of(row, "content"))
    assert (b"".join(got.streaming_content), got["Content-Length"]) == (b"new", "3")
    row.refresh_from_db()
    store.place_of(row.sha256).unlink()
    assert "upload it again" in words(root_desk.get(url_of(row, "content"), follow=True))[-1]
    root_desk.post(url_of(row, "delete"), {"post": "yes"})
    assert not SharedFile.objects.exists()


def test_a_path_is_changed_in_the_form_and_checked_there(root_desk, acme):
    row = services.put("a.xml", store.store([RINGS]), account=acme)
    services.put("b.xml", store.store([RINGS]), account=acme)
    form = {"path": "../a.xml", "kind": "other", "description": ""}
    for path, wrong in (("../a.xml", "A name"), ("B.xml", "in whatever case"), ("SEP001122334455.cnf.xml", "single")):
        answer = root_desk.post(url_of(row, "change"), form | {"path": path})
        assert wrong in str(answer.context["adminform"].form.errors), path
    assert root_desk.post(url_of(row, "change"), form | {"path": "c.xml"}).status_code == 302
    assert SharedFile.objects.get(pk=row.pk).path == "c.xml"


def test_a_clerk_uploads_for_the_account_alone(clerk_desk, acme, other):
    shared = services.put("Ringlist.xml", store.store([RINGS]))
    theirs = services.put("theirs.xml", store.store([RINGS]), account=other)
    sent = {"chosen": chosen(("a.xml", RINGS))}
    assert "account" in clerk_desk.post(reverse(UPLOAD), sent | {"account": other.pk}).context["form"].errors
    assert clerk_desk.post(reverse(UPLOAD), {"chosen": chosen(("a.xml", RINGS)), "account": acme.pk}).status_code == 302
    assert SharedFile.objects.get(path="a.xml").account == acme
    assert clerk_desk.get(url_of(shared, "content")).status_code == 200
    assert clerk_desk.get(url_of(shared, "change")).status_code == 200
    assert clerk_desk.post(url_of(shared, "replace"), {"content": chosen(("x", b"x"))[0]}).status_code == 403
    assert clerk_desk.post(url_of(shared, "delete"), {"post": "yes"}).status_code == 403
    for page in ("content", "replace"):
        assert clerk_desk.get(url_of(theirs, page)).status_code == 404


def test_of_a_form_whose_sender_has_gone_nothing_is_read():
    """A parser would take the files that came before for all of them."""
    from config.wsgi import TextRequest

    body = b'--x\r\nContent-Disposition: form-data; name="chosen"; filename="a.xml"\r\n\r\nwhole\r\n--x--\r\n'
    environ = {"REQUEST_METHOD": "POST", "CONTENT_TYPE": "multipart/form-data; boundary=x"}

    def files(announced: int):
        sent = {"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(announced)}
        return TextRequest(environ | sent).FILES

    assert files(len(body))["chosen"].read() == b"whole"
    with pytest.raises(MultiPartParserError):
        files(len(body) + 1)
