"""What phones ask for is counted: one row per phone and name, however often they ask, and whatever is made up."""

import http.client
import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from phones_app.boot import requests
from phones_app.boot.fetches import Fetch, message_of
from phones_app.boot.models import FileFetch, RequestedFile
from phones_app.boot.server import EmbeddedFileServer
from phones_app.inventory.models import Phone
from tests.commands import run
from tests.phones_app.counting import AskedCounter
from tests.phones_app.simulator.conftest import PASSWORD, USERNAME
from tests.servers import wait_for

pytestmark = pytest.mark.django_db
MAC, OTHER = "0200000000A1", "0200000000A2"
# What a phone asks for at a boot, as far as nothing of it is there.
MISSES = ("CTLSEP{}.tlv", "ITLSEP{}.tlv", "ITLFile.tlv", *(f"missing{number}.xml" for number in range(17)))


def given(name: str, address: str = "192.0.2.1", size: int = 9) -> Fetch:
    return Fetch(name, address, "http", size=size, complete=True)


def missing(name: str, address: str = "192.0.2.1") -> Fetch:
    return Fetch(name, address, "http", missing=True)


def written(*fetches: Fetch, log: AskedCounter | None = None) -> AskedCounter:
    log = log or AskedCounter()
    for fetch in fetches:
        log.note(fetch)
    log.write()
    return log


@pytest.fixture
def phones(acme) -> list[Phone]:
    return [Phone.objects.create(mac=mac, account=acme) for mac in (MAC, OTHER)]


def test_a_boot_is_one_row_for_each_name_of_the_phone(phones):
    boot = [missing(f"CTLSEP{MAC}.tlv"), given(f"SEP{MAC}.cnf.xml"), missing("dialplan.xml")]
    log = written(*boot)
    written(*boot, missing("dialplan.xml"), log=log)
    rows = {row.name: (row.mac, row.given, row.missing, row.is_missing) for row in RequestedFile.objects.all()}
    assert rows == {
        "CTLSEP<MAC>.tlv": (MAC, 0, 2, True),
        "SEP<MAC>.cnf.xml": (MAC, 2, 0, False),
        "dialplan.xml": (MAC, 0, 3, True),
    }
    written(given("dialplan.xml", size=100), log=log)
    row = RequestedFile.objects.get(name="dialplan.xml")
    assert (row.given, row.missing, row.is_missing, row.size) == (1, 3, False, 100)
    assert row.first_at < row.last_at
    assert not FileFetch.objects.exists()


def test_of_two_phones_at_one_address_only_their_own_files_are_known(phones):
    written(given(f"SEP{MAC}.cnf.xml"), given(f"SEP{OTHER}.cnf.xml"), missing("dialplan.xml"))
    assert set(RequestedFile.objects.values_list("client", "name")) == {
        (MAC, "SEP<MAC>.cnf.xml"),
        (OTHER, "SEP<MAC>.cnf.xml"),
        ("192.0.2.1", "dialplan.xml"),
    }


def test_made_up_names_addresses_and_phones_do_not_fill_the_table(phones, monkeypatch):
    monkeypatch.setattr(requests, "ROWS_OF_ADDRESSES", 100)
    # MAC addresses that no phone has are one name of the address.
    written(*(missing(f"SEP0400{number:08X}.cnf.xml") for number in range(500)))
    assert list(RequestedFile.objects.values_list("client", "name", "missing")) == [
        ("192.0.2.1", "SEP<MAC>.cnf.xml", 500)
    ]
    # Nor can there be a phone of this one: it is a multicast address.
    written(missing("SEP030000000001.cnf.xml"))
    assert RequestedFile.objects.get(missing=501)
    for number in range(3):
        written(*(missing(f"made-up-{number}-{name}") for name in range(100)))
    assert RequestedFile.objects.filter(client="192.0.2.1").count() == requests.NAMES_OF_ADDRESS
    for network in range(5):
        written(*(missing("x.xml", f"198.51.{network}.{host}") for host in range(200)))
    # As it was before the last batch, and never much more.
    assert RequestedFile.objects.filter(mac=None).count() < 100 + requests.BATCH
    written(missing("x.xml", "203.0.113.1"))
    assert not RequestedFile.objects.filter(client="203.0.113.1").exists()
    log = written(given(f"SEP{MAC}.cnf.xml", "192.0.2.9"))
    written(*(missing(f"made-up-{name}", "192.0.2.9") for name in range(300)), log=log)
    assert RequestedFile.objects.filter(client=MAC).count() == requests.NAMES_OF_PHONE


@pytest.mark.parametrize("name", ["", "a\0b", "a\nb.xml", "\udc80.xml", "x" * 201])
def test_names_that_no_phone_asks_for_are_not_kept(name):
    written(missing(name))
    assert not RequestedFile.objects.exists()


