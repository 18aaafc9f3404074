"""A rollout to phones of ten kinds, a tenth each, ends with a true state for every one: the simulator knows the truth.

Twenty phones usually, so that two of a kind can share a line or differ; `TRUE_STATES_PHONES=1000` has a thousand of them.
"""

import os
import threading
from collections import Counter, defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.db import connection

from contacts_app.core.work.queue import run_queue
from phones_app.deployment.models import CALL_TO_END, Deployment, State
from phones_app.deployment.request import DEPLOYMENTS
from phones_app.inventory.models import Phone
from phones_app.rollout import rollout as rollouts
from phones_app.rollout.models import Rollout
from phones_app.servers.models import CallManager
from phones_app.simulator.fleet import FleetThread
from phones_app.simulator.phone import SimulatedPhone
from phones_app.simulator.state import Fault, SimulatedPhoneConfig
from tests.peers.asterisk import Asterisk
from tests.phones_app.site import registering, sip_file
from tests.servers import wait_for

pytestmark = pytest.mark.django_db(transaction=True)

NUMBER = int(os.environ.get("TRUE_STATES_PHONES", "20"))
NEW = sip_file("1002", label="New")


@dataclass(frozen=True)
class Kind:
    """One tenth: how its phones and their rows differ from plain ones, and what their deployments may end as."""

    name: str
    ends: set[tuple[str, str]]
    config: dict[str, Any] = field(default_factory=dict)
    line: str = "1001"
    at_pbx: bool = False
    fault: Fault = Fault.NONE
    has_file: bool = True
    is_another: bool = False


CONFIRMED, UNCONFIRMED = ("confirmed", ""), ("restart_acknowledged", "no-evidence")
POWER_CUT = "behind a registrar by UDP after a power cut"
KINDS = [
    # It asks for its file until there is one, and takes no NOTIFY before.
    Kind("first boot without line", {CONFIRMED}, has_file=False),
    # Asterisk tells the Call-ID of before the power cut, which the phone refuses; there may be no time for another way.
    Kind(POWER_CUT, {CONFIRMED, UNCONFIRMED}, line="2{number:04}", at_pbx=True),
    # Asterisk sends its NOTIFY to both, and one obeys.
    Kind("two on one line", {CONFIRMED}, line="3{pair:04}", at_pbx=True),
    Kind("dark status page", {CONFIRMED}, config={"web_access": False}),
    # Where its page is too slow to say so, nothing says whose phone it is.
    Kind("another phone at the address", {("failed", "another-phone"), ("failed", "unproven")}, is_another=True),
    # Every other call ends in time. Where its page is too slow to tell of the call, the phone takes the NOTIFY and waits.
    Kind("in a call", {CONFIRMED, UNCONFIRMED, ("failed", "in-call")}, fault=Fault.IN_CALL),
    Kind("rejecting", {("rejected", "file-rejected")}, fault=Fault.REJECTING),
    # Its status page is abandoned before it answers, its answer to the NOTIFY is not.
    Kind("slow", {CONFIRMED}, fault=Fault.SLOW),
    Kind(
        "unplugged", {("failed", "refused"), ("failed", "timeout"), ("failed", "unreachable")}, fault=Fault.POWERED_OFF
    ),
    Kind("plain", {CONFIRMED}),
]


