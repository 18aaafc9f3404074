"""History: who changed what, when, through which channel and why; no secret, no noise, and it outlives its record."""

import io
import re
from datetime import timedelta

import pytest
from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.db import DatabaseError, models, transaction
from django.db.models import F
from django.db.models.functions import Now
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from contacts_app.accounts.models import Account, Extension
from contacts_app.contacts.models.contact import NotificationContact
from contacts_app.core.history import saving
from contacts_app.core.history.models import MASK, HistoryRow, tracked_models
from contacts_app.core.history.records import create_recorded, save_recorded, update_recorded
from contacts_app.people.models import User
from contacts_app.tokens.models import ApiToken
from contacts_app.tokens.services import create_token, revoke_token
from tests.admin_people import at_desk

pytestmark = pytest.mark.django_db

SECRET_LOOKING = re.compile(
    r"passw|secret|token|(^|_)pin|digest|hash|config|header|key|callback_url|content|stored", re.IGNORECASE
)
# What looks like a secret by its name alone, and is none.
HARMLESS = {
    "ApiToken.key_id",
    "Callback.webhook_key",
    "KeyLayout.keys",
    "MobilityPolicy.own_key_kinds",
    "Layer.key_layout",
    "OutboundVoiceProfile.tn_lease",
    "User.pin_must_change",
}
# Written by Patchbay itself about what happened: they are records already; an uploaded sheet will be some.
RECORDS = {
    "contacts_app": {
        "AskedRow",
        "AskedWork",
        "KeptAnswer",
        "ListColumns",
        "SavedFilter",
        "LoginSession",
        "Mail",
        "Notice",
        "Incident",
        "Tally",
        "UploadedCsv",
        "WorkStatus",
    },
    "profiles_app": {
        "Admission",
        "CallRecord",
        "CallbackQueue",
        "DailyCallReport",
        "Delivery",
        "DeliveryAttempt",
        "Event",
        "InboundMessage",
        "Message",
        "MessageAttempt",
        "ProfileRevision",
        "StickySender",
        "VoiceUsage",
    },
    "phones_app": {
        "ChosenPhone",
        "FileCopy",
        "Deployment",
        "DeploymentStep",
        "EnrolmentRequest",
        "FileFetch",
        "LastDeployment",
        "LeftFile",
        "MobilitySession",
        "PhoneConfiguration",
        "PhoneFile",
        "PinFailures",
        "RequestedFile",
        "RolloutCount",
        "RolloutMember",
        "RolloutPlanning",
        "ServiceSession",
        "Upgrade",
    },
}


def last(row) -> HistoryRow:
    return type(row).history.filter(id=row.pk).first()


def count(row) -> int:
    return type(row).history.filter(id=row.pk).count()


def test_every_record_that_a_person_can_change_has_a_history():
    for app, records in RECORDS.items():
        ours = {model.__name__ for model in apps.get_app_config(app).get_models() if not issubclass(model, HistoryRow)}
        tracked = {model.__name__ for model in tracked_models if model._meta.app_label == app}
        assert ours - tracked - records == set()


def test_no_historical_table_has_a_column_that_could_hold_a_secret():
    for model, tracked in tracked_models.items():
        kept = {field.name for field in model.history.model._meta.local_fields}
        assert kept.isdisjoint(tracked.secret)
        looking = {
            f"{model.__name__}.{name}"
            for name in kept
            if SECRET_LOOKING.search(name) and not name.startswith("history_")
        }
        assert looking - HARMLESS == set()
        assert not [field for field in model.history.model._meta.local_fields if isinstance(field, models.BinaryField)]


def test_no_service_writes_many_tracked_rows_behind_the_back_of_history():
    """`update` of what the system counts by itself is fine; all else goes through `core/history/records.py`."""
    tracked = {model.__name__: one for model, one in tracked_models.items()}
    written = re.compile(r"\b(\w+)\.objects\b[^#\n]*\.(bulk_create|bulk_update|update)\(([^#\n]*)")
    behind = []
    for app in RECORDS:
        for file in (settings.BASE_DIR / app).rglob("*.py"):
            for model, method, arguments in written.findall(file.read_text()):
                quiet = tracked[model].quiet if model in tracked else set()
                names = set(re.findall(r"(\w+)=", arguments))
                if model in tracked and (method != "update" or not names <= {*quiet, "updated_at"}):
                    behind.append(f"{file.relative_to(settings.BASE_DIR)}: {model}.{method}")
    assert behind == []


def test_a_change_in_the_admin_names_the_person_the_request_and_the_reason(root, acme):
    contact = NotificationContact.objects.create(account=acme, email="a@acme.example", name="Ann")
    url = reverse("admin:contacts_app_extension_add")
    answer = at_desk(root).post(
        url,
        {"account": acme.pk, "number": 7, "name": "Desk", "_reason": "New desk"},
        headers={"X-Request-Id": "request-0001"},
    )
    assert answer.status_code == 302
    row = last(Extension.objects.get())
    assert (row.history_type, row.history_actor, row.history_user, row.history_channel) == (
        "+", "root@example.org", root, "admin",
    )  # fmt: skip
    assert (row.history_request_id, row.history_change_reason) == ("request-0001", "New desk")
    assert (last(contact).history_actor, last(contact).history_channel) == ("system", "command")


