"""Phones without a status page: what Asterisk tells of their registration counts (Asterisk spec §K)."""

from datetime import timedelta

import pytest
from django.utils import timezone

from contacts_app.core.work.queue import run_queue
from phones_app.deployment.models import Deployment, DeploymentStep, State
from phones_app.deployment.request import DEPLOYMENTS
from phones_app.inventory.models import Phone, Presence
from phones_app.rollout import rollout as rollouts
from phones_app.rollout.models import RolloutMember, Sequel
from phones_app.servers.models import CallManager
from phones_app.upgrades.models import Upgrade
from phones_app.upgrades.watching import Upgrades
from tests.peers.asterisk import Asterisk, Contact
from tests.phones_app.upgrades.conftest import GATE, OLD, TARGET, naming

pytestmark = pytest.mark.django_db(transaction=True)
BEFORE, AFTER = "Cisco-CP7962/8.2.1", "Cisco-CP7962/8.5.2"


def manager_of(pbx: Asterisk) -> CallManager:
    account = {"username": pbx.username, "password": pbx.secret}
    return CallManager.objects.create(name="PBX", kind="ami", host="127.0.0.1", port=pbx.port, **account)


def test_a_phone_without_a_status_page_comes_to_its_load(site, hold, older, start, carry_out):
    hold(GATE)
    hold(TARGET)
    phone, pbx = older(line_user="1001"), Asterisk()
    pbx.pjsip.delivers = True
    with pbx.running(), site.alive(phone, pbx=pbx, load=OLD, web_access=False):
        phone.call_manager = manager_of(pbx)
        phone.save()
        carry_out(start(phone))
    upgrade = Upgrade.objects.get()
    assert (upgrade.way, upgrade.member.sequel) == ([GATE, TARGET], Sequel.REACHED)
    assert [step["registered_with"] for step in upgrade.steps] == [AFTER, "Cisco-CP7962/9.4.2"]
    phone.refresh_from_db()
    assert (phone.software_version, phone.look_error != "") == (TARGET, True)
    assert site.file_of(phone).decode() == naming(TARGET)


@pytest.mark.parametrize(
    ("before", "now", "page", "step"),
    [
        (BEFORE, AFTER, None, 1),
        (BEFORE, AFTER, timedelta(hours=-1), 1),
        # Its page tells, and tells another load.
        (BEFORE, AFTER, timedelta(0), 0),
        (BEFORE, BEFORE, None, 0),
        # It may have run a service release of this version all the time.
        (AFTER, AFTER, None, 0),
        ("", AFTER, None, 0),
        (BEFORE, None, None, 0),
    ],
)
def test_only_another_version_than_before_the_restart_counts(hold, older, start, before, now, page, step):
    hold(GATE)
    hold(TARGET)
    phone = older()
    start(phone)
    pbx = Asterisk()
    if now:
        mac = phone.mac.lower()
        pbx.pjsip.register(Contact("1001", f"{mac[:8]}-{mac[8:]}0001-1", user_agent=now))
    moment = timezone.now() - timedelta(minutes=1)
    Deployment.objects.update(state=State.CONFIRMED, uploaded_at=moment, finished_at=moment)
    RolloutMember.objects.update(sequel=Sequel.PENDING)
    deployment = Deployment.objects.get()
    step_done = {"state": "done", "started_at": moment, "detail": {"endpoint": "1001", "software": before}}
    restart = DeploymentStep.Kind.RESTART
    DeploymentStep.objects.update_or_create(deployment=deployment, kind=restart, defaults=step_done)
    with pbx.running():
        seen = None if page is None else timezone.now() + page
        # Without a page it is called unreachable all the time, which keeps no load from it that has registered since.
        Phone.objects.update(phone_ip=None, call_manager=manager_of(pbx), looked_at=seen)
        Phone.objects.update(presence=Presence.UNREACHABLE, presence_since=timezone.now())
        Upgrades("test").do([Upgrade.objects.get().pk])
    upgrade = Upgrade.objects.get()
    assert (upgrade.step, upgrade.member.sequel) == (step, Sequel.PENDING)
    assert upgrade.steps[0].get("registered_with") == (now if step else None)
    phone.refresh_from_db()
    assert phone.software_version == (GATE if step else OLD)
    rollouts.advance_all()
    run_queue(DEPLOYMENTS)
    assert RolloutMember.objects.get().sequel == Sequel.PENDING
