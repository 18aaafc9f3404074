"""A PIN is not guessed: failures are counted for each person and for each phone, in the database."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.db import connection, connections
from django.urls import reverse
from django.utils import timezone

from contacts_app.people.models import User
from phones_app.inventory.models import Phone
from phones_app.mobility import pins
from phones_app.mobility.authentication import LoginRefused
from phones_app.mobility.models import PinFailures
from phones_app.mobility.services import caller, log_in_on_phone

pytestmark = pytest.mark.django_db
MACS = [f"AABBCCDDEE{number:02d}" for number in range(50)]


@pytest.fixture
def person(alice):
    alice.set_pin("1234")
    alice.save()
    return alice


@pytest.fixture
def phones(acme):
    Phone.objects.bulk_create(Phone(mac=mac, account=acme, phone_ip="127.0.0.1") for mac in MACS)
    return [caller(mac) for mac in MACS]


@pytest.fixture
def checked(monkeypatch):
    """The PINs that were really compared."""
    seen: list[str] = []
    real = User.check_pin
    monkeypatch.setattr(User, "check_pin", lambda self, pin: seen.append(pin) or real(self, pin))
    return seen


def log_in(phone, name="alice@acme.example", pin="0000") -> bool:
    try:
        log_in_on_phone(phone=phone, name=name, pin=pin, address="127.0.0.1")
    except LoginRefused:
        return False
    return True


def later(**time: int) -> None:
    """As if the failures had been so long ago."""
    for row in PinFailures.objects.all():
        PinFailures.objects.filter(pk=row.pk).update(last_at=row.last_at - timedelta(**time))


def test_one_person_is_tried_five_times_on_however_many_phones(phones, person, checked):
    for attempt in range(120):
        log_in(phones[attempt % 50], pin=f"{attempt:04d}")
        cache.clear()  # Nothing is counted there.
    assert len(checked) == 5
    assert not log_in(phones[0], pin="1234"), "locked for the right PIN too"
    later(minutes=10)
    assert not log_in(phones[0], pin="1234")
    later(minutes=6)
    assert log_in(phones[0], pin="1234")


def test_case_3_wrong_pins_again_and_again_over_fifty_phones_are_five(phones, person, client, checked):
    wrong = {"user": "alice@acme.example"}
    for attempt in range(200):
        asked = wrong | {"device": f"SEP{MACS[attempt % 50]}", "pin": f"{attempt:04d}"}
        answer = client.get("/cisco/services/em/login", asked)
        assert (answer.status_code, b"Login failed (201)" in answer.content) == (200, True)
    assert len(checked) == 5
    assert PinFailures.objects.get(user=person).count == 5


def test_somebody_else_s_success_resets_nothing(phones, person, bob, checked):
    """Who knows one PIN of the account logged in with it between guesses, and guessed for ever."""
    bob.set_pin("7777")
    bob.save()
    for attempt in range(30):
        log_in(phones[0], pin=f"{attempt:04d}")
        log_in(phones[0], name="bob@acme.example", pin="7777")
    assert len([pin for pin in checked if pin != "7777"]) == 5
    assert PinFailures.objects.get(user=person).count == 5
    assert not PinFailures.objects.filter(user=bob).exists()


def test_a_phone_is_tried_ten_times(phones, person):
    for _ in range(10):
        log_in(phones[0], name="nobody")
    assert not log_in(phones[0], pin="1234")
    assert log_in(phones[1], pin="1234")
    later(minutes=11)
    assert log_in(phones[0], pin="1234")


def test_a_success_takes_only_its_own_try_from_the_phone(phones, person):
    for _ in range(4):
        log_in(phones[0])
    assert log_in(phones[0], pin="1234")
    assert not PinFailures.objects.filter(user=person).exists()
    assert PinFailures.objects.get(mac=MACS[0]).count == 4


def test_slow_guesses_add_up(phones, person, checked):
    for attempt in range(6):
        later(minutes=10)
        log_in(phones[attempt])
    assert len(checked) == 5


def test_every_failure_reads_the_same(phones, person, client):
    def screen(**query: str) -> bytes:
        return client.get("/cisco/services/pdir", {"mac": MACS[0]} | query).content

    wrong = screen(user="alice@acme.example", pin="9999")
    assert screen(user="nobody", pin="1234") == wrong
    for _ in range(12):
        screen(user="alice@acme.example", pin="9999")
    assert screen(user="alice@acme.example", pin="1234") == wrong
    assert b"Login failed (201)" in wrong


@pytest.mark.django_db(transaction=True)
def test_guesses_at_the_same_moment_are_counted_all(phones, person, checked):
    def guess(number: int) -> None:
        try:
            log_in(phones[number % 50], pin=f"{number:04d}")
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(guess, range(40)))
    assert len(checked) <= 5
    assert PinFailures.objects.get(user=person).count == 5
    assert connection.vendor in ("sqlite", "postgresql")


def test_a_lock_is_seen_and_lifted_in_the_admin(clerk_desk, phones, person, charlie):
    for _ in range(5):
        log_in(phones[0])
    theirs = PinFailures.objects.create(user=charlie, count=5, last_at=timezone.now())
    row = PinFailures.objects.get(user=person)
    assert pins.is_locked(row)
    listed = clerk_desk.get(reverse("admin:phones_app_pinfailures_changelist")).content.decode()
    assert "alice@acme.example" in listed
    assert "charlie" not in listed
    assert clerk_desk.post(_delete(theirs), {"post": "yes"}).status_code == 404
    assert clerk_desk.post(_delete(row), {"post": "yes"}).status_code == 302
    assert log_in(phones[0], pin="1234")


def _delete(row: PinFailures) -> str:
    return reverse("admin:phones_app_pinfailures_delete", args=[row.pk])
