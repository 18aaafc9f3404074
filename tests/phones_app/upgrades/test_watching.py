"""What is done with a phone on its way, and what is not done twice: without phones, by what their rows say."""

import pytest
from django.utils import timezone

from contacts_app.core.errors import Refusal
from phones_app.configuration.models import Layer
from phones_app.deployment.models import Deployment, PhoneFile, State
from phones_app.firmware.models import Firmware
from phones_app.firmware.services import remove_firmware
from phones_app.inventory.models import Phone
from phones_app.inventory.services import Selection
from phones_app.rollout import rollout as rollouts
from phones_app.rollout.models import Rollout, RolloutMember, RolloutState, Sequel
from phones_app.servers.models import FileServer
from phones_app.upgrades import watching
from phones_app.upgrades.models import Upgrade
from profiles_app.phone.services import create_profile
from tests.phones_app.site import ACTOR
from tests.phones_app.upgrades.conftest import GATE, OLD, TARGET, naming
from tests.servers import wait_for

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("no_inline_work")]


@pytest.fixture
def server(db):
    for load in (GATE, TARGET):
        Firmware.objects.create(load=load, size=1)
    return FileServer.objects.create(name="Embedded", host="127.0.0.1", port=1, is_default=True, is_embedded=True)


@pytest.fixture
def begun(server, alice):
    """A rollout to so many phones in one place, and the deployments of those that were let go."""

    def begun(phones: int = 1, **pace) -> Rollout:
        for number in range(phones):
            profile = create_profile(actor=ACTOR, user=alice, name=f"Desk {number}", content=naming(OLD).encode())
            values = {"model": "7962", "software_type": "SIP", "software_version": OLD, "location": "Munich"}
            mac = f"0200000300{number:02X}"
            Phone.objects.create(account=alice.account, mac=mac, current_profile=profile, **values)
        pace = Rollout(load=TARGET, **pace)
        rollout = rollouts.start(selection=Selection(Phone.objects.all()), profile=None, actor=ACTOR, pace=pace)
        rollouts.advance_all()
        return rollout

    return begun


def takes_its_file(upgrade: Upgrade, server: FileServer, state: str = State.CONFIRMED, **fields) -> Deployment:
    """The deployment of the present step ends so."""
    now = timezone.now()
    deployment = Deployment.objects.get(in_rollout=upgrade.member_id)
    values = {"state": state, "uploaded_at": now, "finished_at": now} | fields
    Deployment.objects.filter(pk=deployment.pk).update(**values)
    file = {"server": server, "revision_id": deployment.revision_id, "sha256": deployment.sha256, "uploaded_at": now}
    times = {"state_since": now, "next_check_at": now}
    PhoneFile.objects.update_or_create(phone_id=deployment.phone_id, defaults=file | times)
    return deployment


def reports(upgrade: Upgrade, load: str) -> None:
    Phone.objects.filter(pk=upgrade.phone_id).update(software_version=load, last_seen_at=timezone.now())


def test_a_phone_that_goes_to_another_account_on_its_way_gets_nothing_more(begun, server, other):
    begun()
    upgrade = Upgrade.objects.get()
    takes_its_file(upgrade, server)
    Phone.objects.update(account=other)
    reports(upgrade, GATE)
    watching.settle(upgrade.pk)
    member = RolloutMember.objects.get()
    assert (member.sequel, member.sequel_code) == (Sequel.FAILED, "phone-changed")
    assert Deployment.objects.count() == 1
    assert not Layer.objects.exists()


def test_a_worker_that_dies_in_the_middle_leaves_it_to_the_next_and_nothing_is_doubled(begun, server, monkeypatch):
    begun()
    upgrade = Upgrade.objects.get()
    takes_its_file(upgrade, server)
    reports(upgrade, GATE)
    send = watching.deploy_load

    def killed(*args):
        send(*args)
        raise SystemExit

    monkeypatch.setattr(watching, "deploy_load", killed)
    with pytest.raises(SystemExit):
        watching.settle(upgrade.pk)
    upgrade.refresh_from_db()
    assert (Deployment.objects.count(), upgrade.step, upgrade.steps) == (1, 0, [])
    monkeypatch.undo()
    for _ in range(3):
        watching.settle(upgrade.pk)
    upgrade.refresh_from_db()
    assert (Deployment.objects.count(), upgrade.step) == (2, 1)
    assert upgrade.member.deployment.revision.facts["load"] == TARGET
    assert upgrade.member.deployment.next_attempt_at is None, "its turn comes within the limits of the rollout"


