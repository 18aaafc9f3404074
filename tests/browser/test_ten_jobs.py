"""Ten jobs of an administrator's day, each from the first page of the admin until it is done, counted in clicks, pages
and filled boxes. `ten_jobs.toml` has what they took before and what they may take now; docs/ten-jobs.md shows both.
"""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from contacts_app.core.work.queue import run_queue
from phones_app.configuration.models import Layer
from phones_app.deployment.models import Deployment, State
from phones_app.deployment.request import DEPLOYMENTS, deploy
from phones_app.firmware.models import Firmware
from phones_app.inventory.models import Phone
from phones_app.servers.models import FileServer
from profiles_app.phone.models import PhoneProfile, Source
from tests.browser.hand import Effort, Hand
from tests.phones_app.configuration import data
from tests.phones_app.firmware.sets import classic
from tests.phones_app.site import ACTOR, Site, sip_file
from tests.servers import free_port
from tests.ten_jobs import DOCUMENT, document, jobs

pytestmark = pytest.mark.django_db(transaction=True)

LOAD = "SIP42.9-4-2SR3-1S"
NEW_MAC = "02:00:00:00:0A:AA"
EDITOR = "document.querySelector('.django-ace-widget').editor"
JOBS: dict[str, Callable[[Hand, "Office"], None]] = {}


@dataclass
class Office:
    """Two desks whose files are made from data, a lobby whose file server is gone, an old phone, and one with XML."""

    desk: Phone
    lobby: Phone
    old: Phone
    xml: PhoneProfile


def job(act: Callable[[Hand, Office], None]) -> Callable[[Hand, Office], None]:
    JOBS[act.__name__.replace("_", "-")] = act
    return act


@pytest.fixture
def office(site: Site, acme, alice, bob, no_inline_work) -> Office:
    values = {"call_managers": "127.0.0.1", "ntp_servers": "10.0.0.1", "time_zone": "Europe/Berlin"}
    data.layer(kind="portal", values=values)
    made = PhoneProfile.objects.create(user=bob, name="Desk phones", source=Source.BUILT_IN)
    desks = [site.phone(name=f"Desk {number}", current_profile=made) for number in (1, 2)]
    for number, phone in enumerate(desks, 1):
        data.layer(acme, kind="phone", phone=phone, lines=[data.line(acme, f"20{number}")])
    base = PhoneProfile.objects.create(user=bob, name="Logged out", source=Source.BUILT_IN)
    Phone.objects.filter(pk=desks[0].pk).update(base_profile=base)
    xml = site.profile("Lobby phone")
    gone = FileServer.objects.create(name="Gone", host="127.0.0.1", port=free_port(), username="a", password="b")
    lobby = site.phone(name="Lobby", file_server=gone, current_profile=xml)
    deploy(phone=lobby, profile=xml, actor=ACTOR)
    run_queue(DEPLOYMENTS)
    assert Deployment.objects.get().state == State.FAILED
    content = sip_file().replace("  <versionStamp>", "  <loadInformation>SIP42.8-5-2S</loadInformation><versionStamp>")
    old = site.phone(name="Workshop", model="7962", software_version="SIP42.8-5-2S", first_file=content)
    old.current_profile = site.profile("Workshop", content, compatible_models=["7962"])
    old.save()
    files = classic()
    for name, of_file in files.items():
        (site.folder / name).write_bytes(of_file)
    components = [
        {"name": name, "sha256": "", "size": len(of_file), "platform": "", "condition": ""}
        for name, of_file in files.items()
    ]
    Firmware.objects.create(load=LOAD, size=sum(map(len, files.values())), components=components)
    return Office(desks[0], lobby, old, xml)


@job
def add_fifty_phones(hand: Hand, office: Office) -> None:
    macs = [f"0200000001{number:02X}" for number in range(50)]
    rows = ["mac,model,software_type,name,phone_ip,profile"]
    rows += [f"{mac},8845,SIP,Room {number},127.0.0.1,Desk phones" for number, mac in enumerate(macs)]
    hand.upload("Phones", rows)
    rows = ["extension,auth_password,display_name,phone"]
    rows += [f"{300 + number},pass-word-{number},Room {number},{mac}" for number, mac in enumerate(macs)]
    hand.link("Import their lines…")
    hand.file("b.csv", rows)
    hand.button("Check the file")
    hand.button("Import")
    hand.link("Roll out to all phones…")
    hand.button("Show what would happen")
    hand.click(hand.page.get_by_role("button", name="Roll out to"))
    hand.page.locator("#rollout[data-state]").wait_for()


@job
def change_one_setting_everywhere(hand: Hand, office: Office) -> None:
    hand.menu("Layers")
    hand.link("All phones…")
    hand.type("NTP servers", "10.0.0.2")
    hand.button("Save")
    hand.button("Save and roll out…")
    hand.button("Show what would happen")
    hand.click(hand.page.get_by_role("button", name="Roll out to"))
    hand.page.locator("#rollout[data-state]").wait_for()