class World:
    """The rows, the phones that they are about, and which kind each of them is."""

    def __init__(self, site, pbx: Asterisk, manager: CallManager) -> None:
        self.kinds: dict[str, Kind] = {}
        rows, phones = [], []
        url = f"http://127.0.0.1:{site.files.http_port}"
        for number in range(NUMBER):
            kind = KINDS[number % len(KINDS)]
            # An address of its own for each, as phones have, and not the first one, where everything else listens.
            address = f"127.1.{number // 250}.{number % 250 + 1}"
            line = kind.line.format(number=number, pair=number // len(KINDS) // 2)
            row = Phone(
                mac=f"0200000{number:05X}",
                account=site.account,
                model="8845",
                software_type="SIP",
                phone_ip=address,
                line_user=line if kind.at_pbx else "",
                call_manager=manager if kind.at_pbx else None,
            )
            mac = f"0200001{number:05X}" if kind.is_another else row.mac
            if kind.has_file:
                (site.folder / f"SEP{mac}.cnf.xml").write_text(sip_file(line))
            config = {"config_url": url, "boot_seconds": 0.2, "retry_seconds": 1.0, "host": address} | kind.config
            phone = SimulatedPhone(SimulatedPhoneConfig(mac=mac, **config))
            if kind.at_pbx:
                phone.on_event = registering(phone, pbx)
            phones.append(phone)
            rows.append(row)
            self.kinds[row.mac] = kind
        self.rows, self.phones = rows, phones
        self.at = {row.mac: phone for row, phone in zip(rows, phones, strict=True)}

    def of(self, *names: str) -> dict[str, SimulatedPhone]:
        """The phones of these kinds, by the MAC addresses of their rows."""
        return {mac: one for mac, one in self.at.items() if self.kinds[mac].name in names}

    def booted(self, fleet: FleetThread) -> None:
        """All of them are up and have their ports and first files; then each becomes what its kind is."""
        with_file = [one for mac, one in self.at.items() if self.kinds[mac].has_file]
        assert fleet.wait_until(lambda: all(one.registered for one in with_file))
        for row, one in zip(self.rows, self.phones, strict=True):
            row.sip_port, row.web_port = one.sip_port, one.web_port or 80
        Phone.objects.bulk_create(self.rows)
        for mac, one in self.at.items():
            one.fault = self.kinds[mac].fault
        cut = list(self.of(POWER_CUT).values())
        for fault, done in ((Fault.POWERED_OFF, lambda one: not one.is_up), (Fault.NONE, lambda one: one.registered)):
            for one in cut:
                one.fault = fault
            assert fleet.wait_until(lambda done=done: all(map(done, cut)))

    def truth(self, one: SimulatedPhone, sha256: str) -> str:
        """Whether the phone runs on the new file, gives it up again and again, or never had it."""
        if one.config_sha256 == sha256:
            return "runs"
        return "rejects" if one.fault is Fault.REJECTING else "does not run"


TRUE: dict[str, Callable[[Deployment], bool]] = {
    "runs": lambda row: row.state == State.CONFIRMED,
    "rejects": lambda row: row.state == State.REJECTED,
    "does not run": lambda row: row.state not in (State.CONFIRMED, State.REJECTED),
}


@contextmanager
def working():
    """A worker beside the test, which has to change phones while it works."""
    stopping = threading.Event()

    def work() -> None:
        try:
            while not stopping.wait(0.2):
                run_queue(DEPLOYMENTS, stopping.is_set)
                rollouts.advance_all()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as threads:
        running = threads.submit(work)
        try:
            yield
        finally:
            stopping.set()
        running.result()


def test_every_phone_ends_in_a_true_state(site, start, settings, no_inline_work):
    patience = 180 + NUMBER
    # As long as a phone may take on a busy machine; those that are never confirmed take as long.
    settings.CONFIRM_SECONDS = 40 + NUMBER / 10
    settings.CALL_POLL_SECONDS, settings.CALL_WAIT_SECONDS = 0.5, 20 + NUMBER / 10
    profile = site.profile(content=NEW)
    with ExitStack() as stack:
        pbx = Asterisk()
        pbx.pjsip.delivers = True
        stack.enter_context(pbx.running())
        manager = CallManager.objects.create(
            name="PBX", kind="ami", host="127.0.0.1", port=pbx.port, username=pbx.username, password=pbx.secret
        )
        world = World(site, pbx, manager)
        fleet = stack.enter_context(FleetThread(world.phones))
        world.booted(fleet)
        stack.enter_context(working())
        rollout = start(world.rows, profile)
        ending = dict(list(world.of("in a call").items())[::2])

        def has_ended() -> bool:
            """Whether the rollout has; a call ends once its phone is waited for."""
            waiting = Deployment.objects.filter(waiting_for=CALL_TO_END, mac__in=ending)
            for mac in waiting.values_list("mac", flat=True):
                ending.pop(mac).fault = Fault.NONE
            return not Rollout.objects.filter(pk=rollout.pk, finished_at=None).exists()

        wait_for(has_ended, patience)
        sha256 = profile.revision.sha256

        def untrue() -> dict[str, Any]:
            truths = {mac: world.truth(one, sha256) for mac, one in world.at.items()}
            rows = Deployment.objects.in_bulk(field_name="uuid").values()
            return {row.mac: (truths[row.mac], row.state, row.error) for row in rows if not TRUE[truths[row.mac]](row)}

        # What a phone does last is seen a moment later: it asks for a file that it rejects three times.
        wait_for(lambda: not untrue(), patience)
        assert Deployment.objects.count() == NUMBER

    ends: defaultdict[str, Counter] = defaultdict(Counter)
    for row in Deployment.objects.all():
        ends[world.kinds[row.mac].name][row.state, row.error_code] += 1
    assert {kind.name: ends[kind.name] for kind in KINDS if not set(ends[kind.name]) <= kind.ends} == {}
    assert set(ends["in a call"]) >= {CONFIRMED, ("failed", "in-call")}
    untouched = world.of("another phone at the address", "unplugged").values()
    assert {one.restarts for one in untouched} == {0}
