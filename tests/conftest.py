"""What every test gets: state in a folder of its own, the database of the run, and a cast with fixed meaning.

Alice runs account `acme`, Bob is her colleague without rights, Charlie is a stranger in account `other`.
"""

import gc

import pytest
from celery import current_app
from django.core.cache import cache

from contacts_app.core.memory import forget_everything

# The database, and what is used all over: callers of the REST APIs and people in the admin.
pytest_plugins = ["tests.databases", "tests.phones_app.rest", "tests.phones_app.desks"]


# What takes longest begins first, so that at the end no process works alone.
LONGEST = (
    "test_beyond_one_machine.py",
    "test_backup.py",
    "test_lists.py",
    "test_true_states.py",
    "test_upgrade.py",
    "test_pages.py",
    "test_deploy.py",
    "test_openapi.py",
)


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: item.path.name not in LONGEST)


def pytest_collection_finish():
    """What is loaded by now stays: looking through it for garbage again and again was 6 % of the processor's time."""
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    gc.enable()


@pytest.fixture(autouse=True)
def quick_and_forgetful(settings):
    """Cheap password hashes, static files looked for when asked for, short waits, an empty cache."""
    # Every test client would list all of them anew: three quarters of the time of a request's test.
    settings.WHITENOISE_AUTOREFRESH = True
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.SWITCH_WAIT_SECONDS = 20
    settings.CONFIRM_SECONDS = 5
    settings.UPLOAD_RETRY_SECONDS = 0
    cache.clear()
    forget_everything()


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
