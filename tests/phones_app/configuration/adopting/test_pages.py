"""The page that adopts an archive: upload, report, yes; hostile archives; who may."""

import io
import zipfile

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from contacts_app.core.csv.models import UploadedCsv
from contacts_app.people.models import User
from phones_app.configuration.models import Layer
from phones_app.inventory.models import Phone
from profiles_app.phone.models import Line, PhoneTemplate, Source
from tests.admin_people import at_desk, clerk
from tests.profiles_app.phone.adopting.fleet import fleet, mac_of

pytestmark = pytest.mark.django_db
PAGE = "admin:phones_app_phone_adopting"
FILES = 6
PLACES = "mac,location,model\n" + "".join(f"{each.mac},{each.location},{each.model}\n" for each in fleet(FILES))


def archive(**more: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
        for file in fleet(FILES):
            packed.writestr(f"tftpboot/{file.name}", file.content)
        for name, content in more.items():
            packed.writestr(name, content)
    return buffer.getvalue()


def upload(desk, content: bytes, *, places: str = "", **whose: object):
    files = {"archive": SimpleUploadedFile("folder.zip", content)}
    if places:
        files["places"] = SimpleUploadedFile("places.csv", places.encode())
    return desk.post(reverse(PAGE), files | whose, follow=True)


@pytest.fixture
def desk(acme, alice):
    return at_desk(clerk(acme))


def test_an_archive_is_looked_at_first_and_then_adopted(desk, alice):
    checked = upload(desk, archive(**{"../../etc/passwd": b"root", "readme.txt": b"hello"}), places=PLACES)
    text = checked.content.decode()
    assert "8 files → 6 templates" in text
    assert "readme.txt" in text
    assert "shared-by-all" not in text
    assert "secret-" not in text
    assert not Phone.objects.exists()

    done = desk.post(checked.request["PATH_INFO"] + "?" + checked.request["QUERY_STRING"], follow=True)
    assert "is adopted: 8 files" in done.content.decode()
    assert Phone.objects.filter(current_profile__source=Source.TEMPLATE, account=alice.account).count() == FILES
    assert Phone.objects.get(mac=mac_of(1)).location == "Munich"
    assert not UploadedCsv.objects.exists()


def test_the_pages_of_what_was_adopted_show_no_password_to_who_may_see_none(desk):
    checked = upload(desk, archive(), places=PLACES)
    desk.post(checked.request["PATH_INFO"] + "?" + checked.request["QUERY_STRING"])
    phone = Phone.objects.get(mac=mac_of(0))
    profile = phone.current_profile
    for row in (phone, profile, profile.template, phone.layer, Layer.objects.get(kind="account"), Line.objects.first()):
        page = desk.get(reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk]))
        assert page.status_code == 200, row
        for password in ("shared-by-all", "secret-0", "secret-2"):
            assert password not in page.content.decode(), row


def test_staff_say_whose_the_phones_are(acme, alice):
    desk = at_desk(User.objects.create_superuser("root@portal.example", "correct horse"))
    assert "This field is required" in upload(desk, archive()).content.decode()
    checked = upload(desk, archive(**{"places.csv": PLACES.encode()}), account=acme.pk)
    assert "7 files" not in checked.content.decode()
    assert "6 files → 6 templates" in checked.content.decode()


@pytest.mark.parametrize(("content", "told"), [(b"PK\x03\x04 and then nothing", "damaged"), (b"", "empty")])
def test_an_archive_that_is_none_is_refused(desk, content, told):
    assert told in upload(desk, content).content.decode()
    assert not UploadedCsv.objects.exists()


def test_a_file_that_becomes_huge_is_refused_by_its_length(desk):
    bomb = archive(**{f"SEP{mac_of(900)}.cnf.xml": b"<device>" + b" " * 20_000_000})
    assert len(bomb) < 100_000
    text = upload(desk, bomb).content.decode()
    assert "the limit is 524,288" in text
    assert "6 phones identical" in text


def test_too_many_files_are_refused(desk):
    text = upload(desk, archive(**{f"{number}.txt": b"" for number in range(1000)})).content.decode()
    assert "more than 1,000 files" in text


def test_a_wrong_csv_file_is_told_at_its_field(desk):
    assert "Row 1 of the CSV file of places" in upload(desk, archive(), places="one,two\n").content.decode()


def test_only_who_may_make_all_of_it_sees_the_page_and_only_their_own_upload(acme, alice, desk):
    checked = upload(desk, archive())
    path = checked.request["PATH_INFO"]
    other = at_desk(clerk(acme, "other@acme.example"))
    assert other.get(path).status_code == 404
    for missing in ("add_phone", "add_layer", "add_phonetemplate", "add_line"):
        less = at_desk(clerk(acme, f"{missing}@acme.example", without=missing))
        assert less.get(reverse(PAGE)).status_code == 403
        assert less.post(path).status_code == 403
        assert "Adopt files" not in less.get(reverse("admin:phones_app_phone_changelist")).content.decode()
    assert not PhoneTemplate.objects.exists()


def test_another_accounts_phones_and_owners_are_out_of_reach(desk, charlie, other):
    Phone.objects.create(mac=mac_of(0), account=other)
    text = upload(desk, archive(), account=other.pk).content.decode()
    assert "taken already" in text
    assert "5 phones identical" in text
    assert "Select a valid choice" in upload(desk, archive(), owner=charlie.pk).content.decode()
