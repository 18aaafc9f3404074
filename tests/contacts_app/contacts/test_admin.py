"""Notification contacts at the web admin."""

import re

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from contacts_app.accounts.models import Account
from contacts_app.contacts.models.contact import NotificationContact, NotificationType, event_classes
from contacts_app.contacts.services import set_wanted_types, wanted_types
from tests.admin_people import at_desk, clerk

pytestmark = pytest.mark.django_db

LIST = reverse("admin:contacts_app_notificationcontact_changelist")
ADD = reverse("admin:contacts_app_notificationcontact_add")


def page_of(contact, name: str = "change") -> str:
    return reverse(f"admin:contacts_app_notificationcontact_{name}", args=[contact.pk])


@pytest.fixture
def desk(root):
    return at_desk(root)


@pytest.fixture
def main(acme):
    return acme.notification_contacts.get()


@pytest.fixture
def second(acme):
    return acme.notification_contacts.create(email="second@acme.example", name="Second", phone="+442079460958")


def found(desk, term: str) -> list[str]:
    return [contact.email for contact in desk.get(LIST, {"q": term}).context["cl"].result_list]


def test_a_contact_is_added_with_a_compact_number_and_its_choices(desk, acme):
    form = {"account": acme.pk, "email": "new@acme.example", "name": "New", "phone": "(020) 7946-0958"}
    answer = desk.post(ADD, form | {"told_of": ["payment"]})
    assert answer.status_code == 302, answer.context["errors"]
    contact = NotificationContact.objects.get(email="new@acme.example")
    assert (contact.phone, contact.main) == ("02079460958", False)
    assert wanted_types(contact) == ["payment"]


def test_what_is_told_by_default_is_chosen_to_begin_with(desk):
    boxes = re.findall(r'<input[^>]*name="told_of"[^>]*>', desk.get(ADD).content.decode())
    assert len(boxes) == len(NotificationType.values) + len(event_classes)
    # Its classes say "checked:" as well.
    unchecked = {re.search(r'value="(\w+)"', box)[1] for box in boxes if not re.search(r" checked[ >]", box)}
    # The owner of a callback is told anyhow.
    assert unchecked == {"callback_failing", "callback_deregistered"}


@pytest.mark.parametrize(("field", "value"), [("email", "nobody"), ("phone", "ask Ann"), ("email", "")])
def test_wrong_values_are_explained(desk, acme, field, value):
    answer = desk.post(ADD, {"account": acme.pk, "email": "new@acme.example", field: value})
    assert answer.status_code == 200
    assert field in answer.context["adminform"].form.errors
    assert acme.notification_contacts.count() == 1


def test_an_edit_keeps_the_account_and_the_main_mark(desk, main, other):
    form = {"account": other.pk, "main": "", "email": main.email, "name": "Office", "phone": ""}
    assert desk.post(page_of(main), form).status_code == 302
    account = main.account
    main.refresh_from_db()
    assert (main.name, main.main, main.account) == ("Office", True, account)
    assert wanted_types(main) == []


@pytest.mark.parametrize("term", ["+44 20 7946-0958", "7946 0958", "(020) 7946", "second@", "SECOND", "7946"])
def test_a_contact_is_found_by_its_number_in_any_spelling(desk, main, second, term):
    expected = [] if term.startswith("(0") else ["second@acme.example"]
    assert found(desk, term) == expected


def test_the_account_finds_all_its_contacts(desk, main, second, other):
    assert found(desk, "acme") == ["office@acme.example", "second@acme.example"]


def test_to_make_a_contact_main_is_asked_first(desk, main, second, acme):
    page = page_of(second, "make_main")
    assert "becomes the email of" in desk.get(page).content.decode()
    second.refresh_from_db()
    assert not second.main
    assert desk.post(page).status_code == 302
    for row in (main, second, acme):
        row.refresh_from_db()
    assert (main.main, second.main, acme.email) == (False, True, "second@acme.example")
    assert desk.post(page).status_code == 302


