"""What every test gets: state in a folder of its own, the database of the run, and a cast with fixed meaning.

Alice runs account `acme`, Bob is her colleague without rights, Charlie is a stranger in account `other`.
"""

import gc
import os
from itertools import islice
from pathlib import Path

import pytest
from cachetools import TTLCache
from celery import current_app
from django.core.cache import cache
from django.test import override_settings

from contacts_app.core.memory import Memory, forget_everything

# The database, what the tests cost, and what is used all over: callers of the REST APIs and people in the admin.
pytest_plugins = ["tests.databases", "tests.cost", "tests.phones_app.rest", "tests.phones_app.desks"]


HERE = Path(__file__).parent
# Files that take long, with about how many seconds: they begin first, so that at the end no process works alone.
LONGEST = {
    "browser/test_pages.py": 130,
    "upgrade/test_upgrade.py": 120,
    "apis/test_rights.py": 110,
    "test_beyond_one_machine.py": 95,
    "apis/test_openapi.py": 90,
    "browser/test_tour.py": 90,
    "phones_app/rollout/test_kill.py": 90,
    "test_lists.py": 80,
    "phones_app/deployment/test_stopped_worker.py": 75,
    "phones_app/deployment/test_kill.py": 60,
    "test_backup.py": 35,
    "browser/test_buttons_in_docs.py": 35,
    "browser/test_fifty_phones.py": 30,
    "phones_app/rollout/test_true_states.py": 25,
    "apis/test_generated_clients.py": 20,
}


def pytest_collection_modifyitems(items):
    """Each process is given one stretch of the tests, all about as long; it begins with its share of the longest."""
    processes = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    files, others = {name: [] for name in LONGEST}, []
    for item in items:
        files.get(os.path.relpath(item.path, HERE), others).append(item)
    beginnings, seconds = [[] for _ in range(processes)], [0] * processes
    for name, found in files.items():
        if found:
            least = seconds.index(min(seconds))
            beginnings[least] += found
            seconds[least] += LONGEST[name]
    ordered, rest = [], iter(others)
    for number, beginning in enumerate(beginnings):
        stretch = (len(items) - len(ordered)) // (processes - number)
        ordered += [*beginning, *islice(rest, max(stretch - len(beginning), 0))]
    items[:] = ordered


def pytest_collection_finish():
    """What is loaded by now stays: looking through it for garbage again and again was 6 % of the processor's time."""
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    gc.enable()


@pytest.fixture(scope="session", autouse=True)
def quick():
    """Cheap password hashes, static files looked for when asked for, short waits. Set once: for each of 8,000 tests that
    was more than half of what an empty one costs.
    """
    with override_settings(
        # Every test client would list all of them anew: three quarters of the time of a request's test.
        WHITENOISE_AUTOREFRESH=True,
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
        SWITCH_WAIT_SECONDS=60,
        CONFIRM_SECONDS=5,
        UPLOAD_RETRY_SECONDS=0,
    ):
        yield


@pytest.fixture(autouse=True)
def forgetful():
    # Serving requests sets that of the portal, with which servers of other users cannot read what tests write.
    os.umask(0o022)
    cache.clear()
    forget_everything()


@pytest.fixture
def unforgetting(monkeypatch):
    """What is remembered for seconds, as who asks, is remembered to the end of the test, however long that takes."""
    for memory in Memory.every:
        monkeypatch.setattr(memory, "_values", TTLCache(memory._values.maxsize, 3600))


def account(**fields):
    """Stored with what follows from it, but not checked before: a third of the time, before nearly every test."""
    from contacts_app.accounts.models import Account
    from contacts_app.accounts.services import save_account

    account = Account(**fields)
    save_account(account)
    return account


@pytest.fixture
def acme(db):
    return account(voip_id=1000001, name="Acme", email="office@acme.example")


@pytest.fixture
def other(db):
    return account(voip_id=1000002, name="Other", email="office@other.example")


@pytest.fixture
def alice(acme):
    from contacts_app.people.models import User

    return User.objects.create_user(
        "alice@acme.example", "correct horse", account=acme, permission_level=0, first_name="Alice", last_name="Archer"
    )


@pytest.fixture
def bob(acme):
    from contacts_app.people.models import User

    return User.objects.create_user(
        "bob@acme.example", "correct horse", account=acme, first_name="Bob", last_name="Baker"
    )


@pytest.fixture
def charlie(other):
    from contacts_app.people.models import User

    return User.objects.create_user(
        "charlie@other.example", "correct horse", account=other, permission_level=0, first_name="Charlie"
    )


@pytest.fixture
def root(db):
    from contacts_app.people.models import User

    return User.objects.create_superuser("root@example.org", "correct horse")


@pytest.fixture
def no_inline_work():
    """Nudges from the test's own process go nowhere: work is done by the workers that the test runs."""
    current_app.conf.task_always_eager = False
    yield
    current_app.conf.task_always_eager = True
