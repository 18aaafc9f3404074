"""What a preview says before: restarts that will not reach their phones, with the name of the setting behind it."""

from collections import Counter

import pytest

from phones_app.deployment.foresight import describe_restart, load_change, load_notes
from phones_app.deployment.preview import preview_deploy
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
