"""Backups of earlier versions are restored, which upgrades them: no row is lost, all pages and lists open, secrets are
readable.
"""

import re
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.conf.global_settings import PASSWORD_HASHERS
from django.contrib import admin
from django.contrib.auth.management import create_permissions
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.test import Client
from django.urls import reverse

import config.urls  # noqa: F401 - finds the pages of the admin
from contacts_app.core.backup.archive import ArchiveWriter
from contacts_app.core.backup.keys import check_keys, proof
from contacts_app.core.backup.rows import StoredTable, read_rows
from contacts_app.core.backup.service import Restore
from tests.admin_people import at_desk
from tests.apis.routes import LISTS, WITHHELD, url_of
from tests.databases import EARLIER
from tests.portal import OWNER, PASSWORD
from tests.upgrade import dump

DUMPS = sorted(dump.FOLDER.glob("*.json.xz"))
# Models that have another name since, or None if they are gone.
RENAMED: dict[str, str | None] = {
    "contacts_app.Trouble": "contacts_app.Incident",
    "contacts_app.Trouble_told": "contacts_app.Incident_told",
    "contacts_app.UploadedSheet": "contacts_app.UploadedCsv",
    "profiles_app.CallbackLane": "profiles_app.CallbackQueue",
}
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def earlier_database(transactional_db, renew_database):
    """A database of the oldest dump's version without any row; the other tests find a new one."""
    renew_database(EARLIER)
    yield
    renew_database()


@pytest.fixture(params=DUMPS, ids=lambda path: path.name.partition(".")[0])
def upgraded(request, earlier_database, renew_database, settings, tmp_path) -> dump.Dump:
    """By restoring a backup: after its rows are loaded, that is `manage.py migrate`, as for any upgrade."""
    settings.SECRET_KEY = dump.KEYS["SECRET_KEY"]
    settings.ENCRYPTION_KEYS = [dump.KEYS["ENCRYPTION_KEYS"]]
    # The owner's password was hashed by the real portal.
    settings.PASSWORD_HASHERS = PASSWORD_HASHERS
    settings.PHONE_FILES_DIR = tmp_path / "phones"
    old = dump.read(request.param)
    dump.load(old)
    back_up(old, path := tmp_path / "backup.zip")
    renew_database(EARLIER)
    restore = Restore(path)
    check_keys(restore.manifest["keys"])
    restore.run(lambda *_: None)
    return old


def back_up(old: dump.Dump, path: Path) -> None:
    """As the version of the dump does, whose tables have to be asked for."""
    executor = MigrationExecutor(connection)
    then = executor.loader.project_state(list(old.migrations.items())).apps
    for app in apps.get_app_configs():
        # Its `migrate` has left these.
        create_permissions(app, apps=then, verbosity=0)
    with ArchiveWriter(path) as archive:
        tables = []
        for name in sorted(set(connection.introspection.table_names()) - {"django_migrations"}):
            with connection.cursor() as cursor:
                columns = [column.name for column in connection.introspection.get_table_description(cursor, name)]
            rows = archive.add_table(name, read_rows(StoredTable(name, columns)))
            tables.append({"name": name, "columns": columns, "rows": rows})
        applied = sorted(executor.loader.applied_migrations)
        archive.finish({"migrations": applied, "tables": tables, "files": {"phones": 0}, "keys": proof()})


def test_there_is_a_dump_of_the_house_and_of_every_released_version():
    """A release is a heading of the changelog: `## 1.2.0`, perhaps with its date; `## 1.2.0rc1` is none yet."""
    assert DUMPS, "run: python -m tests.upgrade.freeze"
    changelog = (settings.BASE_DIR / "CHANGELOG.md").read_text()
    released = re.findall(r"^## v?(\d+\.\d+\.\d+)\b", changelog, re.MULTILINE)
    missing = [version for version in released if not (dump.FOLDER / f"{version}.json.xz").exists()]
    assert not missing, f"run: python -m tests.upgrade.freeze {missing[0]}"


def test_an_old_database_is_upgraded(upgraded):
    """One test, because bringing the database up takes most of its time."""
    call_command("check")
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)
    every_row_is_there(upgraded)
    secrets_are_readable(upgraded)
    every_list_of_rest_answers(upgraded)
    every_page_of_the_admin_opens()


def every_row_is_there(old: dump.Dump) -> None:
    counts = {RENAMED.get(table.model, table.model): len(table.rows) for table in old.tables}
    counts.pop(None, None)
    assert counts == {label: apps.get_model(label)._base_manager.count() for label in counts}


def secrets_are_readable(old: dump.Dump) -> None:
    for model in apps.get_models():
        # Reading a row decrypts what is encrypted in it.
        list(model._base_manager.all())
    passwords = apps.get_model("phones_app", "FileServer").objects.values_list("password", flat=True)
    assert old.secret in passwords


# What belongs to a person and not to an account: an API token has no such things.
OF_A_PERSON = ("/api/v1/me", "/rest/auth")


def every_list_of_rest_answers(old: dump.Dump) -> None:
    """With the old API token; what is a person's own, after a log-in with the old password."""
    body = {"username": OWNER, "password": PASSWORD}
    login = Client().post("/api/v1/auth/login", body, content_type="application/json").json()
    for path in LISTS:
        token = login["data"]["accessToken"] if path.startswith(OF_A_PERSON) else old.token
        url = url_of(path, {}, voip_id=old.voip_id, user_uuid=old.user)
        answer = Client(headers={"Authorization": f"Bearer {token}"}).get(url)
        assert answer.status_code == (403 if ("get", path) in WITHHELD else 200), (path, answer.getvalue())


def every_page_of_the_admin_opens() -> None:
    user = apps.get_model("contacts_app", "User")
    desk = at_desk(user.objects.create_superuser("root@example.org", "correct horse"))
    for model in admin.site._registry:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        urls = [reverse(f"{name}_changelist")]
        if (row := model._default_manager.first()) is not None:
            urls.append(reverse(f"{name}_change", args=[row.pk]))
        for url in urls:
            assert desk.get(url).status_code == 200, url
