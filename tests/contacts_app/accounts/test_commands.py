"""Accounts, tokens and the rotation of keys, from the terminal."""

import pytest
from cryptography.fernet import Fernet
from django.contrib.auth import authenticate

from contacts_app.accounts.models import Account, Extension
from contacts_app.core import secrets as secret_rotation
from contacts_app.core.actor import system
from contacts_app.people.models import User
from contacts_app.tokens.models import ApiToken
from phones_app.inventory.models import Phone
from phones_app.servers.models import FileServer
from profiles_app.phone.models import ProfileRevision
from profiles_app.phone.services import create_profile
from tests.commands import manage, run
from tests.phones_app.site import sip_file

pytestmark = pytest.mark.django_db
NEW_ACCOUNT = ("create_account", "--name", "Harbour", "--email", "Office@harbour.example")


def test_account_prints_its_numbers_as_json():
    ran = run(*NEW_ACCOUNT, "--voip-id", 42, "--json")

    account = Account.objects.get()
    assert ran.status == 0
    assert (ran.row["voip_id"], ran.row["uuid"]) == (42, str(account.uuid))
    assert (account.voip_id, account.name, account.email) == (42, "Harbour", "office@harbour.example")
    assert not User.objects.exists()


def test_account_takes_the_next_free_number(acme):
    assert run(*NEW_ACCOUNT, "--json").row["voip_id"] == acme.voip_id + 1


def test_owner_logs_in_with_the_password_given(rf):
    run(*NEW_ACCOUNT, "--password", "correct horse")

    owner = authenticate(rf.post("/"), username="office@harbour.example", password="correct horse")
    assert owner is not None
    assert owner.permission_level == 0
    assert owner.account == Account.objects.get()
    assert not owner.is_staff


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--voip-id", 1000001), "VoIP id"),
        (("--email", "alice@acme.example", "--password", "x"), "email"),
        (("--email", "nonsense"), "email"),
        (("--name", ""), "name"),
    ],
)
def test_account_that_cannot_be_is_refused_in_one_line(alice, arguments, complaint):
    ran = run(*NEW_ACCOUNT, *arguments)

    assert ran.status == 1
    assert complaint in ran.err
    assert len(ran.err.splitlines()) == 1
    assert Account.objects.count() == 1


@pytest.mark.parametrize("arguments", [(), ("--name", "N"), ("--name", "N", "--email", "e", "--voip-id", "0")])
def test_account_without_what_it_needs_is_wrong_usage(arguments):
    assert run("create_account", *arguments).status == 2


def test_dry_runs_leave_no_trace(acme):
    account = run(*NEW_ACCOUNT, "--password", "x", "--dry-run", "--json")
    token = run("create_token", "--account", acme.voip_id, "--extension", 7, "--dry-run", "--json")

    assert (account.status, token.status) == (0, 0)
    assert account.row["uuid"] is token.row["token"] is None
    assert account.row["dry_run"] is token.row["dry_run"] is True
    assert Account.objects.count() == 1
    assert not User.objects.exists()
    assert not ApiToken.objects.exists()
    assert not Extension.objects.exists()


@pytest.mark.parametrize(
    ("arguments", "scope"),
    [
        (("--staff",), "staff"),
        (("--account", 1000001), "account"),
        (("--account", 1000001, "--extension", 100), "extension"),
    ],
)
def test_token_that_was_printed_is_good(acme, arguments, scope):
    ran = run("create_token", *arguments, "--json")

    token = ApiToken.objects.find(ran.row["token"], "192.0.2.1")
    assert token is not None
    assert (token.scope, ran.row["scope"]) == (scope, scope)
    assert token.key_id == ran.row["key_id"]
    assert not token.read_only
    assert (token.expires_at is None) is (scope != "staff")


def test_token_makes_the_extension_that_is_missing_once(acme):
    arguments = ("create_token", "--account", acme.voip_id, "--extension", 100)
    assert [run(*arguments).status, run(*arguments).status] == [0, 0]
    assert Extension.objects.filter(account=acme, number=100).count() == 1


def test_token_can_be_limited():
    limits = ("--read-only", "--networks", "192.0.2.0/24", "--expires-in", "0.5", "--name", "PBX")
    ran = run("create_token", "--staff", *limits, "--json")

    assert ApiToken.objects.find(ran.row["token"], "198.51.100.1") is None
    token = ApiToken.objects.find(ran.row["token"], "192.0.2.9")
    assert token is not None
    assert token.read_only
    assert token.name == "PBX"
    assert 0 < (token.expires_at - token.created_at).total_seconds() <= 12 * 3600


def test_table_shows_the_whole_token():
    ran = run("create_token", "--staff")
    [text] = [word for word in ran.out.split() if word.startswith("pb_")]
    assert ApiToken.objects.find(text, "192.0.2.1")


@pytest.mark.parametrize("columns", [30, 80, 140])
def test_a_secret_stands_whole_on_a_line_of_its_own_at_any_width(monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    ran = run("create_token", "--staff", everywhere=True)
    assert ApiToken.objects.find(ran.out.splitlines()[-1], "192.0.2.1")
    assert max(map(len, ran.out.splitlines()[:-2])) <= columns


def test_people_are_told_which_data_folder_a_command_works_on(acme, settings):
    new = ("create_token", "--account", acme.voip_id)
    if "sqlite" in settings.DATABASES["default"]["ENGINE"]:
        assert run(*new, terminal=True).err == f"The data folder is {settings.DATA_DIR} (DATA_DIR).\n"
    else:
        assert "DATABASE_URL" in run(*new, terminal=True).err
    assert run(*new).err == run(*new, "--json", terminal=True).err == ""


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--staff", "--account", "1000001"),
        ("--staff", "--extension", "5"),
        ("--account", "acme"),
        ("--account", "1000001", "--extension", "-5"),
        ("--staff", "--expires-in", "0"),
        ("--staff", "--expires-in", "1e300"),
        ("--staff", "--networks", "nonsense"),
    ],
)
def test_token_of_nobody_in_particular_is_wrong_usage(acme, arguments):
    assert run("create_token", *arguments).status == 2
    assert not ApiToken.objects.exists()


