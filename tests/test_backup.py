"""`manage.py backup` and `restore`: one moment while others write, keys apart, into an empty folder and database."""

import json
import threading
import zipfile
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from contacts_app.accounts.models import Account, Extension
from contacts_app.accounts.services import create_account
from contacts_app.core.backup import rows
from contacts_app.core.backup.archive import ArchiveReader
from contacts_app.core.backup.service import Restore
from contacts_app.core.errors import Refusal
from phones_app.inventory.models import Phone
from phones_app.rollout.models import Rollout
from phones_app.shared_files import services as shared_files
from phones_app.shared_files import store
from phones_app.shared_files.models import SharedFile
from tests.commands import Ran, Running, manage, run
from tests.phones_app.site import Site, sip_file
from tests.processes import database_url
from tests.servers import free_port

pytestmark = pytest.mark.django_db(transaction=True)
RINGS = b"<CiscoIPPhoneRingList/>" * 20_000


@pytest.fixture
def site(tmp_path, acme, alice, settings):
    """The embedded file server on the folder of which backups are made."""
    settings.PHONE_FILES_DIR = tmp_path / "phones"
    settings.PHONE_FILES_DIR.mkdir()
    settings.SHARED_FILES_DIR = tmp_path / "shared-files"
    site = Site(settings.PHONE_FILES_DIR, acme, alice)
    site.add_file_server()
    yield site
    site.files.stop()


@pytest.fixture
def phone(site) -> Phone:
    """It is not deployed yet; there is a profile for it, and a rollout under way."""
    site.profile(content=sip_file("1002"), compatible_models=["8845"], software_type="SIP")
    Rollout.objects.create(account=site.account, name="Spring", total=4, requested_by="x", channel="x")
    (site.folder / "United_Kingdom").mkdir()
    (site.folder / "United_Kingdom" / "g4-tones.xml").write_bytes(b"<tones/>" * 300_000)
    (site.folder / ".SEP020000000001.cnf.xml.1a2b.part").write_text("half of a file")
    shared_files.put("Ringlist.xml", store.store([RINGS]), account=site.account)
    return site.phone()


def back_up(folder: Path) -> Path:
    path = folder / "backup.zip"
    ran = run("backup", path, "--keys", folder / "keys", "--json")
    assert (ran.status, ran.err) == (0, "")
    assert (ran.row["files"], ran.row["bytes"]) == (3, path.stat().st_size)
    return path


@pytest.fixture
def backup(phone, tmp_path) -> Path:
    return back_up(tmp_path)


class Elsewhere:
    """An installation with an empty folder and, unless it is told otherwise, an empty SQLite database."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.folder = folder
        self.environment = {"DATA_DIR": str(folder), "DATABASE_URL": f"sqlite:///{folder}/other.sqlite3"} | environment

    def manage(self, *arguments: object) -> Ran:
        return manage(*map(str, arguments), environment=self.environment, seconds=300)

    def restore(self, backup: Path, *arguments: str) -> Ran:
        return self.manage("restore", backup, "--keys", backup.with_name("keys"), "--json", *arguments)


def contents(backup: Path) -> dict[str, list[list[object]]]:
    """The rows of each table, in one order and with numbers as numbers: SQLite keeps no zeros at their end."""

    def plain(value: object) -> object:
        try:
            return float(Decimal(value)) if isinstance(value, str) and "." in value else value
        except ArithmeticError:
            return value

    with zipfile.ZipFile(backup) as archive:
        return {
            name: sorted(([plain(value) for value in json.loads(line)] for line in archive.open(name)), key=repr)
            for name in archive.namelist()
            if name.startswith("tables/")
        }


@pytest.fixture
def there(tmp_path) -> Elsewhere:
    return Elsewhere(tmp_path / "there", FILE_SERVER_FTP_PORT=str(free_port()), FILE_SERVER_TFTP_PORT="0")


@pytest.fixture
def empty_database() -> Iterator[str]:
    """Another one on the server of the test's PostgreSQL; its URL."""
    name = f"{connection.settings_dict['NAME']}_restored"
    with connection._nodb_cursor() as cursor:
        cursor.execute(f'CREATE DATABASE "{name}"')
        yield database_url().rpartition("/")[0] + f"/{name}"
        cursor.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def test_a_restored_installation_is_the_same_and_confirms_phones_again(site, phone, there, tmp_path, request):
    """On PostgreSQL it goes into SQLite, and from there into PostgreSQL again."""
    with site.alive(phone):
        backup = back_up(tmp_path)
        everything_is_restored(there, backup, again := tmp_path / "again.zip")
        if connection.vendor == "postgresql":
            there.environment["DATA_DIR"] = str(tmp_path / "third")
            there.environment["DATABASE_URL"] = request.getfixturevalue("empty_database")
            assert (ran := there.restore(again)).status == 0, ran.err
            assert there.manage("backup", tmp_path / "third.zip").status == 0
            assert contents(tmp_path / "third.zip") == contents(again)
        site.files.stop()
        there.environment["FILE_SERVER_HTTP_PORT"] = str(site.files.http_port)
        serving = Running(tmp_path / "files.log", "serve_files", "--json", environment=there.environment)
        try:
            serving.says("}")
            profile = site.owner.phone_profiles.get()
            deployed = there.manage("deploy_profile", profile.uuid, phone.mac, "--wait", "--timeout", 150, "--json")
        finally:
            serving.stop()
    assert (deployed.status, deployed.row["state"]) == (0, "confirmed"), deployed.err + serving.printed
    assert deployed.row["evidence"] == "file-fetched"


