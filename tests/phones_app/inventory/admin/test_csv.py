"""CSV in the web admin: export a selection, upload, look at counts and errors, say yes; phones, profiles and contacts."""

import csv
import io
import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from contacts_app.contacts.models.contact import NotificationContact
from contacts_app.core.csv import importing
from contacts_app.core.csv.models import UploadedCsv
from phones_app.inventory.models import Phone
from profiles_app.phone.models import PhoneProfile
from tests.admin_people import at_desk, clerk
from tests.phones_app.site import sccp_file

MAC = "AABBCCDDEE01"
PHONES, PROFILES = "phones_app_phone", "profiles_app_phoneprofile"
CONTACTS = "contacts_app_notificationcontact"


def csv_of(response) -> str:
    assert response.status_code == 200, response
    return b"".join(response.streaming_content).decode("utf-8-sig")


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def export(desk, base: str) -> str:
    """All rows, by the button above the list."""
    name = "export_all"
    return csv_of(desk.get(reverse(f"admin:{base}_{name}")))


def upload(desk, base: str, text: str | bytes) -> str:
    """The page that the upload leads to."""
    content = text if isinstance(text, bytes) else text.encode()
    file = SimpleUploadedFile("edited.csv", content)
    response = desk.post(reverse(f"admin:{base}_import"), {"file": file})
    assert response.status_code == 302, response.content
    return response.url


def counts(page) -> tuple[int, int, int]:
    text = re.sub(r"<[^>]+>|\s+", " ", page.content.decode())
    found = re.search(r"(\d+)\s+new,\s+(\d+)\s+changed,\s+(\d+)\s+unchanged", text)
    return tuple(map(int, found.groups()))


def test_export_edit_import_of_phones(clerk_desk, new_phone):
    phone = new_phone(name="Before")
    text = export(clerk_desk, PHONES)
    edited = text.replace("Before", "After") + "020000000001" + "," * text.splitlines()[0].count(",") + "\r\n"
    page = upload(clerk_desk, PHONES, edited)

    assert counts(clerk_desk.get(page)) == (1, 1, 0)
    phone.refresh_from_db()
    assert phone.name == "Before"
    assert clerk_desk.post(page).status_code == 302
    phone.refresh_from_db()
    assert (phone.name, Phone.objects.count()) == ("After", 2)
    assert not UploadedCsv.objects.exists()
    latest = phone.history.latest()
    assert (latest.history_channel, latest.history_actor) == ("admin", "clerk@acme.example")
    assert latest.history_change_reason == "Imported from edited.csv"


@pytest.mark.parametrize("base", [PHONES, PROFILES, CONTACTS])
def test_unedited_export_changes_nothing_and_leaves_no_history(clerk_desk, new_phone, new_profile, acme, base):
    new_phone(name="=1+1", web_password="push secret")
    new_profile(name="@home", description="+1", compatible_models=["8845", "8851"])
    NotificationContact.objects.create(account=acme, email="x@acme.example", phone="+442079460958")
    models = (Phone, PhoneProfile, NotificationContact)
    before = [(list(model.objects.values()), model.history.count()) for model in models]
    text = export(clerk_desk, base)
    assert rows_of(text)
    page = upload(clerk_desk, base, text)
    assert counts(clerk_desk.get(page)) == (0, 0, len(rows_of(text)))
    clerk_desk.post(page)
    assert [(list(model.objects.values()), model.history.count()) for model in models] == before


def test_every_error_is_shown_and_can_be_downloaded(clerk_desk, new_phone):
    new_phone()
    page = upload(clerk_desk, PHONES, f"mac,model,sip_port\n{MAC},{'x' * 70},0\nbad,,\n")
    shown = clerk_desk.get(page)
    assert b"Row 2, model" in shown.content
    assert b"Row 3, mac" in shown.content
    told = rows_of(csv_of(clerk_desk.get(f"{page}errors.csv")))
    assert [(row["row"], row["column"]) for row in told] == [("2", "model"), ("2", "sip_port"), ("3", "mac")]
    assert clerk_desk.post(page).status_code == 200
    assert Phone.objects.get().model == "8845"


def test_selection_is_what_is_exported(clerk_desk, new_phone):
    new_phone()
    wanted = new_phone("AABBCCDDEE02")
    response = clerk_desk.post(
        reverse("admin:phones_app_phone_changelist"), {"action": "export_selected", "_selected_action": [wanted.pk]}
    )
    assert [row["mac"] for row in rows_of(csv_of(response))] == [wanted.mac_with_colons]


def test_filtered_list_is_exported_whole(clerk_desk, new_phone):
    for number in range(30):
        new_phone(f"AABBCCDDEE{number:02X}", model="8851" if number else "8845")
    response = clerk_desk.post(
        reverse("admin:phones_app_phone_changelist") + "?model=8851",
        {"action": "export_selected", "select_across": "1", "_selected_action": ["0"]},
    )
    assert len(rows_of(csv_of(response))) == 29


