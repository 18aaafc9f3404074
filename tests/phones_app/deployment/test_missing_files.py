"""A phone that asks in vain for a file that its own file names: told once, and once more when it is given one."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from contacts_app.contacts.models.mail import Incident
from phones_app.boot.models import RequestedFile
from phones_app.deployment.models import PhoneFile
from phones_app.inventory.models import Phone
from profiles_app.events.models.outbox import Event
from tests.phones_app.boot.test_requests import given, missing, written
from tests.phones_app.site import sip_file

pytestmark = pytest.mark.django_db
MAC = "0200000000A1"
NAMING = sip_file().replace(
    "<sipLines>", "<dialTemplate>DialPlan.xml</dialTemplate><softKeyFile>keys.xml</softKeyFile><sipLines>"
)


@pytest.fixture
def profile(new_profile):
    return new_profile("Reception", NAMING)


@pytest.fixture
def phone(acme, profile):
    return with_file(Phone.objects.create(mac=MAC, account=acme, model="8845", name="Front desk"), profile)


def with_file(phone: Phone, profile) -> Phone:
    now = timezone.now()
    PhoneFile.objects.create(
        phone=phone, revision=profile.revision, sha256="0" * 64, uploaded_at=now, state_since=now, next_check_at=now
    )
    return phone


def told() -> list[tuple[str, str]]:
    events = Event.objects.filter(tags__0="phone").order_by("pk")
    return [(event.tags[-1], event.data["file"]) for event in events]


BOOT = [missing(f"CTLSEP{MAC}.tlv"), given(f"SEP{MAC}.cnf.xml"), missing("AppDialRules.xml"), missing("dialplan.xml")]


def test_it_is_told_once_and_again_when_the_file_is_given(phone):
    log = written(*BOOT)
    written(*BOOT, log=log)
    assert told() == [("file-missing", "dialplan.xml")]
    event = Event.objects.order_by("pk").last()
    assert (event.data_object_uuid, event.data["name"]) == (phone.uuid, "Front desk")
    assert event.data["error"] == "The file names DialPlan.xml, which is not on the file server."
    assert Incident.objects.get().key.endswith("dialplan.xml")

    written(given("dialplan.xml"), given("dialplan.xml"), log=log)
    written(given("dialplan.xml"), log=log)
    assert told()[1:] == [("file-given", "dialplan.xml")]
    assert not Incident.objects.exists()
    written(missing("dialplan.xml"), log=log)
    assert told()[2:] == [("file-missing", "dialplan.xml")]


def test_two_files_of_a_phone_are_two_incidents(phone):
    log = written(*BOOT, missing("keys.xml"))
    assert Incident.objects.count() == 2
    written(given("keys.xml"), log=log)
    assert Incident.objects.get().key.endswith("dialplan.xml")


def test_what_the_file_does_not_name_is_not_told(acme, phone):
    without = "0200000000A2"
    Phone.objects.create(mac=without, account=acme)
    written(*BOOT[:3], missing("dialplan.xml.old"), missing("dialplan.xml", address="192.0.2.7"))
    written(given(f"SEP{without}.cnf.xml", address="192.0.2.2"), missing("dialplan.xml", address="192.0.2.2"))
    assert told() == []


def test_a_few_queries_are_made_for_many_phones(acme, phone, profile):
    counts = []
    for number in (1, 9):
        macs = [f"02000000{number:02X}{each:02X}" for each in range(number)]
        for mac in macs:
            with_file(Phone.objects.create(mac=mac, account=acme, model="8845"), profile)
        boots = [
            fetch
            for each, mac in enumerate(macs)
            for address in [f"198.51.{number}.{each}"]
            for fetch in (given(f"SEP{mac}.cnf.xml", address=address), missing("dialplan.xml", address=address))
        ]
        with CaptureQueriesContext(connection) as caught:
            written(*boots)
        counts.append(len(caught))
    assert counts[0] == counts[1]
    assert RequestedFile.objects.exclude(told_at=None).count() == 10