def everything_is_restored(there: Elsewhere, backup: Path, again: Path) -> None:
    assert there.restore(backup, "--dry-run").status == 0
    ran = there.restore(backup)
    assert ran.status == 0, ran.err
    assert (there.folder / "phones/United_Kingdom/g4-tones.xml").read_bytes() == b"<tones/>" * 300_000
    assert (there.folder / "phones/SEP020000000001.cnf.xml").read_text() == sip_file()
    digest = SharedFile.objects.get().sha256
    assert (there.folder / "shared-files" / digest[:2] / digest).read_bytes() == RINGS

    assert there.manage("backup", again).status == 0
    before, after = contents(backup), contents(again)
    rollouts = "tables/phones_app_rollout.jsonl"
    assert ["running" in before.pop(rollouts)[0], "paused" in after.pop(rollouts)[0]] == [True, True]
    changed = {name.split("_app_")[1] for name, found in after.items() if found != before[name]}
    # What the pause of the rollout has written.
    assert changed <= {"historicalrollout.jsonl", "event.jsonl", "notice.jsonl"}


def test_nothing_that_is_read_within_a_snapshot_is_of_a_later_moment(acme):
    tables = {table.name: table for table in rows.stored_tables()}
    accounts, extensions = tables[Account._meta.db_table], tables[Extension._meta.db_table]
    failures: list[BaseException] = []

    def write() -> None:
        try:
            account = create_account(voip_id=1000009, name="Later", email="later@example.org")
            Extension.objects.create(account=account, number=101)
        except BaseException as failure:
            failures.append(failure)
        finally:
            connection.close()

    with rows.snapshot():
        assert len(list(rows.read_rows(accounts))) == 1
        # Whoever writes does not wait for the backup.
        writer = threading.Thread(target=write)
        writer.start()
        writer.join(180)
        assert not writer.is_alive()
        assert list(rows.read_rows(extensions)) == []
        assert len(list(rows.read_rows(accounts))) == 1
    assert failures == []
    assert len(list(rows.read_rows(accounts))) == 2


def test_every_table_is_in_the_backup(db):
    there = set(connection.introspection.table_names())
    assert there - {table.name for table in rows.stored_tables()} == {"django_migrations"}


def test_neither_keys_nor_secrets_can_be_read_in_it(site, backup):
    with zipfile.ZipFile(backup) as archive:
        everything = b"\n".join(archive.read(name) for name in archive.namelist())
    for secret in (b"very-secret", b"s3cret-pw", settings.SECRET_KEY.encode(), settings.ENCRYPTION_KEYS[0].encode()):
        assert secret not in everything
    assert settings.ENCRYPTION_KEYS[0] in backup.with_name("keys").read_text()
    assert [path.stat().st_mode & 0o077 for path in (backup, backup.with_name("keys"))] == [0, 0]


def test_a_restore_that_cannot_be_writes_nothing(backup, tmp_path, settings):
    def refusal(path: Path = backup) -> str:
        ran = run("restore", path)
        assert ran.status == 1
        return ran.err

    before = sorted(settings.PHONE_FILES_DIR.rglob("*"))
    for content in (b"", b"PK"):
        (tmp_path / "broken.zip").write_bytes(content)
        assert "is no whole backup" in refusal(tmp_path / "broken.zip")
    assert "a newer version, which has phones_app.0999_of_a_later_version" in refusal(newer(backup))
    assert "Restore it with the version that made it" in refusal(newer(backup, format=2))
    assert "phones is not empty" in refusal()
    assert sorted(settings.PHONE_FILES_DIR.rglob("*")) == before
    settings.PHONE_FILES_DIR = settings.SHARED_FILES_DIR = tmp_path / "empty"
    assert refusal().startswith("The database is not empty")
    settings.SECRET_KEY = "x" * 60
    assert "SECRET_KEY is not that of the backup" in refusal()
    settings.ENCRYPTION_KEYS = ["ZnJvemVuLWFuZC1wdWJsaWMta2V5LW9mLWR1bXBzISE="]
    assert "ENCRYPTION_KEYS are not those of the backup" in refusal()
    assert not (tmp_path / "empty").exists()


def newer(backup: Path, **changes: object) -> Path:
    """The same, as if of a version with one more migration; with other `changes` of what it says of itself."""
    path = backup.with_name("newer.zip")
    with zipfile.ZipFile(backup) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "manifest.json":
                manifest = json.loads(content)
                manifest["migrations"].append(["phones_app", "0999_of_a_later_version"])
                manifest |= changes
                content = json.dumps(manifest).encode()
            new.writestr(name, content)
    return path


def test_tables_of_an_earlier_version_are_made_by_its_migrations(backup):
    restore = Restore(backup)
    executor = MigrationExecutor(connection)
    assert set(restore.targets(executor)) == set(executor.loader.graph.leaf_nodes())
    later = [[app, name] for app, name in restore.manifest["migrations"] if app == "phones_app" and name > "0004"]
    restore.manifest["migrations"] = [node for node in restore.manifest["migrations"] if node not in later]
    assert ("phones_app", "0003_call_manager_kinds") in restore.targets(executor)


def test_no_file_of_a_backup_is_written_outside_of_its_folder(backup, tmp_path):
    with zipfile.ZipFile(backup, "a") as archive:
        archive.writestr("files/phones/../../outside", b"")
    with pytest.raises(Refusal):
        ArchiveReader(backup).extract_folder("phones", tmp_path / "there")
    assert not (tmp_path / "there").exists()


def test_a_file_that_is_there_is_not_overwritten(tmp_path):
    (tmp_path / "kept.zip").write_text("kept")
    assert run("backup", tmp_path / "kept.zip").status == 2
    assert run("backup", tmp_path / "nowhere" / "b.zip").status == 2
    assert run("backup", tmp_path, "--dry-run").status == 0
    assert [path.read_text() for path in tmp_path.iterdir() if path.is_file()] == ["kept"]
