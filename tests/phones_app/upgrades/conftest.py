"""A site whose requests are counted, firmware that the portal has, and the worker that plays a rollout of it."""

import pytest
from django.utils import timezone

from contacts_app.core.work.queue import run_queue
from phones_app.deployment.request import DEPLOYMENTS
from phones_app.firmware.models import Firmware
from phones_app.firmware.sets.header import read_header
from phones_app.firmware.sets.loads import read_loads
from phones_app.inventory.models import Phone
from phones_app.inventory.services import Selection
from phones_app.rollout import rollout as rollouts
from phones_app.rollout.models import Rollout
from phones_app.upgrades.models import Upgrade
from phones_app.upgrades.watching import UPGRADES
from tests.phones_app import site as sites
from tests.phones_app.counting import AskedCounter
from tests.phones_app.firmware.sets import classic
from tests.phones_app.playing import play
from tests.phones_app.site import ACTOR, sip_file

OLD, GATE, TARGET = "SIP42.8-2-1S", "SIP42.8-5-2S", "SIP42.9-4-2SR3-1S"
COMPONENTS = {GATE: "8-5-2ES1", TARGET: "9-4-2ES26"}


def naming(load: str, line: str = "1001") -> str:
    return sip_file(line).replace("  <versionStamp>", f"  <loadInformation>{load}</loadInformation>\n  <versionStamp>")


@pytest.fixture
def counter() -> AskedCounter:
    return AskedCounter()


@pytest.fixture
def site(tmp_path, acme, alice, counter, monkeypatch, no_inline_work, settings):
    """As everywhere; and what phones ask for is counted."""
    settings.CONFIRM_SECONDS = 60
    record = sites._record

    def both(fetches):
        for fetch in fetches:
            counter.note(fetch)
        record(fetches)

    monkeypatch.setattr(sites, "_record", both)
    site = sites.Site(tmp_path, acme, alice)
    site.add_file_server()
    yield site
    site.files.stop()


@pytest.fixture
def hold(site):
    """Have the portal hold a load, all of it or without some of its files."""

    def hold(load: str, *, without: int = 0, faults=(), account=None) -> Firmware:
        made = classic(load.removeprefix("SIP42."), components=COMPONENTS[load])
        loads = made[f"{load}.loads"]
        names = [each.name for each in read_loads(loads[read_header(loads).length :])]
        for name, content in made.items():
            if name not in names[len(names) - without :]:
                (site.folder / name).write_bytes(content)
        return Firmware.objects.create(
            account=account,
            load=load,
            size=sum(map(len, made.values())),
            components=[{"name": each, "sha256": ""} for each in (f"{load}.loads", *names)],
            faults=list(faults),
        )

    return hold


@pytest.fixture
def older(site):
    """A 7962 with an old load; its file is its own, written by hand."""

    def older(**fields) -> Phone:
        phone = site.phone(model="7962", first_file=naming(OLD), software_version=OLD, **fields)
        phone.current_profile = site.profile(name=f"Desk {phone.mac}", content=naming(OLD))
        phone.save()
        return phone

    return older


@pytest.fixture
def start():
    def start(*phones: Phone, load: str = TARGET, **pace) -> Rollout:
        rows = Phone.objects.filter(pk__in=[phone.pk for phone in phones])
        return rollouts.start(selection=Selection(rows), profile=None, actor=ACTOR, pace=Rollout(load=load, **pace))

    return start


@pytest.fixture
def work(counter):
    """Play the workers until something holds."""

    def work(until, seconds: float = 180) -> None:
        def turn() -> None:
            run_queue(DEPLOYMENTS)
            rollouts.advance_all()
            counter.write()
            # Its pauses are for phones that take minutes.
            Upgrade.objects.filter(due_at__gt=timezone.now()).update(due_at=timezone.now())
            run_queue(UPGRADES)

        def told() -> list[tuple[object, ...]]:
            return [(row.way, row.steps, row.member.sequel, row.member.sequel_error) for row in Upgrade.objects.all()]

        turn()
        play(turn, until, seconds, told)

    return work


@pytest.fixture
def carry_out(work):
    """Play the workers until the rollout has ended."""

    def carry_out(rollout: Rollout) -> Rollout:
        def over() -> bool:
            rollout.refresh_from_db()
            return not rollout.is_open

        work(over)
        return rollout

    return carry_out