def test_token_of_an_unknown_account_is_refused():
    ran = run("create_token", "--account", 99)
    assert (ran.status, ran.err) == (1, "There is no account with the VoIP id 99.\n")


@pytest.fixture
def secrets(alice, settings, monkeypatch):
    """Secrets of every kind under an old key, more than one batch of them."""
    monkeypatch.setattr(secret_rotation, "BATCH", 2)
    settings.ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    profile = create_profile(actor=system("test"), user=alice, name="Desk", content=sip_file().encode())
    for number in range(5):
        FileServer.objects.create(name=f"Server {number}", host="192.0.2.1", password=f"secret {number}")
    FileServer.objects.create(name="Server without", host="192.0.2.1")
    Phone.objects.create(mac="02AA00000001", account=alice.account, web_password="push")
    return profile


def readable(profile) -> bool:
    passwords = list(FileServer.objects.order_by("name").values_list("password", flat=True))
    content = ProfileRevision.objects.get(profile=profile).content
    return passwords == [*(f"secret {n}" for n in range(5)), ""] and content == sip_file().encode()


def test_old_key_may_be_dropped_after_rotation(secrets, settings):
    new, old = Fernet.generate_key().decode(), settings.ENCRYPTION_KEYS[0]
    settings.ENCRYPTION_KEYS = [new, old]
    preview = run("rotate_secrets", "--dry-run", "--json")
    first = run("rotate_secrets", "--json")
    second = run("rotate_secrets", "--json")

    settings.ENCRYPTION_KEYS = [new]
    assert readable(secrets)
    assert Phone.objects.get().web_password == "push"
    assert [ran.status for ran in (preview, first, second)] == [0, 0, 0]
    counts = {row["table"]: (row["rotated"], row["current"]) for row in first.rows if row["rotated"]}
    assert counts == {
        "phones_app.FileServer": (5, 0),
        "phones_app.Phone": (1, 0),
        "profiles_app.ProfileRevision": (1, 0),
        "profiles_app.Event": (1, 0),
    }
    assert [row["rotated"] for row in preview.rows] == [row["rotated"] for row in first.rows]
    assert not any(row["rotated"] for row in second.rows)
    assert sum(row["current"] for row in second.rows) == 8


def test_dry_rotation_leaves_everything_under_the_old_key(secrets, settings):
    old = settings.ENCRYPTION_KEYS
    settings.ENCRYPTION_KEYS = [Fernet.generate_key().decode(), *old]
    run("rotate_secrets", "--dry-run")

    settings.ENCRYPTION_KEYS = old
    assert readable(secrets)


def test_rotation_goes_on_where_it_was_interrupted(secrets, settings, monkeypatch):
    settings.ENCRYPTION_KEYS = [Fernet.generate_key().decode(), *settings.ENCRYPTION_KEYS]
    rotate_one, seen = secret_rotation._rotate_one, []

    def interrupted(*arguments):
        seen.append(arguments)
        if len(seen) == 4:
            raise KeyboardInterrupt
        rotate_one(*arguments)

    monkeypatch.setattr(secret_rotation, "_rotate_one", interrupted)
    assert run("rotate_secrets").status == 130

    monkeypatch.setattr(secret_rotation, "_rotate_one", rotate_one)
    ran = run("rotate_secrets", "--json")
    assert 0 < sum(row["rotated"] for row in ran.rows) < 8
    settings.ENCRYPTION_KEYS = settings.ENCRYPTION_KEYS[:1]
    assert readable(secrets)


def test_rotation_names_what_no_key_reads_and_does_the_rest(secrets, settings):
    lost, new = settings.ENCRYPTION_KEYS[0], Fernet.generate_key().decode()
    kept = Fernet.generate_key().decode()
    settings.ENCRYPTION_KEYS = [kept]
    later = FileServer.objects.create(name="Later", host="192.0.2.1", password="later")
    settings.ENCRYPTION_KEYS = [new, kept]
    ran = run("rotate_secrets", "--json")

    assert ran.status == 1
    assert "8 of the secrets" in ran.err
    assert lost not in ran.out + ran.err
    [servers] = [row for row in ran.rows if row["table"] == "phones_app.FileServer"]
    assert (servers["rotated"], len(servers["unreadable"])) == (1, 5)
    settings.ENCRYPTION_KEYS = [new]
    assert FileServer.objects.get(pk=later.pk).password == "later"


def test_processes_end_with_a_status_and_without_a_traceback(tmp_path):
    environment = {"DATA_DIR": str(tmp_path), "DATABASE_URL": f"sqlite:///{tmp_path}/own.sqlite3"}
    unmigrated = manage(*NEW_ACCOUNT, environment=environment)
    usage = manage("create_token", environment=environment)

    assert unmigrated.status == 1
    assert "manage.py migrate" in unmigrated.err
    assert f"The data folder is {tmp_path}" in unmigrated.err, "it may be another one than was meant"
    assert len(unmigrated.err.splitlines()) == 1
    assert usage.status == 2
    assert "Traceback" not in usage.err
