"""Many files of phones out of a browser: a look at each first, then profiles, step by step, and none of others."""

import re
import zipfile
from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from contacts_app.core.csv.models import UploadedCsv
from phones_app.deployment.models import Deployment
from phones_app.inventory import uploaded_files
from phones_app.inventory.models import Phone
from profiles_app.phone.models import PhoneProfile
from tests.admin_people import at_desk, clerk
from tests.phones_app.site import sip_file

pytestmark = pytest.mark.django_db
PAGE = reverse("admin:profiles_app_phoneprofile_files")
KNOWN, NEW, BROKEN = (f"SEP02AA0000000{n}.cnf.xml" for n in (1, 2, 3))
FILES = {
    KNOWN: sip_file("1001").encode(),
    NEW: sip_file("1002").replace("<webAccess>0", "<webAccess>on").encode(),
    BROKEN: b"<device>\n<oops>\n</device>",
    f"old/{KNOWN}": sip_file("1009").encode(),
    "dialplan.xml": b"<DIALTEMPLATE/>",
}


@pytest.fixture(autouse=True)
def one_file_a_step(monkeypatch):
    monkeypatch.setattr(uploaded_files, "STEP_SECONDS", 0)


@pytest.fixture
def phone(acme, alice):
    return Phone.objects.create(mac="02AA00000001", account=acme, model="8845", software_type="SIP")


def packed(files=FILES) -> SimpleUploadedFile:
    made = BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return SimpleUploadedFile("phones.zip", made.getvalue())


def upload(desk, *files, **chosen) -> str:
    """The address of the page that the upload leads to."""
    answer = desk.post(PAGE, {"chosen": files or packed()} | chosen)
    assert answer.status_code == 302, answer.context["form"].errors
    return answer.url


def walk(desk, url: str, *, imports: bool = False) -> tuple[dict[str, str], dict[str, int]]:
    """What becomes of each file, and the counts at the end, as the page's steps tell it."""
    page = desk.post(url) if imports else desk.get(url)
    found, answer = {}, page
    for _ in range(20):
        fields = dict(
            re.findall(r'type="hidden" name="(start|counts|import)" value="([^"]*)"', answer.content.decode())
        )
        if "start" not in fields:
            break
        answer = desk.post(page.context["step_url"], fields)
        assert answer.status_code == 200
        found |= {one.file: one.code or one.result for one in answer.context["step"].done}
    return found, {words: number for words, number, _ in answer.context["counts"] if number}


def test_archive_is_looked_at_first_and_then_becomes_profiles(root_desk, phone, alice):
    url = upload(root_desk)
    looked = walk(root_desk, url)
    assert looked == (
        {
            KNOWN: "created", NEW: "no-owner", BROKEN: "not-well-formed", f"old/{KNOWN}": "twice",
            "dialplan.xml": "file-name",
        },
        {"new profiles": 1, "refused": 3, "ignored": 1},
    )  # fmt: skip
    assert not PhoneProfile.objects.exists()

    assert walk(root_desk, url, imports=True) == looked
    profile = PhoneProfile.objects.get()
    assert (profile.content, profile.user, profile.name) == (FILES[KNOWN], alice, "SEP02AA00000001")
    assert profile.revision.reason == f"Imported from {KNOWN}"
    phone.refresh_from_db()
    assert phone.current_profile == profile
    assert not Deployment.objects.exists()
    assert not UploadedCsv.objects.exists()
    assert root_desk.get(url).status_code == 404


def test_several_files_become_profiles_of_the_chosen_owner_and_phones(root_desk, acme, alice, bob):
    def files() -> list[SimpleUploadedFile]:
        return [SimpleUploadedFile(name, FILES[name]) for name in (KNOWN, NEW)]

    url = upload(root_desk, *files(), owner=bob.pk, account=acme.pk, create_phones="on")
    page = root_desk.get(url)
    step = root_desk.post(page.context["step_url"], {"start": 1, "counts": "0,0,0,0,0"})
    assert "webAccess takes 0, 1 or 2" in step.content.decode()
    assert f'href="{PAGE}"' in step.content.decode(), "who has chosen the wrong files begins again"
    assert walk(root_desk, url, imports=True)[1] == {"new profiles": 2}
    assert set(PhoneProfile.objects.values_list("user", flat=True)) == {bob.pk}
    assert Phone.objects.filter(account=acme).count() == 2
    assert walk(root_desk, upload(root_desk, *files(), owner=bob.pk))[1] == {"unchanged": 2}


def test_nothing_of_another_account_is_touched_or_told(acme, alice, other, charlie):
    strange = Phone.objects.create(mac="02AA00000001", account=other, model="8845")
    desk = at_desk(clerk(acme))
    found, _ = walk(
        desk, upload(desk, packed({KNOWN: FILES[KNOWN], NEW: FILES[NEW]}), create_phones="on"), imports=True
    )
    assert found == {KNOWN: "other-account", NEW: "created"}
    strange.refresh_from_db()
    assert strange.current_profile is None
    assert Phone.objects.get(mac="02AA00000002").account == acme
    refused = desk.post(PAGE, {"chosen": packed(), "owner": charlie.pk})
    assert list(refused.context["form"].errors) == ["owner"]
    url = upload(desk)
    assert at_desk(clerk(acme, "second@acme.example")).get(url).status_code == 404
    assert walk_is_missing(desk, f"{url}?owner={charlie.pk}")


def walk_is_missing(desk, url: str) -> bool:
    step_url = desk.get(url).context["step_url"]
    return desk.post(step_url, {"start": 0, "counts": "0,0,0,0,0"}).status_code == 404


def test_whoever_may_not_see_passwords_adds_files_and_changes_none(acme, alice, phone):
    desk = at_desk(clerk(acme))
    assert walk(desk, upload(desk, packed({KNOWN: FILES[KNOWN]})), imports=True)[0] == {KNOWN: "created"}
    changed = packed({KNOWN: sip_file("1005").encode()})
    assert walk(desk, upload(desk, changed), imports=True)[0] == {KNOWN: "permission-denied"}
    without = at_desk(clerk(acme, "second@acme.example", without="change_phone"))
    assert without.get(PAGE).status_code == 403


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ([], "This field is required."),
        ([SimpleUploadedFile("phones.zip", b"PK\x03\x04 and nothing else")], "The ZIP archive is damaged"),
        ([packed({"__MACOSX/x": b"x"})], "There is no file in it."),
    ],
)
def test_what_cannot_be_read_is_said_at_the_field(root_desk, files, words):
    page = root_desk.post(PAGE, {"chosen": files})
    assert words in str(page.context["form"].errors["chosen"])


@pytest.mark.parametrize("sent", [{}, {"start": "-1", "counts": "0,0,0,0,0"}, {"start": "0", "counts": "x"}])
def test_a_step_that_nobody_asks_for_is_none(root_desk, phone, sent):
    step_url = root_desk.get(upload(root_desk)).context["step_url"]
    assert root_desk.post(step_url, sent).status_code == 404
