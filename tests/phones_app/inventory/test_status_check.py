"""Phones are looked at from time to time: what they say is kept, and who goes away or comes back is told."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from contacts_app.core.work.claim import Claims
from contacts_app.core.work.models import lock
from contacts_app.core.work.queue import run_queue
from phones_app.boot.models import FileFetch
from phones_app.deployment.request import deploy
from phones_app.inventory import status_check as inventory
from phones_app.inventory.models import Phone, Presence
from profiles_app.events.models.outbox import Event
from tests.phones_app.hands import switch_off, switch_on
from tests.phones_app.site import ACTOR
from tests.servers import wait_for

pytestmark = pytest.mark.django_db(transaction=True)


def check_now(*phones: Phone) -> int:
    """Let the worker look at these phones, as it does when they are due; how many it took."""
    asked = inventory.request_status_checks(Phone.objects.filter(pk__in=[phone.pk for phone in phones]))
    looked = 0

    def all_looked() -> bool:
        # The file server, writing down what a phone has just fetched, may hold its row; then it stays due.
        nonlocal looked
        looked += run_queue(inventory.STATUS_CHECKS)
        return looked >= asked

    wait_for(all_looked)
    for phone in phones:
        phone.refresh_from_db()
    return looked


def told() -> list[tuple[str, str]]:
    events = Event.objects.filter(data_type="phone").order_by("pk")
    # Changes of the record are told as well; what looks tell is hyphenated.
    return [(event.tags[-1], event.data["mac"]) for event in events if event.tags[-1].startswith("phone-")]


@pytest.fixture(autouse=True)
def by_hand(no_inline_work):
    """A nudge goes nowhere, so that each test plays the worker itself."""


def test_a_phone_tells_what_it_is(site):
    phone = site.phone(model="", software_type=None)
    with site.alive(site_phone(phone, "8845", "SIP")):
        before = timezone.now()
        assert check_now(phone) == 1
    assert (phone.model, phone.software_type, phone.presence) == ("8845", "SIP", Presence.REACHABLE)
    assert phone.software_version.startswith("sip8845_65.")
    assert phone.serial_number == f"FCH{phone.mac[-8:]}"
    assert phone.in_call is False
    assert phone.last_seen_at >= before
    assert told() == []


def site_phone(phone: Phone, model: str, software: str) -> Phone:
    """The row as the simulator needs it; what is stored does not know it yet."""
    phone.model, phone.software_type = model, software
    return phone


def test_a_finer_record_stays(site):
    phone = site.phone(model="CP-8865", software_type="SIPE")
    with site.alive(phone):
        check_now(phone)
    assert (phone.model, phone.software_type) == ("CP-8865", "SIPE")


def test_a_call_is_seen_and_its_end(site):
    phone = site.phone()
    with site.alive(phone) as fleet:
        fleet[phone.mac].fault = "in_call"
        check_now(phone)
        assert phone.in_call is True
        fleet[phone.mac].fault = ""
        check_now(phone)
        assert phone.in_call is False


def test_going_away_takes_two_misses_and_is_told_as_is_coming_back(site):
    phone = site.phone()
    with site.alive(phone) as fleet:
        check_now(phone)
        switch_off(fleet, phone.mac)
        check_now(phone)
        assert (phone.presence, phone.missed_checks) == (Presence.REACHABLE, 1)
        assert phone.next_check_at < timezone.now() + timedelta(minutes=2)
        seen = phone.last_seen_at
        check_now(phone)
        assert (phone.presence, phone.in_call, phone.last_seen_at) == (Presence.UNREACHABLE, None, seen)
        assert phone.look_error == "No status page of a phone answers at this address."
        since = phone.presence_since
        check_now(phone)
        assert phone.presence_since == since
        switch_on(fleet, phone.mac)
        check_now(phone)
    assert (phone.presence, phone.missed_checks, phone.look_error) == (Presence.REACHABLE, 0, "")
    mac = phone.mac_with_colons
    assert told() == [("phone-unreachable", mac), ("phone-seen-again", mac)]


def test_another_phone_at_the_address_is_flagged_and_never_restarted(site, finish):

    phone = site.phone()
    with site.alive(phone) as fleet:
        fleet[phone.mac].fault = "wrong_mac"
        check_now(phone)
        deployment = finish(deploy(phone=phone, profile=site.profile(), actor=ACTOR))
        assert (deployment.state, deployment.error_code) == ("failed", "another-phone")
        assert fleet[phone.mac].restarts == 0
        assert (phone.presence, phone.model, phone.serial_number) == (Presence.ANOTHER, "8845", "")
        assert phone.mac_there == f"{phone.mac[:10]}{int(phone.mac[10:], 16) ^ 0xFF:02X}"
        fleet[phone.mac].fault = ""
        check_now(phone)
    assert (phone.presence, phone.mac_there) == (Presence.REACHABLE, "")
    mac = phone.mac_with_colons
    assert told() == [("phone-at-another-address", mac), ("phone-seen-again", mac)]


def test_a_forbidden_address_is_not_asked(site, settings):
    phone = site.phone()
    settings.PHONE_NETWORKS = "192.0.2.0/24"
    check_now(phone)
    assert (phone.presence, phone.missed_checks) == (Presence.NEVER, 0)
    assert "PHONE_NETWORKS" in phone.look_error


def test_an_address_changed_during_the_look_is_not_judged(site):
    phone = site.phone()
    seen = inventory.check(inventory.Place(phone.phone_ip, phone.web_port, phone.pk))
    Phone.objects.filter(pk=phone.pk).update(phone_ip="127.0.0.9")
    assert inventory.write_down([seen]) == 0


def test_who_is_looked_at_is_taken_by_nobody_else_and_due_again_after_a_crash(site):
    phone = site.phone()
    one, another = (Claims(inventory.StatusChecks(name)) for name in ("one", "another"))
    assert one.take().keys == [phone.pk]
    assert another.take() is None
    Phone.objects.update(next_check_at=timezone.now())  # the claim is over
    assert another.take().keys == [phone.pk]


def test_one_round_at_a_time_and_a_dead_one_holds_up_nobody_for_ever(site):
    site.phone()
    with lock(inventory.STATUS_CHECKS, seconds=300) as ours:
        assert ours
        assert run_queue(inventory.STATUS_CHECKS) == 0
    assert run_queue(inventory.STATUS_CHECKS) == 1
    with lock(inventory.STATUS_CHECKS, seconds=-1) as dead, lock(inventory.STATUS_CHECKS, seconds=300) as ours:
        assert (dead, ours) == (True, True)


def test_inactive_phones_and_those_without_an_address_are_left_alone(site, settings):
    site.phone(is_active=False)
    nowhere = site.phone()
    Phone.objects.filter(pk=nowhere.pk).update(phone_ip=None)
    assert (inventory.StatusChecks.sweep(), run_queue(inventory.STATUS_CHECKS)) == (0, 0)
    site.phone()
    assert inventory.StatusChecks.sweep() == 1
    settings.STATUS_CHECK_SECONDS = 0
    assert (inventory.StatusChecks.sweep(), run_queue(inventory.STATUS_CHECKS)) == (0, 0)


def test_many_phones_are_written_down_together(site):
    phones = [site.phone() for _ in range(40)]
    with site.alive(*phones):
        # None of them is written down by the file server any more.
        wait_for(lambda: FileFetch.objects.exclude(sha256="").count() == 40)
        Phone.objects.update(next_check_at=timezone.now())
        with CaptureQueriesContext(connection) as queries:
            assert run_queue(inventory.STATUS_CHECKS) == 40
    assert Phone.objects.filter(presence=Presence.REACHABLE).count() == 40
    assert len(queries) < 25
