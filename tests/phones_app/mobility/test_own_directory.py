"""A person's own directory: over REST, as CSV, in the admin, and on the screen of the phone where they are logged in."""

import pytest
from django.urls import reverse

from contacts_app.accounts.models import Extension
from phones_app.mobility.models import DirectoryEntry
from tests.phones_app.rest import of

pytestmark = pytest.mark.django_db
DENTIST = {"name": "Dentist", "number": "+351 555 0199"}
ENTRIES = "directory-entries"


@pytest.fixture
def own(bob):
    """Bob, a member of level 9, and what he keeps for himself."""
    caller = of(bob)
    return lambda method, path="", body=None: caller.call(method, f"me/directory-entries{path}", body)


@pytest.fixture
def owner(alice):
    return of(alice)


def test_a_person_keeps_entries_in_their_own_order(own, alice):
    DirectoryEntry.objects.create(user=alice, **DENTIST)
    first = own("post", body=DENTIST)
    assert first.status_code == 201
    assert own("post", body={"name": "Zoo", "number": "200", "place": 0}).status_code == 201
    assert own("post", body={"name": "Aunt", "number": "300", "place": 1}).status_code == 201
    assert [row["name"] for row in own("get").json()["data"]] == ["Dentist", "Zoo", "Aunt"]
    path = f"/{first.json()['data']['uuid']}"
    assert own("patch", path, {"name": "Doctor"}).json()["data"]["name"] == "Doctor"
    assert own("delete", path).status_code == 200
    assert [row["name"] for row in own("get").json()["data"]] == ["Zoo", "Aunt"]
    theirs = DirectoryEntry.objects.get(user=alice)
    assert own("get", f"/{theirs.uuid}").status_code == 404
    assert own("delete", f"/{theirs.uuid}").status_code == 404


@pytest.mark.parametrize("number", ["", "12345678901234567890123456789012x", "1" * 33, "call me", "12\n34"])
def test_a_number_is_one_that_a_phone_dials(own, number):
    answer = own("post", body={"name": "X", "number": number})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "number"


def test_a_number_stands_there_once(own, alice):
    assert own("post", body=DENTIST).status_code == 201
    assert own("post", body=DENTIST).status_code == 409


def test_those_who_manage_the_account_keep_the_directories_of_its_people(owner, alice, charlie):
    made = owner.post(ENTRIES, DENTIST | {"user_uuid": str(alice.uuid)})
    assert made.status_code == 201, made.content
    assert owner.post(ENTRIES, DENTIST | {"user_uuid": str(charlie.uuid)}).status_code == 400
    listed = owner.get(f"{ENTRIES}?user_uuid={alice.uuid}").json()["data"]
    assert [(row["name"], row["user_uuid"]) for row in listed] == [("Dentist", str(alice.uuid))]


def test_directories_come_and_go_as_csv(owner, alice):
    def imported(text: str):
        url = f"/api/v1/{ENTRIES}.csv"
        return owner.client.post(url, text.encode(), content_type="text/csv", headers=owner.headers).json()

    body = f"owner,number,name,place\n{alice.email},100,Reception,1\n{alice.email},+1 (202) 555-0100,Äpfel,\n"
    assert imported(body)["data"] == {"created": 2, "updated": 0, "unchanged": 0, "stored": True}
    written = b"".join(owner.get(f"{ENTRIES}.csv").streaming_content).decode()
    assert f"{alice.email},100,Reception,1" in written
    assert imported(written)["data"]["unchanged"] == 2
    assert imported(f"owner,number,name\n{alice.email},nobody,X\n")["errors"][0]["column"] == "number"


def test_own_entries_stand_before_those_of_the_company(see, phone, alice, acme):
    alice.set_pin("1234")
    alice.save()
    Extension.objects.create(account=acme, number=101, name="Accounts")
    DirectoryEntry.objects.create(user=alice, name="Zoo", number="200")
    shown = see("pdir", mac=phone.mac, user=alice.email, pin="1234")
    assert shown.choices == (("Zoo", "200"), ("Accounts", "101"))


def test_entries_are_kept_on_the_page_of_the_person(clerk_desk, alice):
    DirectoryEntry.objects.create(user=alice, **DENTIST)
    page = clerk_desk.get(reverse("admin:contacts_app_user_change", args=[alice.pk])).content.decode()
    assert "+351 555 0199" in page
