"""What is given to whom, over HTTP and TFTP: rows before the folder, a phone's before its account's, another's never."""

import http.client
from collections.abc import Iterator
from pathlib import Path

import pytest

from contacts_app.core.history.models import tracked_models
from contacts_app.core.history.records import create_recorded, save_recorded
from phones_app.boot import refresh
from phones_app.boot.refresh import PortalInMemory
from phones_app.boot.server import EmbeddedFileServer
from phones_app.firmware.models import Firmware
from phones_app.inventory.models import Phone
from phones_app.shared_files import store
from phones_app.shared_files.models import SharedFile
from tests.phones_app.boot.asking import ask, ask_tftp, put
from tests.phones_app.simulator.conftest import PASSWORD, USERNAME
from tests.servers import wait_for

pytestmark = pytest.mark.django_db(transaction=True)
OURS, BESIDE, THEIRS, NEW = "0200000000A1", "0200000000A2", "0200000000B1", "0200000000C1"
DESK, NEXT_DESK, ELSEWHERE, STRANGE = "127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5"


def boot(server: EmbeddedFileServer, mac: str, at: str) -> None:
    """What a phone asks for first tells who it is, whether it is there or not."""
    ask(server, f"CTLSEP{mac}.tlv", at)


@pytest.fixture
def phones(acme, other) -> dict[str, Phone]:
    accounts = {OURS: acme, BESIDE: acme, THEIRS: other}
    made = [Phone(mac=mac, account=account, model="7942") for mac, account in accounts.items()]
    return {phone.mac: phone for phone in create_recorded(made)}


@pytest.fixture
def portal(phones, settings, tmp_path) -> PortalInMemory:
    settings.SHARED_FILES_DIR = tmp_path / "shared"
    portal = PortalInMemory()
    portal.load()
    return portal


@pytest.fixture
def server(portal: PortalInMemory, tmp_path: Path) -> Iterator[EmbeddedFileServer]:
    root = tmp_path / "files"
    root.mkdir()
    with EmbeddedFileServer(
        root, ftp_port=0, http_port=0, tftp_port=0, username=USERNAME, password=PASSWORD, portal=portal
    ) as server:
        yield server


@pytest.mark.parametrize("fetch", [ask, ask_tftp], ids=["http", "tftp"])
def test_a_phones_file_before_its_accounts_before_everybodys_before_the_folder(fetch, server, portal, phones, acme):
    for mac, at in ((OURS, DESK), (BESIDE, NEXT_DESK), (THEIRS, ELSEWHERE)):
        boot(server, mac, at)
    (server.root / "ringlist.xml").write_bytes(b"folder")

    def given() -> list[bytes | None]:
        return [fetch(server, "ringlist.xml", at) for at in (DESK, NEXT_DESK, ELSEWHERE, STRANGE)]

    assert given() == [b"folder"] * 4
    put("Ringlist.xml", b"everybody")
    portal.follow()
    assert given() == [b"everybody"] * 4
    put("RingList.xml", b"acme", account=acme)
    portal.follow()
    assert given() == [b"acme", b"acme", b"everybody", b"everybody"]
    put("RINGLIST.xml", b"ours", account=acme, phone=phones[OURS])
    portal.follow()
    assert given() == [b"ours", b"acme", b"everybody", b"everybody"]


@pytest.mark.parametrize("fetch", [ask, ask_tftp], ids=["http", "tftp"])
def test_files_of_another_account_are_never_given(fetch, server, portal, phones, acme, other):
    put("United_Kingdom/g3-tones.xml", b"acme", account=acme)
    put("Ringlist.xml", b"theirs", account=other)
    put("dialplan.xml", b"of one phone", account=acme, phone=phones[BESIDE])
    portal.follow()
    boot(server, OURS, DESK)
    boot(server, THEIRS, ELSEWHERE)
    # The phone is new to the inventory, and so is what asks without a name.
    boot(server, NEW, STRANGE)
    names = ("united_kingdom/g3-tones.xml", "ringlist.xml", "dialplan.xml")
    assert [fetch(server, name, DESK) for name in names] == [b"acme", None, None]
    assert [fetch(server, name, ELSEWHERE) for name in names] == [None, b"theirs", None]
    for at in (STRANGE, "127.0.0.9"):
        assert [fetch(server, name, at) for name in names] == [None, None, None]