def test_what_waits_is_bounded(monkeypatch):
    monkeypatch.setattr(requests, "MOST_WAIT", 10)
    log = AskedCounter()
    for number in range(100):
        log.note(missing(f"x{number}.xml"))
    log.write()
    assert RequestedFile.objects.count() == 10


def test_messages_that_wait_to_be_counted_are_bounded(phones, monkeypatch):
    message = message_of([Fetch(f"x{number}.xml", "192.0.2.1", "http", mac=MAC, missing=True) for number in range(10)])
    monkeypatch.setattr(requests, "MOST_BYTES", 3 * len(message))
    log = AskedCounter()
    for _ in range(5):
        log.keep(message, 10)
    log.write()
    assert set(RequestedFile.objects.values_list("client", "missing")) == {(MAC, 3)}
    assert RequestedFile.objects.count() == 10


# Fewer ask, for long enough they have waited, and there is much to count.
@pytest.mark.parametrize("end", [("CROWD_PER_SECOND", 1), ("PUT_OFF_SECONDS", 0.0), ("MANY_BYTES", 0)])
@pytest.mark.django_db(transaction=True)
def test_counts_wait_while_thousands_ask_and_not_for_ever(phones, monkeypatch, end):
    begin = {"LOOK_SECONDS": 0.01, "WRITE_SECONDS": 0.0, "CROWD_PER_SECOND": 0, "PUT_OFF_SECONDS": 1e9}
    for name, value in begin.items():
        monkeypatch.setattr(requests, name, value)
    log = AskedCounter()
    log.start()
    for _ in range(3):
        log.keep(message_of([missing("x.xml")]), 1)
        # It has looked how many came, and decided after that when it looks again.
        wait_for(lambda: log._asked == 0)
    assert not RequestedFile.objects.exists()
    monkeypatch.setattr(requests, *end)
    wait_for(lambda: RequestedFile.objects.filter(missing=3).exists())
    log.stop()


def test_many_phones_that_boot_again_and_again_stay_at_one_row_per_name(acme):
    """The full size, 10,000 phones, is the same in fifty times as long."""
    macs = [f"0200{number:08X}" for number in range(200)]
    Phone.objects.bulk_create(Phone(mac=mac, account=acme) for mac in macs)
    log, counts = AskedCounter(), []
    for _ in range(3):
        for number, mac in enumerate(macs):
            for name in MISSES:
                log.note(missing(name.format(mac), f"10.0.{number // 250}.{number % 250}"))
        log.write()
        counts.append(RequestedFile.objects.count())
    assert counts == [len(macs) * len(MISSES)] * 3
    assert set(RequestedFile.objects.values_list("missing", flat=True)) == {3}


@pytest.mark.django_db(transaction=True)
def test_the_server_counts_what_it_serves_and_writes_the_rest_when_it_stops(phones, tmp_path):
    (tmp_path / "Ringlist.xml").write_bytes(b"rings")
    log = AskedCounter()

    def note(fetches):
        for fetch in fetches:
            log.note(fetch)

    account = {"username": USERNAME, "password": PASSWORD}
    server = EmbeddedFileServer(tmp_path, ftp_port=0, http_port=0, **account, on_fetches=note)
    log.start()
    with server:
        client = http.client.HTTPConnection(server.host, server.http_port, timeout=60)
        for name in (f"SEP{MAC}.cnf.xml", "ringlist.xml"):
            client.request("GET", f"/{name}")
            client.getresponse().read()
        client.close()
    log.stop()
    assert set(RequestedFile.objects.values_list("mac", "name", "given", "missing", "size")) == {
        (MAC, "SEP<MAC>.cnf.xml", 0, 1, 0),
        (MAC, "ringlist.xml", 1, 0, 5),
    }


@pytest.mark.django_db(transaction=True)
def test_a_database_that_is_away_costs_counts_and_nothing_else(phones):
    table = RequestedFile._meta.db_table
    log = AskedCounter()
    log.note(missing("x.xml"))
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} RENAME TO away")
        try:
            log.write()
        finally:
            cursor.execute(f"ALTER TABLE away RENAME TO {table}")
    written(missing("x.xml"), log=log)
    assert RequestedFile.objects.get().missing == 1


def test_old_rows_are_pruned(phones):
    written(missing("old.xml"), missing("new.xml"))
    RequestedFile.objects.filter(name="old.xml").update(last_at=timezone.now() - timedelta(days=400))
    rows = {row["what"]: row["deleted"] for row in run("prune_history", "--json").rows}
    assert rows["requested files"] == 1
    assert RequestedFile.objects.get().name == "new.xml"


def test_notes_from_many_threads_are_all_counted(phones):
    log = AskedCounter()
    threads = [threading.Thread(target=lambda: [log.note(missing("x.xml")) for _ in range(500)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    log.write()
    assert RequestedFile.objects.get().missing == 2000
