"""discover_phones finds phones in networks and at their addresses, on real sockets of simulated phones."""

import pytest
from django.utils import timezone

from phones_app.inventory.models import Phone, Presence
from phones_app.simulator.fleet import FleetThread
from phones_app.simulator.phone import SimulatedPhone
from phones_app.simulator.state import SimulatedPhoneConfig
from profiles_app.events.models.outbox import Event
from tests.commands import run
from tests.servers import free_port

pytestmark = pytest.mark.django_db(transaction=True)
NETWORK = "127.9.9.0/28"


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def office(port):
    """Three phones with an address each and the same port, as in an office; one has a call."""
    phones = [
        SimulatedPhone(
            SimulatedPhoneConfig(
                mac=f"0200AA0000{number:02X}",
                model=model,
                software_type=software,
                host=f"127.9.9.{number}",
                web_port=port,
                config_url="http://127.0.0.1:1",
                fault=fault,
            )
        )
        for number, model, software, fault in (
            (1, "8845", "SIP", ""),
            (2, "7962", "SCCP", "in_call"),
            (3, "8841", "SIP", ""),
        )
    ]
    with FleetThread(phones) as fleet:
        yield fleet


def found(ran) -> dict[str, str]:
    assert ran.status == 0, ran.err
    return {row["address"]: row["result"] for row in ran.rows}


def discover(port: int, *arguments: object):
    return run("discover_phones", NETWORK, "--json", "--port", port, "--timeout", 10, *arguments)


def test_unknown_phones_are_listed_and_not_added(office, port, acme):
    ran = discover(port)
    assert found(ran) == {f"127.9.9.{number}": "unknown" for number in (1, 2, 3)}
    row = next(row for row in ran.rows if row["address"] == "127.9.9.2")
    assert (row["mac"], row["model"], row["software"], row["in_call"], row["serial"]) == (
        "02:00:AA:00:00:02", "7962", "SCCP", True, "FCHAA000002",
    )  # fmt: skip
    assert row["load"].startswith("SCCP62.")
    assert not Phone.objects.exists()


def test_unknown_phones_are_added_when_asked_for_and_known_the_next_time(office, port, acme):
    assert set(found(discover(port, "--add", "--account", acme.voip_id)).values()) == {"added"}
    phone = Phone.objects.get(mac="0200AA000001")
    assert (phone.account, phone.model, phone.phone_ip, phone.web_port) == (acme, "8845", "127.9.9.1", port)
    assert (phone.presence, phone.software_type, phone.hostname) == (Presence.REACHABLE, "SIP", "SEP0200AA000001")
    assert set(found(discover(port, "--add", "--account", acme.voip_id)).values()) == {"known"}
    assert Phone.objects.count() == 3


def test_a_phone_that_got_another_address_has_moved_and_who_is_at_its_old_one_is_told(office, port, acme):
    moved = Phone.objects.create(mac="0200AA000001", account=acme, phone_ip="127.9.9.3", web_port=port, name="Lobby")
    ran = discover(port)
    assert found(ran)["127.9.9.1"] == "moved"
    flagged = next(row for row in ran.rows if row["address"] == "127.9.9.3")
    assert (flagged["result"], flagged["mac"]) == ("another phone", "02:00:AA:00:00:03")
    assert flagged["error"] == "02:00:AA:00:00:01 should be there."
    moved.refresh_from_db()
    assert (moved.phone_ip, moved.presence, moved.mac_there) == ("127.9.9.1", Presence.REACHABLE, "")
    tags = [event.tags for event in Event.objects.filter(data_type="phone").order_by("pk")]
    looked = [names[-1] for names in tags if names[-1].startswith("phone-")]
    assert looked == ["phone-at-another-address", "phone-seen-again"]


def test_phones_are_looked_at_by_mac_and_the_silent_one_is_reported(office, port, acme):
    known = Phone.objects.create(mac="0200AA000001", account=acme, phone_ip="127.9.9.1", web_port=port)
    silent = Phone.objects.create(mac="0200AA000009", account=acme, phone_ip="127.9.9.9", web_port=port)
    ran = run("discover_phones", known.mac_with_colons, "sep0200aa000009", "--json")
    assert found(ran) == {"127.9.9.1": "known", "127.9.9.9": "unreachable"}
    silent.refresh_from_db()
    assert (silent.presence, silent.missed_checks) == (Presence.NEVER, 1)
    assert silent.looked_at <= timezone.now()


def test_a_dry_run_asks_nobody(office, port, acme):
    Phone.objects.create(mac="0200AA000001", account=acme, phone_ip="127.9.9.1", web_port=port, name="Lobby")
    ran = discover(port, "--add", "--account", acme.voip_id, "--dry-run")
    assert len(ran.rows) == 14
    assert set(found(ran).values()) == {"would be asked"}
    assert ran.rows[0]["name"] == "Lobby"
    assert Phone.objects.get().looked_at is None


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["192.168.1.0/24"], 1, "not inside PHONE_NETWORKS"),
        (["8.8.8.0/24"], 1, "not inside PHONE_NETWORKS"),
        (["127.0.0.0/19"], 1, "More than 4096"),
        (["127.0.0.1/24"], 2, "neither a MAC address nor a network"),
        (["nonsense"], 2, "neither a MAC address nor a network"),
        (["02:00:AA:00:00:01"], 1, "There is no phone 02:00:AA:00:00:01"),
        (["127.0.0.0/30", "--add"], 2, "--account"),
        (["--account", "77"], 1, "no account"),
        (["--parallel", "1000"], 2, "256"),
    ],
)
def test_wrong_usage_is_told(db, arguments, status, words):
    ran = run("discover_phones", *arguments)
    assert ran.status == status
    assert words in ran.err


def test_a_table_for_people(office, port, acme):
    ran = run("discover_phones", NETWORK, "--port", port)
    assert "02:00:AA:00:00:02" in ran.out
    assert "7962" in ran.out
