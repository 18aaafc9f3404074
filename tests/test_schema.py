"""Whether the schema is that of the code: /readyz says so, and serve starts on no other one."""

import pytest
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from contacts_app.core import schema
from contacts_app.core.memory import forget_everything
from contacts_app.core.work.models import note_run
from tests.commands import run

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def ready(client):
    schema._lacking.cache_clear()
    note_run("sweep")
    assert client.get("/readyz").json()["migrations"] == "ok"
    yield
    schema._lacking.cache_clear()


def migrations(client) -> tuple[int, str]:
    forget_everything()  # /readyz answers the same for a second
    answer = client.get("/readyz")
    return answer.status_code, answer.json()["migrations"]


def test_a_database_older_than_the_code_is_not_ready(client):
    recorder = MigrationRecorder(connection)
    recorder.record_unapplied("phones_app", "0005_plain_words")
    assert migrations(client) == (503, "1 not applied: phones_app.0005_plain_words")


def test_a_database_newer_than_the_code_is_not_ready(client):
    recorder = MigrationRecorder(connection)
    for number in range(4):
        recorder.record_applied("profiles_app", f"900{number}_later")
    said = ", ".join(f"profiles_app.900{number}_later" for number in range(3))
    assert migrations(client) == (503, f"4 of another version than this code: {said} …")


def test_migrations_of_a_package_that_is_gone_are_no_difference(client):
    MigrationRecorder(connection).record_applied("formerly_used", "0001_initial")
    assert migrations(client) == (200, "ok")


def test_a_database_whose_migrations_only_have_the_same_names_is_not_ready(client):
    """As one of before the migrations began anew."""
    schema._lacking.cache_clear()
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE phones_app_keymacro RENAME COLUMN steps TO moves")
    status, said = migrations(client)
    assert (status, said.partition(":")[0]) == (503, "1 columns lacking")
    assert said.endswith("phones_app_keymacro.steps")


@pytest.mark.django_db(transaction=True)
def test_serve_starts_on_no_database_of_a_newer_version():
    MigrationRecorder(connection).record_applied("profiles_app", "0999_of_a_later_version")
    ran = run("serve", "--no-demo", "--port", "0")
    MigrationRecorder(connection).record_unapplied("profiles_app", "0999_of_a_later_version")
    assert ran.status == 1
    assert "it has profiles_app.0999_of_a_later_version. Install that version" in ran.err
