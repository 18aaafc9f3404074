"""The boot trace of a phone on its page and over REST, and what a fleet asks for in vain."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from contacts_app.tokens.services import create_token
from phones_app.boot import admin as boot_pages
from phones_app.boot import trace as boot_traces
from phones_app.boot.fetches import Fetch
from phones_app.boot.models import FileFetch, RequestedFile
from phones_app.boot.trace import meaning_of
from phones_app.inventory.models import Phone
from phones_app.shared_files.models import SharedFile
from tests.admin_people import at_desk, clerk
from tests.phones_app.counting import AskedCounter
from tests.phones_app.rest import Api

pytestmark = pytest.mark.django_db
MACS = ("0200000000A1", "0200000000A2", "0200000000A3")


@pytest.fixture
def phones(acme) -> list[Phone]:
    return [Phone.objects.create(mac=mac, account=acme, model="8845", location="Hall") for mac in MACS]


def boot(mac: str, *names: str, there: tuple[str, ...] = (), protocol: str = "http") -> None:
    """One start of a phone: trust lists and its file, then these names, of which some are there."""
    counter, address = AskedCounter(), f"10.0.0.{int(mac[-2:], 16)}"
    own = f"SEP{mac}.cnf.xml"
    for name in (f"CTLSEP{mac}.tlv", own, *names):
        found = name in (*there, own)
        counter.note(Fetch(name, address, protocol, size=9 if found else 0, complete=found, missing=not found))  # type: ignore[arg-type]
    counter.write()


def trace(mac: str, account) -> dict:
    answer = Api(create_token(account=account)[1]).get(f"phones/{mac}/boot-trace")
    assert answer.status_code == 200, answer.content
    return answer.json()["data"]


def test_the_trace_says_what_was_asked_and_what_it_means(phones, acme):
    boot(MACS[1], "dialplan.xml", there=("dialplan.xml",))
    boot(MACS[0], "dialplan.xml", "Germany/be-sip.jar")
    found = {line["name"]: line for line in trace(MACS[0], acme)["files"]}
    assert set(found) == {f"CTLSEP{MACS[0]}.tlv", f"SEP{MACS[0]}.cnf.xml", "dialplan.xml", "Germany/be-sip.jar"}
    dial = found["dialplan.xml"]
    assert (dial["what"], dial["is_missing"], dial["is_normal"]) == ("Dial template", True, False)
    assert (dial["missing"], dial["given"], dial["given_beside"]) == (1, 0, 1)
    assert "accepted" in dial["meaning"]
    assert found[f"CTLSEP{MACS[0]}.tlv"]["is_normal"]
    assert (found[f"SEP{MACS[0]}.cnf.xml"]["size"], found[f"SEP{MACS[0]}.cnf.xml"]["is_missing"]) == (9, False)


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("ITLFile.tlv", "Trust list"),
        ("SEP<MAC>.cnf.xml.enc.sgn", "Signed file"),
        ("XMLDefault.cnf.xml", "File for phones without one"),
        ("sip88xx.14-2-1.loads", "Firmware load"),
        ("apps45.9-4-2ES26.sbn", "Part of a firmware load"),
        ("United_Kingdom/g4-tones.xml", "Tones"),
        ("softkeys.xml", "Soft keys"),
        ("RINGLIST.DAT", "Ring list"),
        ("Desktops/320x212x12/List.xml", "Background"),
        ("whatever\u2028it is", "File"),
    ],
)
def test_names_are_known_by_the_table(name, what):
    assert meaning_of(name).what == what


def test_the_trace_says_how_the_phone_takes_its_file(phones, acme):
    boot(MACS[0], protocol="tftp")
    now = timezone.now()
    for minutes in (3, 2, 1):
        FileFetch.objects.create(
            mac=MACS[0], file_name=f"SEP{MACS[0]}.cnf.xml", sha256="0" * 64, size=9, address="10.0.0.161",
            protocol="tftp", fetched_at=now - timedelta(minutes=minutes),
        )  # fmt: skip
    by_tftp, repeated = trace(MACS[0], acme)["findings"]
    assert "TFTP" in by_tftp
    assert "3 times within 3 minutes" in repeated
    FileFetch.objects.filter(fetched_at__gt=now - timedelta(seconds=90)).update(followed_by="dialplan.xml")
    assert trace(MACS[0], acme)["findings"][1].startswith("After its file the phone asked for dialplan.xml")


def test_the_page_of_a_phone_shows_its_trace_to_those_who_may_see_it(phones, root, acme):
    boot(MACS[1], "dialplan.xml", there=("dialplan.xml",))
    boot(MACS[0], "dialplan.xml")
    url = reverse("admin:phones_app_phone_change", args=[phones[0].pk])
    page = at_desk(root).get(url).content.decode()
    assert "Boot trace" in page
    assert "1 other phone of this model got it." in page
    with CaptureQueriesContext(connection) as few:
        at_desk(root).get(url)
    boot(MACS[0], *(f"file{number}.xml" for number in range(40)))
    with CaptureQueriesContext(connection) as many:
        at_desk(root).get(url)
    assert len(few) == len(many)


def test_another_accounts_trace_is_not_there(phones, other):
    boot(MACS[0], "dialplan.xml")
    assert Api(create_token(account=other)[1]).get(f"phones/{MACS[0]}/boot-trace").status_code == 404


def test_asked_for_in_vain_counts_the_phones_of_each_name(phones, root):
    for mac in MACS[:2]:
        boot(mac, "dialplan.xml", "softkeys.xml")
    boot(MACS[1], "softkeys.xml", there=("softkeys.xml",))
    Phone.objects.filter(mac=MACS[0]).update(location="Attic")
    url = reverse("admin:phones_app_requestedfile_in_vain")

    def names(query: str = "") -> list[tuple[str, int]]:
        return [(one.name, one.phones) for one, _ in at_desk(root).get(url + query).context["names"]]

    assert names() == [("dialplan.xml", 2), ("softkeys.xml", 1)]
    assert names("?normal=1")[0] == ("CTLSEP<MAC>.tlv", 2)
    assert names("?location=Attic&model=8845") == [("dialplan.xml", 1), ("softkeys.xml", 1)]
    assert names("?model=7962") == []


def test_what_is_normally_missing_takes_no_place_in_a_list_that_ends(phones, root, monkeypatch):
    for mac in MACS[:2]:
        boot(mac, "dialplan.xml")
    boot(MACS[2], "softkeys.xml")
    url = reverse("admin:phones_app_requestedfile_in_vain")
    assert "names are shown" not in at_desk(root).get(url).content.decode()
    for module in (boot_traces, boot_pages):
        monkeypatch.setattr(module, "MOST_NAMES", 1)
    answer = at_desk(root).get(url)
    assert [one.name for one, _ in answer.context["names"]] == ["dialplan.xml"]
    assert "Only the first 1 of the names are shown" in answer.content.decode()


def test_tenants_see_what_their_own_phones_asked_for(phones, acme, other):
    boot(MACS[0], "dialplan.xml")
    url = reverse("admin:phones_app_requestedfile_in_vain")
    counts = {}
    for account in (acme, other):
        answer = at_desk(clerk(account, f"clerk@{account.voip_id}.example")).get(url)
        counts[account] = len(answer.context["names"])
    assert counts == {acme: 1, other: 0}
    blind = clerk(acme, "blind@acme.example", without="view_requestedfile")
    assert at_desk(blind).get(url).status_code == 403
    page = at_desk(blind).get(reverse("admin:phones_app_phone_change", args=[phones[0].pk]))
    assert "Boot trace" not in page.content.decode()


def test_the_trace_says_what_was_refused_and_why_and_where_files_came_from(phones, acme, root):
    shared = SharedFile.objects.create(path="Ringlist.xml", sha256="0" * 64, size=9)
    counter, own = AskedCounter(), f"SEP{MACS[0]}.cnf.xml"
    counter.note(Fetch(own, "10.0.0.1", "http", size=9, complete=True))
    counter.note(Fetch("Ringlist.xml", "10.0.0.1", "http", size=9, complete=True, shared_file=shared.pk))
    counter.note(Fetch(own, "10.9.9.9", "tftp", missing=True, refused="Asked for at 10.9.9.9."))
    counter.note(Fetch("dialplan.xml", "10.9.9.9", "http", missing=True))
    counter.write()
    found = trace(MACS[0], acme)
    line = next(line for line in found["files"] if line["name"] == own)
    assert (line["given"], line["missing"], line["refused"], line["is_missing"]) == (1, 0, 1, True)
    assert line["meaning"] == "Asked for at 10.9.9.9."
    assert any("another address" in finding for finding in found["findings"])
    # Who is refused is not the phone.
    assert "dialplan.xml" not in {line["name"] for line in found["files"]}
    desk = at_desk(root)
    row = RequestedFile.objects.get(name="Ringlist.xml")
    assert "shared file Ringlist.xml" in desk.get(f"/admin/phones_app/requestedfile/{row.pk}/change/").content.decode()
    assert "refused 1×" in desk.get(f"/admin/phones_app/phone/{phones[0].pk}/change/").content.decode()
    shared.delete()
    assert "is deleted" in desk.get(f"/admin/phones_app/requestedfile/{row.pk}/change/").content.decode()
