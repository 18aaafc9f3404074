"""Phones that begin a call, or lose their power, at each step of a log-in: what the session says is true of them."""

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from phones_app.deployment.models import CALL_TO_END
from phones_app.mobility.login import log_in
from phones_app.mobility.models import MobilityPolicy, MobilitySession, SecondPhone
from phones_app.mobility.models import SessionState as Is
from phones_app.simulator.state import Fault
from tests.phones_app.mobility.held_worker import OF_DEPLOYMENT
from tests.phones_app.site import ACTOR
from tests.processes import processes
from tests.servers import wait_for

pytestmark = pytest.mark.django_db(transaction=True)
# Until here the phone has not been told of the restart, and is still asked whether it is in a call.
BEFORE_THE_RESTART = OF_DEPLOYMENT[: OF_DEPLOYMENT.index("before session_cleared") + 1]
FAULTS = (Fault.IN_CALL, Fault.POWERED_OFF)


def test_in_a_call_or_off_in_the_middle_of_each_step(site, mobile, people, device, tmp_path):
    device("Bob")
    moments = [(moment, fault) for moment in OF_DEPLOYMENT for fault in FAULTS]
    phones = {mobile(next_check_at=timezone.now() + timedelta(days=1)): moment for moment in moments}
    MobilityPolicy.objects.create(account=people["Bob"].account, second_phone=SecondPhone.MANY)
    (tmp_path / "places.json").write_text(json.dumps({phone.mac: moment for phone, (moment, _) in phones.items()}))

    def states(*faults: Fault) -> dict[str, set[str]]:
        """Of the phones with these faults, by the moment."""
        found = dict(MobilitySession.objects.values_list("mac", "state"))
        return {moment: found[phone.mac] for phone, (moment, fault) in phones.items() if fault in faults}

    with site.alive(*phones) as fleet, processes(tmp_path) as running:
        for phone in phones:
            log_in(phone, people["Bob"], actor=ACTOR)
        quick = {"DEPLOYMENT_THREADS": str(len(moments)), "CONFIRM_SECONDS": "1", "CALL_POLL_SECONDS": "0.5"}
        running.environment |= quick
        running.start("held", "-m", "tests.phones_app.mobility.held_worker", str(tmp_path))
        wait_for((tmp_path / "held").exists)
        for phone, (_, fault) in phones.items():
            fleet[phone.mac].fault = fault
        (tmp_path / "go").touch()
        told_later = [(moment, Fault.IN_CALL) for moment in BEFORE_THE_RESTART]
        in_call = [phone for phone, moment in phones.items() if moment in told_later]
        waiting = MobilitySession.objects.filter(login__waiting_for=CALL_TO_END, state=Is.LOGGING_IN, phone__in=in_call)
        wait_for(lambda: waiting.count() == len(in_call))
        assert {fleet[phone.mac].line_users for phone in in_call} == {("1000",)}, "nobody is cut off"
        # Nothing was seen of a phone that is off: its file waits for it, whatever it was told before.
        off = {Is.AT_RESTART, Is.LOGGED_IN}
        wait_for(lambda: set(states(Fault.POWERED_OFF).values()) <= off)
        assert {states(Fault.POWERED_OFF)[moment] for moment in BEFORE_THE_RESTART} == {Is.AT_RESTART}
        for phone in phones:
            fleet[phone.mac].fault = Fault.NONE
        wait_for(lambda: set(states(*FAULTS).values()) == {Is.LOGGED_IN})
        assert fleet.wait_until(lambda: all(fleet[phone.mac].line_users == ("7301",) for phone in phones))
