"""The demo has something alive of every kind of profile, once, and its deliveries arrive at its own receiver."""

import pytest
from django.test import Client

from contacts_app.contacts.models.contact import NotificationContact
from contacts_app.people.models import User
from phones_app.configuration.rendering import rendering_of
from phones_app.demo.demo import load_demo
from phones_app.firmware.models import Firmware
from phones_app.inventory.models import Phone
from phones_app.shared_files.models import SharedFile
from profiles_app.calls.models import CallRecord
from profiles_app.events.models.outbox import Event
from profiles_app.events.models.setup import Callback
from profiles_app.messaging.models import MessagingProfile, NumberLease
from profiles_app.messaging.sending.models import Message, MessageGateway, OptOut
from profiles_app.myaccount.services import resolve_profile
from profiles_app.numbers.models import NumberOrder, StockNumber
from profiles_app.sip.models import NumberRouting
from profiles_app.voice.models.admission import Admission

pytestmark = pytest.mark.django_db
URL = "http://127.0.0.1:8000"


@pytest.fixture
def demo(settings, tmp_path):
    settings.PHONE_FILES_DIR, settings.SHARED_FILES_DIR = tmp_path / "phones", tmp_path / "shared"
    return load_demo(url=URL)


def every_part_is_alive(demo):
    assert set(demo.parts) >= {"contacts", "events", "customer", "numbers", "calls", "messages", "voice"}
    account = demo.account
    assert Callback.objects.get(account=account, webhook_key="").config["url"] == f"{URL}/demo/receiver"
    assert {"created-token", "revoked-token"} <= {tag for event in Event.objects.all() for tag in event.tags}
    assert NotificationContact.objects.filter(account=account).count() == 3
    assert NumberLease.objects.filter(account=account).exclude(description="").count() == 4
    assert NumberRouting.objects.count() == 4
    assert StockNumber.objects.filter(lease=None).exists()
    assert NumberOrder.objects.get(account=account).is_open
    assert CallRecord.objects.filter(account=account, call_id__regex=r"^demo-\d+$").count() == 280
    assert "View Numbers" in resolve_profile(account).profile.my_numbers


def messages_wait_for_the_simulated_gateway(demo):
    assert MessageGateway.objects.get().kind == "simulated"
    assert Message.objects.filter(account=demo.account, state="queued").count() == 14
    assert OptOut.objects.count() == 1


def calls_are_admitted_refused_and_over(demo):
    asked = Admission.objects.filter(account=demo.account).order_by("call_id")
    assert [bool(row.reason) for row in asked] == [False] * 3 + [True] * 2 + [False] * 2 + [True]
    assert [row.ended_at is not None for row in asked] == [True] * 3 + [False] * 5
    assert {row.reason for row in asked if row.reason} == {"destination-not-allowed", "max-rate", "channel-limit"}
    for call in CallRecord.objects.filter(call_id__startswith="demo-admission"):
        assert call.started_at < call.answered_at < call.ended_at
        assert (call.ended_at - call.answered_at).total_seconds() == call.seconds
        assert NumberLease.objects.filter(tn=call.caller.removeprefix("+"), account=demo.account).exists()


def phones_find_most_of_what_their_files_name(demo):
    """But no soft keys, so that there is something to be told as missing."""
    assert "shared files" in demo.parts
    paths = set(SharedFile.objects.filter(account=demo.account).values_list("path", flat=True))
    assert {"dialplan.xml", "Ringlist.xml", "Bell.raw", "United_Kingdom/g3-tones.xml"} <= paths
    load = Firmware.objects.get(account=demo.account, load="SCCP42.9-4-2SR3-1S")
    assert not load.faults
    phone = Phone.objects.get(name="Housekeeping")
    told = rendering_of(phone).content.decode()
    assert phone.software_version != load.load
    assert f"<loadInformation>{load.load}</loadInformation>" in told
    assert "softkeys.xml" not in paths
    again = load_demo(url=URL)
    assert "shared files" not in again.parts


def the_customer_can_log_in_with_what_was_said(demo):
    told, password = demo.said
    person = User.objects.get(account=demo.account, permission_level=0)
    assert person.email in told
    assert f"{URL}/my-account/" in told
    assert person.check_password(password)


def test_every_part_of_the_demo_is_there_once(demo):
    """Made once for all that only look at it."""
    every_part_is_alive(demo)
    messages_wait_for_the_simulated_gateway(demo)
    calls_are_admitted_refused_and_over(demo)
    the_customer_can_log_in_with_what_was_said(demo)
    phones_find_most_of_what_their_files_name(demo)


def test_what_people_deleted_stays_deleted(demo):
    NumberLease.objects.all().delete()
    Callback.objects.filter(webhook_key="").update(name="Changed")
    again = load_demo(url="http://127.0.0.1:9000")
    assert (again.parts, again.said) == ([], [])
    assert not NumberLease.objects.exists()
    assert Callback.objects.get(webhook_key="").config["url"] == f"{URL}/demo/receiver"


def test_the_callbacks_follow_the_portals_address(demo):
    load_demo(url="http://127.0.0.1:9000")
    assert MessagingProfile.objects.get().callback_url == "http://127.0.0.1:9000/demo/receiver"
    assert Callback.objects.get(webhook_key="").config["url"] == "http://127.0.0.1:9000/demo/receiver"


def test_the_receiver_is_there_with_the_demo_alone(db, client: Client, settings):
    assert client.post("/demo/receiver", "{}", "application/json").status_code == 404
    assert settings.DEMO_RECEIVER is False
