"""The main contact: one for each account, made with it, following its email."""

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from contacts_app.accounts.models import Account
from contacts_app.accounts.services import create_account, save_account
from contacts_app.contacts.models.contact import NotificationContact, NotificationPreference
from contacts_app.contacts.services import delete_contact, make_main, set_wanted_types, wanted_types
from contacts_app.core.errors import Refusal
from contacts_app.core.values import parse_phone_number
from tests.commands import run

pytestmark = pytest.mark.django_db


@pytest.fixture
def main(acme):
    return acme.notification_contacts.get()


@pytest.fixture
def second(acme):
    return acme.notification_contacts.create(email="second@acme.example", name="Second")


def test_an_account_is_made_with_it(main, acme):
    assert (main.main, main.email, main.name, main.phone) == (True, acme.email, "Acme", "")


def test_the_command_makes_it_too(db):
    made = run("create_account", "--name", "Harbour", "--email", "Office@Harbour.example", "--json").row
    main = NotificationContact.objects.get(account__voip_id=made["voip_id"])
    assert (main.main, main.email) == (True, "office@harbour.example")
    tried = run("create_account", "--name", "Dry", "--email", "dry@harbour.example", "--dry-run")
    assert tried.status == 0
    assert NotificationContact.objects.count() == 1


def test_it_follows_the_accounts_email(main, acme):
    acme.email = "new@acme.example"
    save_account(acme)
    main.refresh_from_db()
    assert (main.email, main.name) == ("new@acme.example", "Acme")


def test_it_keeps_an_email_of_its_own_until_the_accounts_changes(main, acme, second):
    main.email = "own@acme.example"
    main.save()
    acme.name = "Acme Ltd"
    save_account(acme)
    main.refresh_from_db()
    assert main.email == "own@acme.example"
    acme.email = "new@acme.example"
    save_account(acme)
    main.refresh_from_db()
    second.refresh_from_db()
    assert (main.email, second.email) == ("new@acme.example", "second@acme.example")


def test_an_account_from_before_gets_it_with_its_next_email(acme, main):
    main.delete()
    acme.email = "new@acme.example"
    save_account(acme)
    assert acme.notification_contacts.get().main


def test_the_database_allows_no_second_one(acme, other, main):
    with pytest.raises(IntegrityError), transaction.atomic():
        acme.notification_contacts.create(email="x@acme.example", main=True)
    assert NotificationContact.objects.filter(main=True).count() == 2


def test_another_contact_becomes_the_main_one_and_the_accounts_email(acme, main, second):
    make_main(second)
    for row in (acme, main, second):
        row.refresh_from_db()
    assert (main.main, second.main) == (False, True)
    assert (main.email, second.email, acme.email) == (
        "office@acme.example",
        "second@acme.example",
        "second@acme.example",
    )
    make_main(second)
    assert acme.notification_contacts.get(main=True) == second


def test_an_address_that_is_no_accounts_stays_where_it_is(acme, main):
    local = acme.notification_contacts.create(email="root@localhost!")
    with pytest.raises(Refusal, match="will not do"):
        make_main(local)
    acme.refresh_from_db()
    assert (acme.email, acme.notification_contacts.get(main=True)) == ("office@acme.example", main)


def test_it_is_deleted_with_its_account_alone(acme, main, second):
    set_wanted_types(second, [])
    with pytest.raises(Refusal):
        delete_contact(main)
    delete_contact(second)
    delete_contact(second)
    assert NotificationPreference.objects.count() == 0
    assert list(acme.notification_contacts.all()) == [main]
    acme.delete()
    assert NotificationContact.objects.count() == Account.objects.count() == 0


def test_an_account_that_is_refused_leaves_no_contact(acme):
    with pytest.raises(ValidationError):
        create_account(name="Again", email="again@acme.example", voip_id=acme.voip_id)
    assert NotificationContact.objects.count() == 1


def test_only_decisions_that_differ_are_written(main):
    wanted = wanted_types(main)
    set_wanted_types(main, wanted)
    assert NotificationPreference.objects.count() == 0
    set_wanted_types(main, wanted[2:])
    assert wanted_types(main) == wanted[2:]
    assert NotificationPreference.objects.count() == 2
    set_wanted_types(main, wanted)
    assert wanted_types(main) == wanted


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("+1 123 555 1234", "+11235551234"),
        ("(020) 7946-0958", "02079460958"),
        ("00 44.20\t7946-0958", "00442079460958"),
        ("112", "112"),
        ("", ""),
        (" -.() ", ""),
    ],
)
def test_a_number_has_one_form_however_it_is_typed(typed, kept):
    assert parse_phone_number(typed) == kept
    assert parse_phone_number(kept) == kept


@pytest.mark.parametrize("typed", ["+", "12", "1+23", "++123", "1" * 21, "x123", "١٢٣", "123\n", "1" + " " * 40])
def test_what_is_no_number_is_refused(typed):
    with pytest.raises(ValidationError):
        parse_phone_number(typed)
