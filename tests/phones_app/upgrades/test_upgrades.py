"""Rollouts of firmware to simulated phones: the way over gates, phones that are away, and what comes of a bad load."""

from datetime import timedelta

import pytest
from django.utils import timezone

from phones_app.boot.models import RequestedFile
from phones_app.configuration.models import Layer
from phones_app.configuration.rendering import revision_for
from phones_app.deployment.models import Deployment, State
from phones_app.inventory.models import Phone, Presence
from phones_app.rollout.models import RolloutMember, RolloutState, Sequel
from phones_app.rollout.progress import progress_of
from phones_app.simulator import phone as simulated
from phones_app.simulator.firmware import LoadRefusedError
from phones_app.upgrades.models import Upgrade
from tests.phones_app.configuration.data import TEMPLATE, layer, line, made_profile
from tests.phones_app.upgrades.conftest import GATE, OLD, TARGET, naming

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_load_of_the_gate_comes_first_and_each_is_confirmed_by_the_phone(site, hold, older, start, carry_out):
    """Boot server spec §7, case 6."""
    hold(GATE)
    hold(TARGET)
    phone = older()
    with site.alive(phone, load=OLD) as fleet:
        rollout = carry_out(start(phone))
        running = fleet[phone.mac].load
    upgrade = Upgrade.objects.get()
    assert (rollout.state, rollout.reason) == (RolloutState.FINISHED, "")
    assert (upgrade.way, upgrade.member.sequel, running) == ([GATE, TARGET], Sequel.REACHED, TARGET)
    assert [(step["load"], step["kept"], bool(step["reported_at"])) for step in upgrade.steps] == [
        (GATE, True, True),
        (TARGET, True, True),
    ]
    sent = Deployment.objects.filter(phone=phone).order_by("pk")
    assert [row.revision.facts["load"] for row in sent] == [GATE, TARGET]
    assert sent[1].created_at.isoformat() >= upgrade.steps[0]["reported_at"]
    phone.refresh_from_db()
    assert phone.software_version == TARGET
    # Of the file nothing else was changed, and the next ordinary deployment has the load in it.
    assert site.file_of(phone).decode() == naming(TARGET) == phone.current_profile.cnf_xml
    assert [row.number for row in phone.current_profile.revisions.filter(rendered_for=None)] == [3, 2, 1]
    assert progress_of(rollout).parts["confirmed"] == 1


TEMPLATE_WITH_LOAD = TEMPLATE.replace(
    "  <versionStamp>", "  <loadInformation>{{ load }}</loadInformation>\n  <versionStamp>"
)


def made_from_data(site, phone, default: str = OLD) -> None:
    """The phone's file is made from its layers from now on."""
    layer(site.account, values={"pbx": "127.0.0.1", "ntp_servers": "ntp.acme.example", "load": default})
    layer(site.account, kind="phone", phone=phone, lines=[line(site.account)])
    phone.current_profile = made_profile(site.owner, text=TEMPLATE_WITH_LOAD)
    phone.save()


def test_a_file_made_from_data_has_the_load_until_its_layers_say_the_same(site, hold, older, start, carry_out):
    hold(GATE)
    hold(TARGET)
    phone = older()
    made_from_data(site, phone)
    with site.alive(phone, load=OLD):
        carry_out(start(phone))
        layer = Layer.objects.get(phone=phone)
        assert layer.values == {"load": TARGET}
        # What the phone should run is what it has.
        assert (
            revision_for(phone, phone.current_profile, store=False).sha256 == Phone.objects.get(pk=phone.pk).file.sha256
        )
    assert Upgrade.objects.get().member.sequel == Sequel.REACHED
    history = [row.history_changes for row in layer.history.order_by("pk")][1:]
    assert [changes["values"] for changes in history] == [[{}, {"load": GATE}], [{"load": GATE}, {"load": TARGET}]]


def test_the_phones_own_value_goes_where_the_default_load_is_the_target(site, hold, older, start, carry_out):
    hold(GATE)
    hold(TARGET)
    phone = older()
    made_from_data(site, phone, default=TARGET)
    with site.alive(phone, load=OLD):
        carry_out(start(phone))
    assert Layer.objects.get(phone=phone).values == {}
    assert Upgrade.objects.get().member.sequel == Sequel.REACHED