def test_an_unfit_address_is_explained(desk, acme, main):
    local = acme.notification_contacts.create(email="root@localhost!")
    answer = desk.post(page_of(local, "make_main"), follow=True)
    assert "will not do as the email of an account" in answer.content.decode()
    main.refresh_from_db()
    assert main.main


def test_the_main_contact_is_deleted_neither_alone_nor_among_others(desk, main, second):
    assert desk.post(page_of(main, "delete"), {"post": "yes"}).status_code == 403
    both = {"action": "delete_selected", "_selected_action": [main.pk, second.pk], "post": "yes"}
    assert "the main contact of Acme" in desk.post(LIST, both).content.decode()
    assert NotificationContact.objects.count() == 2
    desk.post(LIST, both | {"_selected_action": [second.pk]})
    assert list(NotificationContact.objects.all()) == [main]


def test_a_contact_can_be_deleted(desk, main, second):
    assert desk.post(page_of(second, "delete"), {"post": "yes"}).status_code == 302
    assert list(NotificationContact.objects.all()) == [main]


def test_an_account_is_deleted_with_its_main_contact(desk, acme, main, second):
    page = reverse("admin:contacts_app_account_delete", args=[acme.pk])
    assert "Second &lt;second@acme.example&gt;" in desk.get(page).content.decode()
    assert desk.post(page, {"post": "yes"}).status_code == 302
    assert NotificationContact.objects.count() == 0


def test_the_accounts_page_makes_and_moves_the_main_contact(desk):
    form = {"name": "New", "voip_id": 1000009, "email": "a@new.example", "time_zone": "UTC", "is_active": "on"}
    form |= {"level": Account().level, "balance": "0"}
    answer = desk.post(reverse("admin:contacts_app_account_add"), form)
    assert answer.status_code == 302, answer.context["errors"]
    contact = NotificationContact.objects.get()
    assert (contact.main, contact.email) == (True, "a@new.example")
    page = reverse("admin:contacts_app_account_change", args=[contact.account_id])
    assert desk.post(page, form | {"email": "b@new.example"}).status_code == 302
    contact.refresh_from_db()
    assert contact.email == "b@new.example"


def test_a_clerk_knows_the_contacts_of_the_account_alone(acme, other, main, second):
    desk = at_desk(clerk(acme))
    theirs = other.notification_contacts.get()
    assert len(desk.get(LIST).context["cl"].result_list) == 2
    for name in ("change", "delete", "make_main"):
        assert desk.get(page_of(theirs, name)).status_code == 404
    desk.post(ADD, {"account": other.pk, "email": "x@other.example"})
    assert other.notification_contacts.count() == 1


def test_to_make_main_is_to_change_the_account(acme, second):
    someone = clerk(acme)
    someone.user_permissions.remove(Permission.objects.get(codename="change_account"))
    assert at_desk(someone).post(page_of(second, "make_main")).status_code == 403
    second.refresh_from_db()
    assert not second.main


def test_who_may_only_look_sees_a_contact(acme, second):
    someone = clerk(acme)
    someone.user_permissions.set(Permission.objects.filter(codename="view_notificationcontact"))
    desk = at_desk(someone)
    set_wanted_types(second, ["payment"])
    page = desk.get(page_of(second))
    assert page.status_code == 200
    assert "+442079460958" in page.content.decode()
    assert "Payment" in page.content.decode()
    assert desk.post(page_of(second), {"email": "x@acme.example"}).status_code == 403


def test_the_list_asks_the_database_as_often_for_more_rows(desk, acme):
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert desk.get(LIST, {"all": ""}).status_code == 200
        return len(captured)

    def add(count: int) -> None:
        acme.notification_contacts.bulk_create(
            NotificationContact(account=acme, email=f"x{n}@acme.example") for n in range(count)
        )

    add(24)
    queries()
    few = queries()
    add(75)
    assert queries() == few