def test_where_phones_share_an_address_only_what_is_for_all_of_them_is_given(server, portal, phones, acme):
    put("Ringlist.xml", b"everybody")
    put("ringlist.xml", b"acme", account=acme)
    put("ringlist.xml", b"ours", account=acme, phone=phones[OURS])
    portal.follow()
    boot(server, OURS, DESK)
    assert ask(server, "ringlist.xml", DESK) == b"ours"
    boot(server, BESIDE, DESK)
    assert ask(server, "ringlist.xml", DESK) == b"acme"
    boot(server, THEIRS, DESK)
    assert ask(server, "ringlist.xml", DESK) == b"everybody"
    # A phone that moved is no longer where it was.
    boot(server, OURS, NEXT_DESK)
    boot(server, THEIRS, ELSEWHERE)
    boot(server, BESIDE, ELSEWHERE)
    boot(server, OURS, STRANGE)
    boot(server, THEIRS, NEXT_DESK)
    assert ask(server, "ringlist.xml", STRANGE) == b"ours"
    assert ask(server, "ringlist.xml", NEXT_DESK) == b"everybody"


def test_who_is_at_an_address_is_known_after_a_restart(phones, portal, server, acme):
    put("ringlist.xml", b"acme", account=acme)
    Phone.objects.filter(mac=OURS).update(phone_ip=DESK)
    # Two claim this one.
    Phone.objects.filter(mac__in=(BESIDE, THEIRS)).update(phone_ip=NEXT_DESK)
    portal.load()
    assert ask(server, "ringlist.xml", DESK) == b"acme"
    assert ask(server, "ringlist.xml", NEXT_DESK) is None
    phone = phones[BESIDE]
    phone.phone_ip = ELSEWHERE
    phone.save()
    portal.follow()
    assert ask(server, "ringlist.xml", ELSEWHERE) == b"acme"


def test_files_are_found_in_folders_of_the_family_and_of_firmware(server, portal, acme, other):
    for folder in ("79xx", "firmware/sip42"):
        (server.root / folder).mkdir(parents=True)
    (server.root / "79xx/mk-sip.jar").write_bytes(b"family")
    (server.root / "firmware/sip42/Ringlist.xml").write_bytes(b"load")
    put("7942/Background.png", b"model", account=acme)
    put("sip-42/cvm42sip.sbn", b"everybody")
    put("ours/CVM42sip.sbn", b"acme", account=acme)
    of_load = {"load": "SIP42.9-4-2", "components": [{"name": "cvm42sip.sbn"}], "size": 1}
    create_recorded([Firmware(folder="sip-42", **of_load), Firmware(folder="ours", account=acme, **of_load)])
    portal.follow()
    boot(server, OURS, DESK)
    names = ("MK-sip.jar", "ringlist.xml", "background.png", "CVM42SIP.sbn", "7942/none.xml")
    assert [ask(server, name, DESK) for name in names] == [b"family", b"load", b"model", b"acme", None]
    assert [ask(server, name, STRANGE) for name in names] == [None, None, None, b"everybody", None]


def test_a_change_is_served_soon_whoever_makes_it(server, portal, acme):
    assert refresh.POLL_SECONDS <= 1
    portal.start()
    try:
        row = put("Ringlist.xml", b"one")
        wait_for(lambda: ask(server, "ringlist.xml", DESK) == b"one")
        stored = store.store([b"two"])
        row.path, row.sha256, row.size = "Rings.xml", stored.sha256, stored.size
        save_recorded([row], ["path", "sha256", "size"])
        wait_for(lambda: ask(server, "rings.xml", DESK) == b"two" and ask(server, "ringlist.xml", DESK) is None)
        row.delete()
        wait_for(lambda: ask(server, "rings.xml", DESK) is None)
    finally:
        portal.stop()


def test_changes_are_taken_up_in_whatever_order_they_are_committed(server, portal, acme):
    def committed(path: str, number: int) -> None:
        stored = store.store([path.encode()])
        row = SharedFile.objects.bulk_create([SharedFile(path=path, sha256=stored.sha256, size=stored.size)])[0]
        tracked = tracked_models[SharedFile].row(row, "+", {})
        tracked.history_id = number
        tracked.save(force_insert=True)
        portal.follow()

    committed("Later.xml", 1_000_001)
    committed("Earlier.xml", 1_000_000)
    assert ask(server, "later.xml", DESK) == b"Later.xml"
    assert ask(server, "earlier.xml", DESK) == b"Earlier.xml"