def test_statements_are_kept_for_a_few_sets_of_columns_alone(acme, monkeypatch):
    """A program may change any columns together: of twenty there are a million sets."""
    monkeypatch.setattr(saving, "MOST", 3)
    contact = NotificationContact.objects.create(account=acme, email="a@acme.example", name="Ann")
    columns = [field.name for field in NotificationContact._meta.concrete_fields if not field.primary_key]
    for number in range(len(columns)):
        contact.save(update_fields=columns[: number + 1])
        assert len(tracked_models[NotificationContact].saving._kept) <= 3
    contact.name = "Anna"
    contact.save(update_fields=columns)
    assert last(contact).history_changes == {"name": ["Ann", "Anna"]}


def test_what_the_database_works_out_is_stored_by_a_statement_of_its_own(acme):
    person = User.objects.create(account=acme, email="a@acme.example", last_login=Now())
    person.refresh_from_db()
    first_login = person.last_login
    person.last_login, person.first_name = F("last_login") + timedelta(days=1), "Ann"
    person.save()
    person.refresh_from_db()
    assert person.last_login == first_login + timedelta(days=1)
    assert [row.history_changes for row in person.history.all()] == [{"first_name": ["", "Ann"]}, {}]


def test_what_is_gone_is_neither_changed_nor_recorded(acme):
    contact = NotificationContact.objects.create(account=acme, email="a@acme.example", name="Ann")
    NotificationContact.objects.filter(pk=contact.pk).delete()
    with pytest.raises(DatabaseError, match="did not affect any rows"), transaction.atomic():
        contact.save(update_fields=["name"])
    assert last(contact).history_type == "-"


def test_a_change_by_rest_names_the_token_and_whoever_made_it(root, acme):
    token, text = create_token(account=acme, created_by=root)
    contact = NotificationContact.objects.create(account=acme, email="a@acme.example", name="Ann")
    answer = APIClient().put(
        f"/api/2.0/notification_contacts/{contact.uuid}/",
        {"name": "Anna", "email": "a@acme.example"},
        headers={"Authorization": f"Bearer {text}", "X-Change-Reason": "Sie heißt Anna".encode().decode("latin-1")},
    )
    assert answer.status_code == 200, answer.content
    row = last(contact)
    assert row.history_changes == {"name": ["Ann", "Anna"]}
    assert (row.history_actor, row.history_user, row.history_channel) == (f"token {token.key_id}", root, "rest")
    assert row.history_change_reason == "Sie heißt Anna"
    assert row.history_request_id == answer["X-REQUEST-ID"]


def test_a_change_by_a_command_names_the_command():
    call_command("create_account", name="New", email="new@new.example", stdout=io.StringIO())
    row = last(Account.objects.get(name="New"))
    assert (row.history_channel, row.history_change_reason) == ("command", "manage.py create_account")


def test_saving_what_is_there_already_is_no_news(acme):
    before = count(acme)
    acme.save()
    acme.balance = "0.0000"
    acme.save()
    assert count(acme) == before


def test_what_the_system_notes_by_itself_is_no_news(alice, acme):
    token, _ = create_token(account=acme)
    alice.last_login = token.last_used_at = timezone.now()
    before = count(alice), count(token)
    alice.save(update_fields=["last_login"])
    token.save()
    assert (count(alice), count(token)) == before


def test_a_changed_password_is_told_and_not_shown(alice):
    alice.set_password("another correct horse")
    alice.set_pin("4711")
    alice.save()
    row = last(alice)
    assert row.history_changes == {"password": [MASK, MASK], "pin_hash": [None, MASK]}
    assert not {"password", "pin_hash"} & {field.name for field in row._meta.fields}


def test_groups_and_permissions_that_were_given_or_taken_are_told(alice, acme):
    from contacts_app.accounts.models import AccountGroup

    households = AccountGroup.objects.create(name="Households")
    acme.groups.add(households)
    assert last(acme).history_changes == {"groups": [None, "Households"]}
    households.members.remove(acme)
    assert last(acme).history_changes == {"groups": ["Households", None]}
    acme.groups.add(households)
    acme.groups.clear()
    assert last(acme).history_changes == {"groups": ["Households", None]}


def test_history_outlives_the_record_its_account_and_its_author(root, acme):
    extension = Extension.objects.create(account=acme, number=7, name="Desk")
    number, account, author = (extension.pk, acme.pk, User.objects.create_superuser("gone@example.org", "horse"))
    url = reverse("admin:contacts_app_extension_change", args=[number])
    at_desk(author).post(url, {"account": account, "number": 8, "name": "Desk"})
    author.delete()
    acme.delete()
    rows = list(Extension.history.filter(id=number))
    assert [row.history_type for row in rows] == ["-", "~", "+"]
    assert (rows[1].history_actor, rows[1].history_user) == ("gone@example.org", None)
    assert rows[1].history_changes == {"number": [7, 8]}
    assert rows[0].account_id == account
    assert Account.history.filter(id=account).first().history_name == "Acme (1000001)"


def test_many_rows_changed_at_once_have_their_history(acme):
    made = create_recorded(Extension(account=acme, number=number) for number in range(1, 4))
    assert {last(row).history_type for row in made} == {"+"}
    assert update_recorded(Extension.objects.filter(number__lte=2), name="Lobby") == 2
    assert [last(row).history_changes for row in made] == [{"name": ["", "Lobby"]}] * 2 + [{}]
    for row in made:
        row.name = "Lobby"
    save_recorded(made, ["name"])
    assert [count(row) for row in made] == [2, 2, 2]
    assert set(Extension.objects.values_list("name", flat=True)) == {"Lobby"}


def test_revoking_a_token_is_news(acme):
    token, _ = create_token(account=acme)
    revoke_token(token)
    assert list(last(token).history_changes) == ["revoked_at"]
    assert "digest" not in {field.name for field in ApiToken.history.model._meta.fields}