def test_a_phone_that_is_away_waits_holds_up_nobody_and_is_taken_when_it_comes(
    site, hold, older, start, work, carry_out
):
    hold(TARGET)
    away, there = older(), older()
    Phone.objects.update(software_version=GATE)
    Phone.objects.filter(pk=away.pk).update(phone_ip="127.0.0.2")
    gone_since = timezone.now()
    Phone.objects.filter(pk=away.pk).update(presence=Presence.UNREACHABLE, presence_since=gone_since)
    rollout = start(away, there, canary_size=1, wave_size=1)
    assert rollout.ends_at
    with site.alive(there, load=GATE):
        work(lambda: RolloutMember.objects.filter(sequel=Sequel.REACHED).exists())
    rollout.refresh_from_db()
    parts = progress_of(rollout).parts
    assert (rollout.state, parts["away"], parts["confirmed"]) == (RolloutState.RUNNING, 1, 1)
    waiting = Deployment.objects.get(phone=away)
    assert (waiting.state, waiting.waiting_for) == (State.QUEUED, "the phone to come back")
    assert site.file_of(away).decode() == naming(OLD), "nothing is sent while it is away"
    with site.alive(away, load=GATE, host="127.0.0.2"):
        carry_out(rollout)
    assert set(RolloutMember.objects.values_list("sequel", flat=True)) == {Sequel.REACHED}


def test_a_phone_that_was_off_gets_its_load_when_it_starts(site, hold, older, start, work, carry_out, settings):
    """That nobody answers its restart is no failure: its file lies ready."""
    settings.CONFIRM_SECONDS = 1
    hold(TARGET)
    phone = older()
    Phone.objects.update(software_version=GATE)
    rollout = start(phone, abort_count=1)
    work(lambda: RolloutMember.objects.get().sequel == Sequel.AWAY)
    rollout.refresh_from_db()
    assert (rollout.state, progress_of(rollout).parts["away"]) == (RolloutState.RUNNING, 1)
    with site.alive(phone, load=GATE):
        carry_out(rollout)
    assert RolloutMember.objects.get().sequel == Sequel.REACHED
    assert Deployment.objects.filter(phone=phone).count() == 1


def test_who_did_not_come_until_the_end_was_not_started(site, hold, older, start, carry_out):
    hold(TARGET)
    phone = older()
    gone = {"presence": Presence.UNREACHABLE, "presence_since": timezone.now(), "software_version": GATE}
    Phone.objects.update(**gone)
    rollout = start(phone, ends_at=timezone.now() + timedelta(seconds=1))
    carry_out(rollout)
    assert (rollout.state, rollout.reason) == (RolloutState.FINISHED, "Its end has come.")
    assert progress_of(rollout).parts["cancelled"] == 1
    assert RolloutMember.objects.get().sequel == Sequel.NONE


async def keeping(self, load) -> bool:
    return False


def refusing(take_load):
    async def take(*args, **kwargs):
        await take_load(*args, **kwargs)
        raise LoadRefusedError("it is not signed")

    return take


@pytest.mark.parametrize(
    ("without", "code", "text"),
    [
        (0, "load-rejected", "fetched SIP42.9-4-2SR3-1S whole, and came back with another. It runs SIP42.8-5-2S."),
        (1, "load-files-missing", "asked for cvm42sip.9-4-2ES26.sbn of SIP42.9-4-2SR3-1S"),
        (None, "load-not-fetched", "did not ask for SIP42.9-4-2SR3-1S"),
    ],
)
def test_why_a_phone_has_not_come_to_its_load(
    without, code, text, site, hold, older, start, work, carry_out, settings, monkeypatch
):
    hold(TARGET, without=without or 0)
    phone = older()
    Phone.objects.update(software_version=GATE)
    settings.UPGRADE_SECONDS = 600
    if without is None:
        monkeypatch.setattr(simulated.SimulatedPhone, "_changes_load", keeping)
    elif not without:
        # It fetches all of it, and does not like it.
        monkeypatch.setattr(simulated, "take_load", refusing(simulated.take_load))
    with site.alive(phone, load=GATE):
        rollout = start(phone, abort_count=1)
        work(lambda: Deployment.objects.get().state == State.CONFIRMED)
        # What it asks for last at each start: it has done with the load what it will.
        work(RequestedFile.objects.filter(name="g3-tones.xml", missing=2).exists)
        settings.UPGRADE_SECONDS = 1
        carry_out(rollout)
    member = RolloutMember.objects.get()
    assert (member.sequel, member.sequel_code) == (Sequel.FAILED, code)
    assert text in member.sequel_error
    assert rollout.state == RolloutState.ABORTED
    [failure] = progress_of(rollout).failures
    assert (failure["code"], failure["phones"]) == (code, 1)
