"""What a preview says before: restarts that will not reach their phones, with the name of the setting behind it."""

from collections import Counter

import pytest
from django.utils import timezone

from phones_app.deployment.foresight import Destined, describe_restart, load_change, load_notes, shared_lines
from phones_app.deployment.models import PhoneFile
from phones_app.deployment.preview import preview_deploy
from phones_app.inventory.models import Phone
from phones_app.servers.models import CallManager, FileServer
from tests.phones_app.rest import of
from tests.phones_app.site import ACTOR, sip_file
from tests.phones_app.upgrades.conftest import GATE, OLD, TARGET, naming

pytestmark = pytest.mark.django_db


def trouble(phone, profile=None) -> str:
    return describe_restart(phone, profile and profile.revision).trouble


def test_an_address_outside_of_the_networks(new_phone, settings):
    settings.PHONE_NETWORKS = "10.1.0.0/16"
    assert trouble(new_phone(phone_ip="10.1.2.3", line_user="1001")) == ""
    assert "PHONE_NETWORKS" in trouble(new_phone("AABBCCDDEE02", phone_ip="10.2.2.3", line_user="1001"))
    pbx = CallManager.objects.create(name="PBX", kind="ami", host="10.2.0.1", port=5038)
    assert "PHONE_NETWORKS" in trouble(new_phone("AABBCCDDEE03", phone_ip="10.1.2.4", call_manager=pbx))


@pytest.mark.parametrize(("number", "word"), [("1", "TCP"), ("3", "TLS"), ("2", "")])
def test_a_phone_by_tcp_needs_an_asterisk(new_phone, new_profile, settings, number, word):
    settings.PHONE_NETWORKS = "10.0.0.0/8"
    content = sip_file().replace("<transportLayerProtocol>2<", f"<transportLayerProtocol>{number}<")
    profile = new_profile(content=content)
    phone = new_phone(phone_ip="10.1.2.3")
    told = trouble(phone, profile)
    assert ("transportLayerProtocol" in told) == bool(word)
    assert word in told
    phone.call_manager = CallManager.objects.create(name="PBX", kind="ami", host="10.0.0.1", port=5038)
    assert trouble(phone, profile) == ""


@pytest.mark.parametrize(
    ("present", "load", "said"),
    [
        (
            OLD,
            TARGET,
            f"{TARGET} cannot be taken from {OLD}: upgrade by a rollout of firmware, which brings {GATE} first.",
        ),
        (TARGET, OLD, f"{OLD} cannot be taken from {TARGET}: {OLD} is older than the gate"),
        (GATE, TARGET, ""),
        (TARGET.lower(), TARGET, ""),
        # Of none of these is a way known that it would have to go.
        ("", TARGET, ""),
        ("SIP42.special", TARGET, ""),
        (OLD, "", ""),
        # Of another model, which the checks of the file tell.
        (OLD, "SIP45.9-4-2S", ""),
    ],
)
def test_a_load_that_is_not_to_be_taken_from_the_present_one(
    new_phone, new_profile, alice, present, load, said, django_assert_num_queries
):
    FileServer.objects.create(name="Files", host="127.0.0.1", port=1, is_default=True)
    profile = new_profile(content=naming(load) if load else sip_file())
    phones = [
        new_phone(f"AABBCCDDEE0{number}", model="7962", software_version=present, account=alice.account)
        for number in range(3)
    ]
    with django_assert_num_queries(0):
        told = load_notes(Counter(load_change(phone, profile.revision.facts) for phone in phones))
    shown = preview_deploy(phones=phones, profile=profile, actor=ACTOR).notes
    assert [note for note in shown if "cannot be taken" in note] == told
    assert len(told) == bool(said)
    assert all(note.startswith(f"3 phones: {said}") and "Source: " in note for note in told), told
    preview = of(alice).get(f"phone-profiles/{profile.uuid}/preview?mac={phones[0].mac}").json()["data"]
    found = [finding["message"] for finding in preview["findings"] if finding["code"] == "load-gate"]
    assert [f"3 phones: {message}" for message in found] == told


def test_a_line_of_one_number_in_two_accounts_is_told_of_each(new_phone, new_profile, root, other, shared_server):
    for number in range(4):
        new_phone(f"AABBCCDDEE0{number}", **({"account": other} if number > 1 else {}))
    phones = list(Phone.objects.order_by("mac"))
    notes = preview_deploy(phones=phones, profile=new_profile(user=root), actor=ACTOR).notes
    told = [note for note in notes if note.startswith("Line 1001 would be on 2 phones")]
    assert len(told) == 2, notes
    assert [phone.mac_with_colons in " ".join(told) for phone in phones] == [True] * 4


def test_a_line_that_another_phone_has_is_told_however_many_lines_there_are(
    acme, new_phone, new_profile, shared_server
):
    has, now = new_phone(), timezone.now()
    times = dict.fromkeys(("uploaded_at", "state_since", "next_check_at"), now)
    PhoneFile.objects.create(phone=has, server=shared_server, revision=new_profile().revision, sha256="0" * 64, **times)
    rows = [Destined(0, acme.pk, f"02000000{number}", 0, user=str(number)) for number in range(1000, 1300)]
    [told] = shared_lines(rows)
    assert told.startswith(f"Line 1001 would be on 2 phones (02:00:00:00:10:01, {has.mac_with_colons})")