def test_a_load_under_way_takes_its_place_among_those_at_once(begun, server):
    rollout = begun(2, site_limit=1)
    assert rollout.deployments.filter(next_attempt_at=None).count() == 1
    first = Upgrade.objects.get(member__deployment__next_attempt_at__isnull=False)
    takes_its_file(first, server)
    rollouts.advance_all()
    assert rollout.deployments.filter(finished_at=None, next_attempt_at=None).count() == 1
    reports(first, GATE)
    watching.settle(first.pk)
    rollouts.advance_all()
    # Both wait for the one place, and one of them has it.
    assert rollout.deployments.filter(finished_at=None, next_attempt_at=None).count() == 1


def test_nothing_follows_when_the_rollout_is_over(begun, server):
    rollout = begun()
    upgrade = Upgrade.objects.get()
    takes_its_file(upgrade, server)
    rollouts.cancel(rollout)
    reports(upgrade, GATE)
    watching.settle(upgrade.pk)
    member = RolloutMember.objects.get()
    assert (member.sequel, member.sequel_code, Deployment.objects.count()) == (Sequel.FAILED, "rollout-over", 1)
    again = rollouts.retry_failed(rollout, actor=ACTOR)
    assert (again.load, again.total, Upgrade.objects.latest("pk").way) == (TARGET, 1, [TARGET])


def test_another_file_on_the_way_ends_it(begun, server, alice):
    begun()
    upgrade = Upgrade.objects.get()
    takes_its_file(upgrade, server)
    other = create_profile(actor=ACTOR, user=alice, name="Other", content=naming(OLD, "1002").encode())
    PhoneFile.objects.update(revision=other.revision, sha256=other.revision.sha256)
    watching.settle(upgrade.pk)
    member = RolloutMember.objects.get()
    assert (member.sequel, member.sequel_code) == (Sequel.FAILED, "file-replaced")


def test_what_a_file_server_refused_is_a_failure_of_the_deployment(begun, server):
    rollout = begun()
    upgrade = Upgrade.objects.get()
    takes_its_file(upgrade, server, State.FAILED, uploaded_at=None, error="Denied.", error_code="denied")
    watching.settle(upgrade.pk)
    assert RolloutMember.objects.get().sequel == Sequel.NONE
    rollouts.advance_all()
    rollout.refresh_from_db()
    assert rollout.state == RolloutState.FINISHED


def test_a_phone_that_is_there_and_never_answers_a_restart_is_told_a_few_times(begun, server):
    begun()
    upgrade = Upgrade.objects.get()
    for tries in range(watching.MOST_TRIES + 1):
        takes_its_file(upgrade, server, State.FAILED, error="No answer.", error_code="timeout")
        watching.settle(upgrade.pk)
        assert RolloutMember.objects.get().sequel == Sequel.AWAY
        assert Deployment.objects.count() == tries + 1
        watching.wake()
        assert not watching.Upgrades.due().exists()
        Phone.objects.update(last_seen_at=timezone.now())
        # A look that took long is not repeated at once.
        wait_for(lambda: watching.wake() or watching.Upgrades.due().exists())
        watching.settle(upgrade.pk)
    assert RolloutMember.objects.get().sequel == Sequel.NONE


def test_firmware_on_its_way_is_not_removed(begun, server):
    rollout = begun(name="Spring")
    gate = Firmware.objects.get(load=GATE)
    with pytest.raises(Refusal, match="The rollout Spring brings phones to it"):
        remove_firmware(gate)
    rollouts.cancel(rollout)
    remove_firmware(gate)
    assert not Firmware.objects.filter(load=GATE).exists()