def test_nothing_of_another_tenant_goes_out_or_is_changed(clerk_desk, new_phone, new_profile, other, charlie):
    new_phone(account=other, name="Secret place")
    profile = new_profile(user=charlie, name="Theirs")
    contact = NotificationContact.objects.get(account=other)
    for base in (PHONES, PROFILES, CONTACTS):
        text = export(clerk_desk, base)
        assert not re.search("Secret place|Theirs|office@other", text)
    for base, text in (
        (PHONES, f"mac,name\n{MAC},Mine\n"),
        (PROFILES, f"uuid,name\n{profile.uuid},Mine\n"),
        (PROFILES, f"owner,name\n{charlie.email},Mine\n"),
        (CONTACTS, f"uuid,name\n{contact.uuid},Mine\n"),
        (CONTACTS, f"account,email\n{other.voip_id},mine@other.example\n"),
    ):
        page = upload(clerk_desk, base, text)
        assert counts(clerk_desk.post(page)) == (0, 0, 0)
        assert b"Row 2" in clerk_desk.get(page).content
    assert Phone.objects.get().name == "Secret place"


def test_an_upload_is_the_business_of_its_person_alone(clerk_desk, root_desk, new_phone):
    new_phone()
    page = upload(clerk_desk, PHONES, f"mac,web_password\n{MAC},push secret\n")
    assert b"push secret" not in bytes(clerk_desk.get(page).content)
    for path in (page, f"{page}errors.csv"):
        assert root_desk.get(path).status_code == 404
    assert root_desk.post(page).status_code == 404


def test_whoever_may_only_look_exports_and_does_not_import(acme, new_phone):
    new_phone()
    looker = clerk(acme, "looker@acme.example")
    looker.user_permissions.set(looker.user_permissions.filter(codename__startswith="view_"))
    desk = at_desk(looker)
    assert rows_of(export(desk, PHONES))
    assert desk.get(reverse("admin:phones_app_phone_import")).status_code == 403
    assert desk.post(reverse("admin:phones_app_phone_import"), {}).status_code == 403


def test_profiles_are_changed_but_not_made_and_their_files_still_judged(clerk_desk, new_profile, alice):
    sccp, sip = new_profile("Old", sccp_file(), software_type="SCCP"), new_profile("New")
    page = upload(
        clerk_desk,
        PROFILES,
        f"uuid,owner,name,software_type,compatible_models\n{sccp.uuid},{alice.email},Old,SIP,\n"
        f',ALICE@acme.example,New,SIP,"CP-8845, 8851"\n,{alice.email},Unknown,,\n{sip.uuid},{alice.email},Again,,\n',
    )
    told = rows_of(csv_of(clerk_desk.get(f"{page}errors.csv")))
    assert [(row["row"], row["column"]) for row in told] == [("2", "software_type"), ("4", "name"), ("5", "uuid")]
    page = upload(clerk_desk, PROFILES, f'uuid,name,compatible_models\n{sip.uuid},Newer,"CP-8845, 8851"\n')
    clerk_desk.post(page)
    sip.refresh_from_db()
    assert (sip.name, sip.compatible_models, sip.user) == ("Newer", ["8845", "8851"], alice)


def test_contacts_are_known_by_account_and_email(clerk_desk, acme):
    text = "email,name,phone\noffice@acme.example,The office,(020) 7946-0958\nnew@acme.example,New,\nbad,,x\n"
    told = rows_of(csv_of(clerk_desk.get(f"{upload(clerk_desk, CONTACTS, text)}errors.csv")))
    assert [row["column"] for row in told] == [""]
    text = "account,email,name,phone\n,office@acme.example,The office,(020) 7946-0958\n,new@acme.example,New,\n"
    page = upload(clerk_desk, CONTACTS, text)
    assert counts(clerk_desk.get(page)) == (1, 1, 0)
    clerk_desk.post(page)
    contacts = NotificationContact.objects.filter(account=acme).order_by("pk")
    assert [(row.email, row.name, row.phone, row.main) for row in contacts] == [
        ("office@acme.example", "The office", "02079460958", True),
        ("new@acme.example", "New", "", False),
    ]


@pytest.mark.parametrize("content", [b"\x00\xff", b"mac\n\xff\n", b"mac\n" + b"0" * 40_000_000])
def test_what_is_no_sheet_is_a_sentence_on_the_page(clerk_desk, db, content):
    response = clerk_desk.post(
        reverse("admin:phones_app_phone_import"), {"file": SimpleUploadedFile("x.csv", content)}, follow=True
    )
    assert response.status_code == 200
    assert re.search(rb"Row \d|larger than", response.content)


def test_no_file_at_all_is_a_sentence_on_the_page(clerk_desk):
    response = clerk_desk.post(reverse("admin:phones_app_phone_import"), {})
    assert b"This field is required" in response.content


def test_an_import_tells_another_request_how_far_it_is(clerk_desk, new_phone, monkeypatch):
    monkeypatch.setattr(importing, "TOLD_EACH", 0)
    page = upload(clerk_desk, PHONES, "mac,name\r\n" + "".join(f"0200000{n:05d},P{n}\r\n" for n in range(700)))
    progress = f"{page}progress/"
    assert clerk_desk.get(progress).json() == {"doing": "", "part": 0}
    told = []
    store = importing._store

    def stored(*batch: object) -> None:
        told.append(clerk_desk.get(progress).json())
        store(*batch)

    monkeypatch.setattr(importing, "_store", stored)
    assert clerk_desk.post(page).status_code == 302
    assert told[0] == {"doing": "Checking", "part": 1.0}
    assert told[-1]["doing"] == "Storing"
    assert 0 < told[-1]["part"] < 1
    # A browser would write an error to its console.
    assert clerk_desk.get(progress).json() == {"doing": "", "part": 0}
