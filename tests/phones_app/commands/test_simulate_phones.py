"""simulate_phones as a process: the rows' phones answer at the rows' ports, as long as it runs."""

import fcntl
import socket

import pytest

from contacts_app.core.errors import TransportError
from phones_app.demo.simulation import fault_of, parse_behaviour, playable_phones
from phones_app.inventory.models import Phone
from phones_app.inventory.services import phone_web
from phones_app.transports.phone_web import read_status
from tests.commands import run
from tests.servers import free_port, wait_for

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def desk(acme):
    return simulated(acme, "02AA00000001")


def simulated(account, mac: str, **fields) -> Phone:
    ports = {"sip_port": free_port(), "web_port": free_port()}
    values = {"model": "8845", "software_type": "SIP", "phone_ip": "127.0.0.1", "is_simulated": True}
    return Phone.objects.create(mac=mac, account=account, **(values | ports | fields))


def answers(phone: Phone) -> bool:
    """Whether this very phone answers where its row says."""
    return mac_at(phone) == phone.mac


def mac_at(phone: Phone) -> str:
    """Of the phone that answers where the row says, if one does."""
    phone.refresh_from_db()
    try:
        return read_status(phone_web(phone)).mac
    except TransportError:
        return ""


def test_phones_answer_until_it_is_told_to_stop(start, desk):
    command = start("simulate_phones")
    command.says("1 simulated")
    wait_for(lambda: answers(desk))
    assert command.stop() == 0
    assert not answers(desk)
    assert "Traceback" not in command.printed


def test_count_makes_the_phones_that_are_missing_with_files_to_boot_from(start, desk):
    start("serve_files").says("files ")
    command = start("simulate_phones", "--count", "4", "-v", "2")
    command.says("4 simulated")
    made = Phone.objects.exclude(pk=desk.pk)

    assert [phone.mac for phone in made] == ["020000000001", "020000000002", "020000000003"]
    assert len({phone.model for phone in made}) == 3
    assert all(phone.web_username and phone.web_password for phone in made), "keys can be pressed on them"
    for phone in made:
        wait_for(lambda phone=phone: answers(phone))
        command.says(f"SEP{phone.mac} registers")


def test_enough_phones_are_enough(desk):
    ran = run("simulate_phones", "--count", 1, "--dry-run", "--json")
    assert (ran.status, ran.rows) == (0, [])


def test_dry_run_makes_and_plays_nothing(acme):
    ran = run("simulate_phones", "--count", 2, "--dry-run", "--json")
    assert (ran.status, [row["new"] for row in ran.rows]) == (0, [True, True])
    assert not Phone.objects.exists()


def test_taken_ports_are_replaced_and_the_row_knows(start, desk):
    sip_port, web_port = desk.sip_port, desk.web_port
    with socket.create_server(("127.0.0.1", sip_port)), socket.create_server(("127.0.0.1", web_port)):
        start("simulate_phones").says("1 simulated")
        wait_for(lambda: answers(desk))
    assert desk.sip_port != sip_port
    assert desk.web_port != web_port


def test_phone_that_is_added_later_is_played_and_a_removed_one_is_not(start, acme, desk):
    command = start("simulate_phones")
    command.says("1 simulated")
    late = simulated(acme, "02AA00000002", model="7975", software_type="SCCP")
    desk.is_simulated = False
    desk.save()
    command.says(f"SEP{late.mac} 7975 SCCP, web {late.web_port}")
    wait_for(lambda: answers(late))
    wait_for(lambda: not answers(desk))


def test_only_simulated_phones_of_this_machine_are_played(acme, desk):
    others = [{"is_simulated": False}, {"phone_ip": "192.0.2.1"}, {"phone_ip": None}]
    for number, fields in enumerate(others):
        simulated(acme, f"02AA0000010{number}", **fields)
    assert playable_phones() == [desk]


def test_two_at_a_time_would_fight_over_the_ports(desk, settings, tmp_path):
    settings.DATA_DIR = tmp_path
    with (tmp_path / "simulated-phones.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        ran = run("simulate_phones")
    assert ran.status == 1
    assert "Another `simulate_phones`" in ran.err


@pytest.mark.parametrize(("arguments", "status"), [(("--count", "-1"), 2), (("--count", "3"), 1)])
def test_phones_need_an_account_and_a_number(db, arguments, status):
    assert run("simulate_phones", *arguments, "--dry-run").status == status


def test_a_mix_of_behaviour_is_played_in_its_shares_and_always_by_the_same_phones():
    mix = parse_behaviour("rejecting=10,in_call=20%")
    macs = [f"0200{number:08X}" for number in range(2000)]
    faults = [fault_of(mac, mix) for mac in macs]
    assert faults == [fault_of(mac, mix) for mac in macs]
    assert 140 < faults.count("rejecting") < 260
    assert 320 < faults.count("in_call") < 480


@pytest.mark.parametrize("text", ["rejecting", "asleep=5", "slow=many", "slow=60,in_call=50", "slow=-1"])
def test_a_mix_that_makes_no_sense_is_told(db, text):
    assert run("simulate_phones", "--behaviour", text).status == 2


def test_a_phone_of_the_mix_behaves_so(start, desk):
    start("simulate_phones", "--behaviour", "wrong_mac=100").says("1 simulated")
    wait_for(lambda: mac_at(desk) not in ("", desk.mac))
