"""`manage.py doctor` and its page: each planted fault is found and nothing else, and a sound installation has none."""

import shutil
import socket
from collections import namedtuple
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from contacts_app.core import checks, schema
from contacts_app.core.checks import UNSAFE
from contacts_app.core.work import clock
from contacts_app.core.work.models import WorkStatus, note_run
from contacts_app.people.models import User
from phones_app.deployment.models import Deployment
from phones_app.inventory.models import Phone
from phones_app.servers.models import CallManager, FileServer
from phones_app.shared_files.models import SharedFile
from profiles_app.phone.models import PhoneProfile
from tests.admin_people import at_desk, clerk
from tests.commands import manage, run
from tests.servers import free_port

pytestmark = pytest.mark.django_db


@dataclass
class Installation:
    """A sound one, in which a test plants its fault."""

    settings: Any
    patch: pytest.MonkeyPatch
    folder: Path
    account: Any

    def set(self, **settings: object) -> None:
        for name, value in settings.items():
            setattr(self.settings, name, value)

    def phone(self, address: str, **fields: object) -> Phone:
        return Phone.objects.create(mac="020000000001", account=self.account, phone_ip=address, **fields)


@pytest.fixture
def listening() -> Iterator[int]:
    """A port at which something takes connections."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def sound(settings, monkeypatch, tmp_path, acme, root, listening) -> Iterator[Installation]:
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    for name in ("secret_key", "encryption_keys"):
        monkeypatch.setenv(name.upper(), "from the environment")
    monkeypatch.setattr("os.geteuid", lambda: 1000)  # whoever runs the tests
    installation = Installation(settings, monkeypatch, folder, acme)
    installation.set(
        DATA_DIR=folder,
        ALLOWED_HOSTS=["patchbay.example.org"],
        PUBLIC_URL="https://patchbay.example.org",
        HTTPS=True,
        SECURE_SSL_REDIRECT=True,
        SESSION_COOKIE_SECURE=True,
        CSRF_COOKIE_SECURE=True,
        SECURE_HSTS_SECONDS=31_536_000,
        SECURE_HSTS_INCLUDE_SUBDOMAINS=True,
        SECURE_HSTS_PRELOAD=True,
        SECURE_PROXY_SSL_HEADER=("HTTP_X_FORWARDED_PROTO", "https"),
        TRUSTED_PROXIES="10.0.0.5",
        EMAIL_BACKEND="django.core.mail.backends.smtp.EmailBackend",
        CACHES={"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "redis://127.0.0.1"}},
        PHONE_NETWORKS="127.0.0.0/8, 10.20.0.0/16",
    )
    server = {"host": "127.0.0.1", "port": listening, "username": "u", "password": "s3cret-pw"}
    FileServer.objects.create(name="Files", is_default=True, tested_at=timezone.now(), **server)
    CallManager.objects.create(name="PBX", kind="ami", **server)
    installation.phone("10.20.0.5")
    note_run("sweep")
    yield installation
    schema._lacking.cache_clear()


def found() -> list[str]:
    return [row["code"] for row in run("doctor", "--json").rows]


def test_nothing_is_found_on_a_sound_installation(sound):
    ran = run("doctor")
    assert (ran.status, ran.err) == (0, "")
    assert "In order: readiness, data folder, disk" in ran.out
    assert run("doctor", "--json").out == ""


def test_nothing_is_found_at_a_portal_for_this_machine_alone(sound):
    """The embedded default has no TLS and writes mail to the console."""
    sound.set(ALLOWED_HOSTS=["localhost", "127.0.0.1", "[::1]"], PUBLIC_URL="http://localhost:8000", HTTPS=False)
    sound.set(SECURE_SSL_REDIRECT=False, SESSION_COOKIE_SECURE=False, SECURE_HSTS_SECONDS=0)
    assert found() == []


def test_nothing_is_found_where_phones_fetch_from_the_embedded_file_server(sound):
    """Uploads go to it over the loopback, which PHONE_NETWORKS need not name."""
    FileServer.objects.update(is_embedded=True)
    CallManager.objects.all().delete()
    sound.set(PHONE_NETWORKS="10.20.0.0/16", FILE_SERVER_HOST="0.0.0.0")
    assert found() == []


@pytest.mark.parametrize(("size", "free"), [(10**12, 2 * 10**9), (4 * 10**9, 3 * 10**8), (10**9, 2 * 10**8)])
def test_room_enough_is_in_order(sound, size, free):
    disk_of(size, free)(sound)
    assert found() == []


def unapplied(at: Installation) -> None:
    MigrationRecorder(connection).record_unapplied("phones_app", "0005_plain_words")


def newer(at: Installation) -> None:
    MigrationRecorder(connection).record_applied("profiles_app", "0999_of_a_later_version")


def renamed_column(at: Installation) -> None:
    schema._lacking.cache_clear()
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE phones_app_keymacro RENAME COLUMN steps TO moves")


def dead_broker(at: Installation) -> None:
    at.set(CELERY_TASK_ALWAYS_EAGER=False)
    at.patch.setenv("CELERY_BROKER_URL", "redis://127.0.0.1:1/0")


def sweep_that_stopped(at: Installation) -> None:
    WorkStatus.objects.update(ran_at=clock.now() - timedelta(hours=1))


def wrong_clock(at: Installation) -> None:
    there = timezone.now
    at.patch.setattr("django.utils.timezone.now", lambda: there() + timedelta(seconds=300))


def no_worker(at: Installation) -> None:
    Deployment.objects.create(
        account=at.account, mac="020000000001", requested_by="x", channel="x",
        next_attempt_at=clock.now() - timedelta(hours=1),
    )  # fmt: skip


def disk_of(size: int, free: int) -> Callable[[Installation], None]:
    usage = namedtuple("usage", "total used free")(size, size - free, free)
    return lambda at: at.patch.setattr(shutil, "disk_usage", lambda path: usage)


def open_folder(at: Installation) -> None:
    at.folder.chmod(0o755)


def open_key(at: Installation) -> None:
    (at.folder / "encryption_keys").write_text("secret")
    (at.folder / "encryption_keys").chmod(0o644)


def dropped_key(at: Installation) -> None:
    at.set(ENCRYPTION_KEYS=[Fernet.generate_key().decode()])


def misspelt_key(at: Installation) -> None:
    at.set(ENCRYPTION_KEYS=[*at.settings.ENCRYPTION_KEYS, "no key"])


def no_administrator(at: Installation) -> None:
    User.objects.filter(is_superuser=True).update(is_active=False)


def phone_outside(at: Installation) -> None:
    Phone.objects.update(phone_ip="192.168.7.7")


def dead_file_server(at: Installation) -> None:
    FileServer.objects.update(port=free_port())


def failed_test(at: Installation) -> None:
    FileServer.objects.update(test_result="The server refuses the account.")


def no_file_server(at: Installation) -> None:
    FileServer.objects.update(is_default=False)


def file_server_outside(at: Installation) -> None:
    FileServer.objects.update(host="192.168.7.8")


def dead_call_manager(at: Installation) -> None:
    CallManager.objects.update(port=free_port())


def sip_to_asterisk(at: Installation) -> None:
    CallManager.objects.create(name="Old", kind="sip", host="127.0.0.1", port=5060)


def embedded_on_loopback(at: Installation) -> None:
    FileServer.objects.update(is_embedded=True)


def embedded_on_another_port(at: Installation) -> None:
    FileServer.objects.update(is_embedded=True)
    # As the demo's phones, which fetch from the loopback.
    Phone.objects.update(phone_ip="127.0.1.1")
    (at.folder / "phone-files.url").write_text("http://127.0.0.1:49152")


def nobody_to_call_for_help(at: Installation) -> None:
    owner = User.objects.filter(is_superuser=True).get()
    base = PhoneProfile.objects.create(user=owner, name="Logged out")
    Phone.objects.update(base_profile=base)


def setting(**values: object) -> Callable[[Installation], None]:
    return lambda at: at.set(**values)


def several_machines(at: Installation) -> None:
    """As far as settings say: the database itself stays."""
    at.patch.setattr(checks, "is_shared", lambda: True)
    at.set(CELERY_BROKER_URL="redis://127.0.0.1")


PLANTED: dict[str, tuple[Callable[[Installation], None], list[str]]] = {
    "a migration that is not applied": (unapplied, ["migrations"]),
    "a database of a newer version": (newer, ["migrations"]),
    "a database of before the migrations began anew": (renamed_column, ["migrations"]),
    "no broker": (dead_broker, ["broker"]),
    "a sweep that stopped": (sweep_that_stopped, ["sweep"]),
    "a wrong clock": (wrong_clock, ["clock"]),
    "no worker": (no_worker, ["overdue"]),
    "a large disk with little room": (disk_of(10**12, 10**9), ["disk"]),
    "a small disk with little room, while it is ready": (disk_of(10**9, 10**8), ["disk"]),
    "a full disk, told once": (disk_of(10**12, 6 * 10**7), ["disk"]),
    "a data folder that all may read": (open_folder, ["open-folder"]),
    "a key that all may read": (open_key, ["open-key"]),
    "a key that was dropped too early": (dropped_key, ["unreadable-secrets", "unreadable-secrets"]),
    "a misspelt key": (misspelt_key, ["encryption-keys"]),
    "no administrator": (no_administrator, ["no-administrator"]),
    "a debug mode": (setting(DEBUG=True), ["security.W018"]),
    "every host's name": (setting(ALLOWED_HOSTS=["*"]), ["patchbay.W107"]),
    "TLS without a proxy": (setting(TRUSTED_PROXIES=""), ["patchbay.W103"]),
    "links to nowhere": (setting(PUBLIC_URL="http://localhost:8000"), ["patchbay.W108"]),
    "mail to nobody": (setting(EMAIL_BACKEND="django.core.mail.backends.console.EmailBackend"), ["patchbay.W110"]),
    "every proxy believed": (setting(TRUSTED_PROXIES="10.0.0.5, ::/0"), ["patchbay.E101"]),
    "everybody believed as a proxy": (setting(TRUSTED_PROXIES="", TRUST_PROXY=True), ["patchbay.W102"]),
    "a proxy that is no network": (setting(TRUSTED_PROXIES="proxy.example.org"), ["patchbay.E100"]),
    "a short token for the metrics": (setting(METRICS_TOKEN="short"), ["patchbay.W104"]),
    "FTP from the network": (setting(FILE_SERVER_FTP_HOST="0.0.0.0"), ["patchbay.W105"]),
    "root": (lambda at: at.patch.setattr("os.geteuid", lambda: 0), ["patchbay.W106"]),
    "links without TLS": (setting(PUBLIC_URL="http://patchbay.example.org"), ["patchbay.W109"]),
    "a broker for one machine": (
        lambda at: (several_machines(at), at.set(CELERY_BROKER_URL="sqla+sqlite:////b")),
        ["patchbay.W111"],
    ),
    "a cache for each process": (
        lambda at: (
            several_machines(at),
            at.set(CACHES={"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}),
        ),
        ["patchbay.W112"],
    ),
    "single sign-on without TLS": (
        setting(OIDC_ISSUER="http://sso.example.org", OIDC_RP_CLIENT_ID="a", OIDC_RP_CLIENT_SECRET="b"),
        ["login.W001"],
    ),
    "a second factor of nobody": (setting(SECOND_FACTOR_ROLES=["Administratros"]), ["login.W002"]),
    "nobody who can log in": (setting(LOCAL_LOGIN=False), ["login.E001"]),
    "cookies without TLS": (setting(SESSION_COOKIE_SECURE=False), ["security.W012"]),
    "presets that are not there": (setting(MYACCOUNT_PRESETS_FILE="/nowhere.toml"), ["profiles.E001"]),
    "networks that cannot be read": (setting(PHONE_NETWORKS="10.20.0.5/16"), ["networks-unreadable"]),
    "networks that are all": (setting(CALLBACK_NETWORKS="0.0.0.0/0"), ["networks-too-wide"]),
    "phones that enrol anywhere": (setting(ENROLMENT_NETWORKS="0.0.0.0/0"), ["enrolment-too-wide"]),
    "phones that enrol beside phones": (setting(ENROLMENT_NETWORKS="10.0.0.0/8"), ["enrolment-too-wide"]),
    "phones that enrol where none are": (setting(ENROLMENT_NETWORKS="192.0.2.0/24"), ["enrolment-outside"]),
    "phones that enrol for nobody": (setting(ENROLMENT_NETWORKS="127.0.0.0/8=999"), ["enrolment-account"]),
    "networks of enrolment that cannot be read": (
        setting(ENROLMENT_NETWORKS="10.1.0.0/16=x"),
        ["enrolment-unreadable"],
    ),
    "a phone outside the networks": (phone_outside, ["phones-outside"]),
    "no file server": (no_file_server, ["no-file-server"]),
    "a dead file server": (dead_file_server, ["file-server"]),
    "a file server outside the networks": (file_server_outside, ["server-outside"]),
    "a file server whose last test failed": (failed_test, ["file-server-test"]),
    "a dead call manager": (dead_call_manager, ["call-manager"]),
    "SIP to an Asterisk": (sip_to_asterisk, ["call-manager-kind"]),
    "files that phones cannot fetch": (embedded_on_loopback, ["file-server-loopback"]),
    "a shared file without its content": (
        lambda at: SharedFile.objects.create(path="Ringlist.xml", sha256="0" * 64, size=1),
        ["shared-file-lost"],
    ),
    "a base profile without a line": (nobody_to_call_for_help, ["em-logout-no-emergency"]),
    "files on another port": (embedded_on_another_port, ["file-server-port"]),
}


def test_every_unsafe_setting_is_planted():
    planted = {code for _, codes in PLANTED.values() for code in codes}
    assert {unsafe.id for unsafe in UNSAFE} <= planted


@pytest.mark.parametrize(("plant", "codes"), PLANTED.values(), ids=PLANTED)
def test_a_planted_fault_is_found_and_nothing_else(sound, plant, codes):
    plant(sound)
    ran = run("doctor", "--json")
    assert [row["code"] for row in ran.rows] == codes, ran.out
    assert all(row["message"] and row["advice"] for row in ran.rows)
    assert ran.status == 1
    assert "s3cret-pw" not in ran.out


def test_a_database_that_is_away_is_told_alone(tmp_path):
    ran = manage("doctor", "--json", environment={
        "DATABASE_URL": "postgres://nobody@127.0.0.1:1/none", "DATA_DIR": str(tmp_path / "data"),
        "ALLOWED_HOSTS": "localhost", "SECRET_KEY": "x" * 60, "ENCRYPTION_KEYS": Fernet.generate_key().decode(),
    })  # fmt: skip
    assert (ran.status, [row["code"] for row in ran.rows]) == (1, ["database"]), ran.err


def test_the_page_of_the_admin_says_the_same(sound, root):
    failed_test(sound)
    sound.set(ALLOWED_HOSTS=["testserver"], SECURE_SSL_REDIRECT=False, SECURE_PROXY_SSL_HEADER=None, HTTPS=False)
    desk = at_desk(root)
    page = desk.get("/admin/doctor/", headers={"HX-Request": "true"}).text
    for row in run("doctor", "--json").rows:
        assert row["message"].split("(")[0] in page
    assert "refuses the account" in page
    around = desk.get("/admin/doctor/").text
    assert 'href="/admin/doctor/"' in around
    assert 'hx-get="/admin/doctor/" hx-trigger="load"' in around, "the page does not wait for what is found"


def test_the_page_is_for_administrators(acme, client):
    desk = at_desk(clerk(acme))
    assert desk.get("/admin/doctor/").status_code == 403
    assert "/admin/doctor/" not in desk.get("/admin/").text
    assert client.get("/admin/doctor/").status_code == 302


def test_a_phone_has_its_mac_with_colons_and_an_empty_setting_is_called_empty(sound):
    sound.set(PHONE_NETWORKS="")
    told = [row["message"] for row in run("doctor", "--json").rows if row["code"] == "phones-outside"]
    assert [text for text in told if Phone.objects.get().mac_with_colons in text] == told
    assert told[0].endswith("not in PHONE_NETWORKS (it is empty).")
