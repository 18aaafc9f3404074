"""Files of phones through a browser: chosen, looked at step by step, imported step by step."""

import os

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from phones_app.inventory import uploaded_files
from phones_app.inventory.models import Phone
from phones_app.shared_files.models import SharedFile
from profiles_app.phone.models import PhoneProfile
from tests.phones_app.firmware import sets
from tests.phones_app.site import sip_file

LOAD = "SIP42.9-4-2SR3-1S"

pytestmark = pytest.mark.django_db(transaction=True)


def test_files_are_checked_and_imported_while_one_looks_on(window, acme, alice, tmp_path, monkeypatch):
    monkeypatch.setattr(uploaded_files, "STEP_SECONDS", 0)
    Phone.objects.create(mac="02AA00000001", account=acme, model="8845")
    files = {
        "SEP02AA00000001.cnf.xml": sip_file("1001").replace("<webAccess>0", "<webAccess>on"),
        "SEP02AA00000002.cnf.xml": "<device><x></device>",
        "dialplan.xml": "<DIALTEMPLATE/>",
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    desk = window("phone", "light")
    page = desk.page
    desk.open(reverse("admin:profiles_app_phoneprofile_files"))
    page.locator("[name=chosen]").set_input_files([tmp_path / name for name in files])
    expect(page.locator("input[type=text][disabled]")).to_have_value("3 files")
    page.get_by_role("button", name="Check the files").click()
    page.get_by_role("button", name="Import 1 file").wait_for()
    counts = "1 new profiles 0 new revisions 0 unchanged 1 refused 1 ignored"
    expect(page.locator("#upload-counts")).to_have_text(counts, use_inner_text=True)
    expect(page.locator("#upload-refused")).to_contain_text("mismatched tag")
    page.locator("#upload-taken summary").click()
    page.get_by_text("webAccess takes 0, 1 or 2").wait_for()
    assert not PhoneProfile.objects.exists()
    page.get_by_role("button", name="Import 1 file").click()
    page.get_by_text("All 3 files are done.").wait_for()
    assert PhoneProfile.objects.get().name == "SEP02AA00000001"


# What is said below a form while its files are on their way; the page that comes afterwards forgets it.
NOTE = """() => new MutationObserver(() => {
    const said = document.querySelector(".pb-busy");
    const words = said?.querySelector("progress") ? said.innerText : "";
    sessionStorage.told = `${sessionStorage.told || ""}|${words}`;
}).observe(document.body, {childList: true, subtree: true, characterData: true})"""


@pytest.mark.parametrize("what", ["sharedfile_upload", "firmware_package"])
def test_how_much_of_a_file_has_come_is_told_until_it_is_stored(window, settings, tmp_path, what):
    settings.SHARED_FILES_DIR = tmp_path / "shared-files"
    package = sets.as_zip(sets.classic() | {"large.bin": os.urandom(3_000_000)}, tmp_path / "cmterm-7962.zip")
    desk = window()
    page = desk.page
    form = reverse(f"admin:phones_app_{what}")
    desk.open(form)
    page.locator("[name=chosen]").set_input_files(package)
    page.evaluate(NOTE)
    page.locator("form[data-upload] [type=submit]").click()
    page.wait_for_url(lambda url: not url.endswith(form))
    told = page.evaluate("sessionStorage.told")
    size = f"{package.stat().st_size / 2**20:.1f}"
    assert f"|Uploading … {size} of {size} MB" in told
    assert "storing the files …" in told.lower().rpartition(" MB")[2]
    assert SharedFile.objects.filter(path=f"{LOAD}.loads").exists()