def test_what_no_history_tells_is_right_after_the_next_reading(server, portal, monkeypatch):
    stored = store.store([b"rings"])
    SharedFile.objects.bulk_create([SharedFile(path="Ringlist.xml", sha256=stored.sha256, size=stored.size)])
    portal.follow()
    assert ask(server, "ringlist.xml", DESK) is None
    monkeypatch.setattr(refresh, "RELOAD_SECONDS", 0)
    portal.follow()
    assert ask(server, "ringlist.xml", DESK) == b"rings"


def test_a_file_that_is_replaced_while_it_is_read_stays_what_it_was(server, portal):
    old, new = b"a" * 3_000_000, b"b" * 3_000_000
    row = put("big.png", old)
    portal.follow()
    connection = http.client.HTTPConnection(server.host, server.http_port, timeout=60)
    connection.request("GET", "/big.png")
    response = connection.getresponse()
    begun = response.read(1000)
    store.place_of(row.sha256).unlink()
    stored = store.store([new])
    row.sha256 = stored.sha256
    save_recorded([row], ["sha256"])
    portal.follow()
    assert begun + response.read() == old
    connection.close()
    assert ask(server, "big.png", DESK) == new


def test_a_lost_content_is_missing_and_no_other_file_is_given_instead(server, portal, acme):
    put("Ringlist.xml", b"everybody")
    row = put("Ringlist.xml", b"acme", account=acme)
    portal.follow()
    boot(server, OURS, DESK)
    store.place_of(row.sha256).unlink()
    assert ask(server, "ringlist.xml", DESK) is None
    assert ask(server, "ringlist.xml", STRANGE) == b"everybody"


def test_changes_cost_one_query_where_there_are_none(portal, acme, django_assert_num_queries):
    put("Ringlist.xml", b"acme", account=acme)
    with django_assert_num_queries(1 + 2):  # what is new, of which row, and the row
        portal.follow()
    with django_assert_num_queries(1):
        portal.follow()


def own(mac: str) -> str:
    return f"SEP{mac}.cnf.xml"


@pytest.mark.parametrize("fetch", [ask, ask_tftp], ids=["http", "tftp"])
def test_files_of_single_phones_are_given_only_where_the_phone_may_be(fetch, server, portal, phones, settings):
    far, farther = "127.0.9.1", "127.0.10.1"
    for mac in (OURS, BESIDE, THEIRS, NEW):
        (server.root / own(mac)).write_bytes(mac.encode())
    assert fetch(server, own(OURS), far) == OURS.encode(), "the rule is off"
    settings.FILE_SERVER_OWN_FILES_WHERE_KNOWN = True
    Phone.objects.filter(mac=OURS).update(phone_ip=DESK, location="Hall")
    Phone.objects.filter(mac=BESIDE).update(location="hall")
    portal.load()
    boot(server, OURS, far)
    assert fetch(server, own(OURS), far) == OURS.encode(), "it was there before"
    assert fetch(server, own(OURS), farther) is None
    assert fetch(server, own(BESIDE), NEXT_DESK) == BESIDE.encode(), "as the other one of its location"
    portal.load()
    assert fetch(server, own(BESIDE), far) == BESIDE.encode(), "where the other one has asked, after a reading as well"
    assert fetch(server, own(BESIDE), farther) is None
    # Nothing says where these are, until they ask.
    assert fetch(server, own(THEIRS), farther) == THEIRS.encode()
    assert fetch(server, own(THEIRS), far) is None
    assert fetch(server, own(NEW), far) == NEW.encode()


def test_who_is_refused_the_file_of_a_phone_is_given_nothing_of_its_account(server, portal, acme, settings):
    settings.FILE_SERVER_OWN_FILES_WHERE_KNOWN = True
    put("Ringlist.xml", b"acme", account=acme)
    Phone.objects.filter(mac=OURS).update(phone_ip=DESK)
    portal.load()
    boot(server, OURS, "127.0.9.1")
    assert ask(server, "ringlist.xml", "127.0.9.1") is None
    assert ask(server, "ringlist.xml", DESK) == b"acme"