@job
def why_did_a_phone_not_take_its_file(hand: Hand, office: Office) -> None:
    hand.menu("Phones")
    hand.search("lobby")
    hand.row(office.lobby.mac_with_colons)
    hand.page.locator(".pb-problem").wait_for()
    hand.page.get_by_text("What to do").wait_for()


@job
def replace_a_phone(hand: Hand, office: Office) -> None:
    hand.menu("Phones")
    hand.search("desk 2")
    hand.row("Desk 2")
    hand.link("Replace handset…")
    hand.type("New MAC address", NEW_MAC)
    hand.button("Show what would happen")
    hand.button("Replace handset")
    hand.page.locator("#timeline").wait_for()


@job
def upgrade_the_firmware_of_a_model(hand: Hand, office: Office) -> None:
    hand.menu("Firmware")
    hand.row(LOAD)
    hand.link("Roll out…")
    hand.tick("All phones")
    hand.button("Show what would happen")
    hand.button("Roll out to 1 phone")
    hand.page.locator("#rollout[data-state]").wait_for()


@job
def add_a_line_to_a_phone(hand: Hand, office: Office) -> None:
    hand.menu("Phones")
    hand.search("desk 1")
    hand.row(office.desk.mac_with_colons)
    hand.link("Add a line…")
    hand.type("Extension", "250")
    hand.type("Password", "pass-word-250")
    hand.button("Save")
    hand.click(hand.page.locator(".text-link", has_text="Deploy…"))
    hand.button("Deploy to 1 phone")
    hand.page.locator("#timeline").wait_for()
    assert Layer.objects.get(phone=office.desk).lines.count() == 2


@job
def restart_a_phone(hand: Hand, office: Office) -> None:
    hand.menu("Phones")
    hand.search("workshop")
    hand.row(office.old.mac_with_colons)
    hand.link("Restart…")
    hand.button("Restart 1 phone")
    hand.page.locator("#timeline").wait_for()


@job
def correct_an_error_in_an_xml_file(hand: Hand, office: Office) -> None:
    hand.menu("Phone profiles")
    hand.link("Lobby phone")
    hand.page.locator(".ace_editor").wait_for()
    hand.effort.typed += 1
    hand.page.evaluate(f"{EDITOR}.setValue({EDITOR}.getValue().replace('</device>', '<broken>\\n</device>'), -1)")
    hand.click(hand.page.locator(".pb-edited-findings .pb-error a[data-line]"))
    hand.page.locator(".ace_gutter-cell.ace_error").wait_for()
    assert hand.page.evaluate(f"{EDITOR}.getCursorPosition()") == hand.page.evaluate(
        f"{EDITOR}.getSession().getAnnotations().map((each) => ({{ row: each.row, column: each.column }}))[0]"
    )
    hand.effort.typed += 1
    hand.page.evaluate(f"{EDITOR}.setValue({EDITOR}.getValue().replace('<broken>', ''), -1)")
    hand.button("Save")
    hand.page.get_by_text("was changed successfully").wait_for()


@job
def plan_a_rollout_for_tonight(hand: Hand, office: Office) -> None:
    hand.menu("Rollouts")
    hand.add()
    hand.tick("All phones")
    hand.type("Not before", "22:00")
    hand.type("Not after", "05:00")
    hand.button("Show what would happen")
    hand.click(hand.page.get_by_role("button", name="Roll out to"))
    hand.page.locator("#rollout[data-state]").wait_for()


@job
def log_a_person_in_on_a_phone(hand: Hand, office: Office) -> None:
    hand.menu("Phones")
    hand.search("desk 1")
    hand.row(office.desk.mac_with_colons)
    hand.link("Log in…")
    hand.click(hand.page.locator(".select2-selection"))
    hand.fill(hand.page.locator(".select2-search__field"), "alice")
    hand.click(hand.page.get_by_role("option", name="alice@acme.example"))
    hand.button("Log in")
    hand.page.locator("#timeline").wait_for()


def test_jobs_take_no_more_than_is_written(window, office):
    hand, allowed = Hand(window()), {each.name: each.now for each in jobs()}
    assert list(JOBS) == list(allowed)
    more: dict[str, Effort] = {}
    for name, act in JOBS.items():
        hand.start()
        act(hand, office)
        took = hand.done()
        print(f"{name}: {took}")
        if any(count > allowed[name][what] for what, count in took.counts.items()):
            more[name] = took
    assert not more


def test_the_page_about_them_is_made_of_what_is_written():
    assert DOCUMENT.read_text(encoding="utf-8") == document(), "python -m tests.ten_jobs"
