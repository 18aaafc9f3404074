"""Fifty phones without XML (configuration spec §5, case 1): from an empty portal to confirmed phones, by mouse and two
CSV files, as the README tells it. Clicks are counted.
"""

import itertools
import time
from collections.abc import Iterator

import pytest
from django.db import connection
from django.urls import reverse

from phones_app.deployment.models import Deployment, State
from phones_app.inventory.models import Phone
from phones_app.rollout import rollout as rollouts
from phones_app.rollout.models import Rollout
from phones_app.simulator.fleet import FleetThread
from phones_app.simulator.phone import SimulatedPhone
from phones_app.simulator.state import SimulatedPhoneConfig
from profiles_app.phone import sep
from profiles_app.phone.models import PhoneProfile, ProfileRevision
from tests.browser.hand import Hand
from tests.phones_app.site import sip_file
from tests.servers import wait_for

pytestmark = [
    pytest.mark.django_db(transaction=True),
    # Fifty phones at once say nothing new of SQLite.
    pytest.mark.skipif(connection.vendor != "postgresql", reason="on PostgreSQL only"),
]

# Eight of the clicks are those of the two files.
NUMBER, MOST_CLICKS = 50, 22
MODELS, LOCATIONS = ("8851", "8845", "7841", "7962"), ("Munich", "Hamburg")


@pytest.fixture
def fleet(site) -> Iterator[list[SimulatedPhone]]:
    """New phones on the desks of two offices: the portal knows none of them."""
    models = itertools.cycle(MODELS)
    url = f"http://127.0.0.1:{site.files.http_port}"
    phones = []
    for number in range(1, NUMBER + 1):
        mac = f"0200000000{number:02X}"
        (site.folder / sep.file_name(mac)).write_text(sip_file(f"9{number:03d}", "Not set up"))
        config = {"config_url": url, "boot_seconds": 0.2, "retry_seconds": 0.3, "asks_around": False}
        phones.append(SimulatedPhone(SimulatedPhoneConfig(mac=mac, model=next(models), **config)))
    with FleetThread(phones) as running:
        assert running.wait_until(lambda: all(one.registered for one in phones))
        yield phones


def test_fifty_phones_without_xml(window, acme, site, fleet, worker, settings):
    settings.CONFIRM_SECONDS = 120
    desk = window()
    desk.open(reverse("admin:index"))
    hand, page = Hand(desk), desk.page

    hand.menu("Phone profiles")
    hand.add()
    page.get_by_label("Name").fill("Desk phones")
    hand.choose("Source", "The built-in template of the phone's model")
    hand.button("Save")

    hand.menu("Layers")
    hand.add()
    hand.choose("Kind", "Portal")
    hand.button("Add")
    page.get_by_role("textbox", name="Call managers").fill("127.0.0.1")
    hand.button("Save")

    places = itertools.cycle(LOCATIONS)
    rows = ["mac,model,software_type,name,location,phone_ip,sip_port,web_port,profile"]
    rows += [
        f"{phone.config.mac},{phone.config.model},SIP,Desk {number},{next(places)},127.0.0.1,"
        f"{phone.sip_port},{phone.web_port},Desk phones"
        for number, phone in enumerate(fleet, 1)
    ]
    hand.upload("Phones", rows)
    rows = ["extension,auth_password,display_name,phone"]
    rows += [f"{300 + n},pass-word-{n},Desk {n},{phone.config.mac}" for n, phone in enumerate(fleet, 1)]
    hand.upload("Lines", rows)

    hand.menu("Phone profiles")
    hand.link("Desk phones")
    hand.link("Roll out…")
    page.fill("[name=wave_pause]", "0")
    page.fill("[name=wave_jitter]", "0")
    hand.button("Show what would happen")
    hand.button(f"Roll out to {NUMBER} phones")
    page.locator("#rollout[data-state]").wait_for()
    assert hand.clicks <= MOST_CLICKS

    rollout = Rollout.objects.get()
    # However slow the machine is, it goes on.
    seen, deadline = list[tuple[str, str, str]](), time.monotonic() + 300
    while not rollout.finished_at:
        rollouts.advance_all()
        time.sleep(0.1)
        rollout.refresh_from_db()
        states = list(Deployment.objects.order_by("pk").values_list("mac", "state", "error"))
        if states != seen:
            seen, deadline = states, time.monotonic() + 300
        assert time.monotonic() < deadline, states
    assert set(Deployment.objects.values_list("state", flat=True)) == {State.CONFIRMED}
    profile = PhoneProfile.objects.get()
    handsets = {phone.config.mac: phone for phone in fleet}
    for phone in Phone.objects.all():
        made = ProfileRevision.objects.get(profile=profile, rendered_for=phone.mac)
        # A fetch confirms before the phone has read what it fetched.
        wait_for(lambda phone=phone, made=made: handsets[phone.mac].config_sha256 == made.sha256)
        assert sep.check(bytes(made.content), model=phone.model, software_type="SIP") == []
    assert Phone.objects.filter(current_profile=profile).values("model", "location").distinct().count() == 4
