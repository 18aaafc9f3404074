"""Phones after a power cut: Asterisk tells the Call-ID that they had before, and they refuse it (Asterisk spec §B)."""

import contextlib
from collections.abc import Iterator

import pytest

from phones_app.deployment.models import Deployment, State
from phones_app.deployment.request import deploy
from phones_app.inventory.models import Phone
from phones_app.servers.models import CallManager
from phones_app.simulator.fleet import FleetThread
from tests.peers.asterisk import Asterisk
from tests.phones_app.hands import switch_off, switch_on
from tests.phones_app.site import ACTOR, Site, sip_file
from tests.servers import wait_for

pytestmark = pytest.mark.django_db(transaction=True)


@contextlib.contextmanager
def after_a_power_cut(
    site: Site, row: dict[str, str] | None = None, **config: object
) -> Iterator[tuple[Phone, Asterisk, FleetThread]]:
    """A phone that registered, lost its power, came back on its old port, and is addressed by its old Call-ID."""
    phone, pbx = site.phone(line_user="1001", **(row or {})), Asterisk()
    pbx.pjsip.delivers = True
    with pbx.running(), site.alive(phone, pbx=pbx, **config) as fleet:
        phone.call_manager = CallManager.objects.create(
            name="PBX", kind="ami", host="127.0.0.1", port=pbx.port, username=pbx.username, password=pbx.secret
        )
        phone.save()
        one = fleet[phone.mac]
        before = one.call_id
        switch_off(fleet, phone.mac)
        switch_on(fleet, phone.mac)
        [contact] = pbx.pjsip.contacts
        assert contact.call_id == before != one.call_id
        yield phone, pbx, fleet


def ways(deployment: Deployment) -> str:
    return deployment.steps.get(kind="restart").message


def test_the_phone_is_told_directly_when_the_call_id_had_no_effect(site, finish):
    with after_a_power_cut(site) as (phone, pbx, fleet):
        deployment = deploy(phone=phone, profile=site.profile(content=sip_file("1001", label="New")), actor=ACTOR)
        finish(deployment)
        assert [status for _, status in pbx.pjsip.answers] == [400]
        one = fleet[phone.mac]
        assert fleet.wait_until(lambda: one.restarts == 1 and one.registered)
        # It unregistered, so that its Call-ID is told again.
        wait_for(lambda: [contact.call_id for contact in pbx.pjsip.contacts] == [one.call_id])
    assert (deployment.state, deployment.evidence["kind"]) == (State.CONFIRMED, "file-fetched")
    assert ways(deployment) == (
        "Sent by Asterisk (ami-pjsip). Without effect; "
        f"SIP NOTIFY to 127.0.0.1:{phone.sip_port}: Accepted (sip-notify)."
    )
    step = deployment.steps.get(kind="restart")
    assert "Action: PJSIPNotify" in step.request
    assert "\r\n\r\nNOTIFY sip:1001@127.0.0.1" in step.request.replace("\n\nNOTIFY", "\r\n\r\nNOTIFY")
    assert "SIP/2.0 200" in step.answer


def test_a_phone_that_obeys_is_told_once(site, finish):
    phone, pbx = site.phone(line_user="1001"), Asterisk()
    pbx.pjsip.delivers = True
    with pbx.running(), site.alive(phone, pbx=pbx) as fleet:
        phone.call_manager = CallManager.objects.create(
            name="PBX", kind="ami", host="127.0.0.1", port=pbx.port, username=pbx.username, password=pbx.secret
        )
        phone.save()
        deployment = finish(deploy(phone=phone, profile=site.profile(content=sip_file("1001")), actor=ACTOR))
        assert fleet[phone.mac].notifies == fleet[phone.mac].restarts == 1
    assert deployment.state == State.CONFIRMED
    assert ways(deployment) == "Sent by Asterisk (ami-pjsip)."


def test_keys_are_pressed_when_no_notify_had_an_effect(site, finish):
    """At a phone with a push user, of a model whose keys are known."""
    row = {"model": "7962", "web_username": "push"}
    with after_a_power_cut(site, row, strict_call_id=True) as (phone, _, fleet):
        deployment = finish(deploy(phone=phone, profile=site.profile(content=sip_file("1001")), actor=ACTOR))
        assert fleet.wait_until(lambda: fleet[phone.mac].restarts == 1)
    assert (deployment.state, deployment.evidence["kind"]) == (State.CONFIRMED, "file-fetched")
    assert [told.partition(":")[0] for told in ways(deployment).split(" Without effect; ")] == [
        "Sent by Asterisk (ami-pjsip).",
        "SIP NOTIFY to 127.0.0.1",
        "Key presses “classic”",
    ]


def test_what_took_no_way_ends_with_the_reason(site, in_vain):
    """The phone refuses a NOTIFY without a Call-ID, too, and has no push account."""
    with after_a_power_cut(site, strict_call_id=True) as (phone, _, fleet):
        deployment = in_vain(deploy(phone=phone, profile=site.profile(content=sip_file("1001")), actor=ACTOR), 1)
        assert fleet[phone.mac].restarts == 0
    assert (deployment.state, deployment.error_code) == (State.RESTART_ACKNOWLEDGED, "stale-call-id")
    assert "registered under another one" in deployment.error
    assert f"SIP NOTIFY to 127.0.0.1:{phone.sip_port}: 400 Bad Request" in deployment.error


def test_no_other_address_than_the_phones_own_is_told_directly(site, in_vain):
    """The contact comes from a server of the account, which may tell any address."""
    with after_a_power_cut(site) as (phone, pbx, fleet):
        [contact] = pbx.pjsip.contacts
        contact.ip = "127.0.0.2"
        pbx.pjsip.delivers = False
        deployment = in_vain(deploy(phone=phone, profile=site.profile(content=sip_file("1001")), actor=ACTOR), 0)
        assert fleet[phone.mac].notifies == 0
    assert (deployment.error_code, ways(deployment)) == ("stale-call-id", "Sent by Asterisk (ami-pjsip).")
