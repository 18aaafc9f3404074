"""Rollouts to exactly the phones whose files a change concerns: of a layer, or of many phones at once."""

import pytest
from django.db.models import F
from django.urls import reverse
from django.utils import timezone

from phones_app.configuration.admin import confirm
from phones_app.configuration.models import PhoneConfiguration
from phones_app.inventory.models import Phone
from tests.admin_people import at_desk, clerk
from tests.phones_app.configuration.data import layer, line, made_profile, phone

pytestmark = pytest.mark.django_db
CHANGE = reverse("admin:phones_app_phone_bulk")
BUTTON = "Change and roll out…"


@pytest.fixture
def phones(acme, alice):
    """Two in Munich and one in Berlin, which have the files that they should run."""
    profile = made_profile(alice)
    layer(acme, values={"pbx": "pbx.example.org", "time_zone": "Europe/Berlin"})
    found = [phone(acme, number, profile) for number in (1, 2)] + [phone(acme, 3, profile, location="Berlin")]
    for one in found:
        layer(acme, kind="phone", phone=one, lines=[line(acme, f"20{one.pk:02}")])
    brought()
    return found


def brought() -> None:
    """All phones have got their files."""
    confirm.work_out(Phone.objects.all())
    assert not PhoneConfiguration.objects.filter(due_at__isnull=False).exists()
    PhoneConfiguration.objects.update(file_sha256=F("sha256"))


def chosen(page) -> str:
    return page.context["form"]["macs"].value()


def macs(*phones) -> str:
    return ",".join(one.mac for one in phones)


def test_phones_that_are_still_worked_out_are_in_the_rollout(root_desk, acme, phones, monkeypatch):
    location = layer(acme, kind="location", name="Munich", values={"ntp_servers": "10.0.0.1"})
    PhoneConfiguration.objects.filter(phone__in=phones[:2]).update(due_at=timezone.now())
    monkeypatch.setattr(confirm, "WORKED_OUT_AT_ONCE", 1)
    page = root_desk.get(reverse("admin:phones_app_layer_roll_out", args=[location.pk]))
    assert PhoneConfiguration.objects.filter(due_at__isnull=False).count() == 1
    assert chosen(page) == macs(*phones[:2])


def test_phones_that_are_changed_together_are_rolled_out_with_one_button(root_desk, phones):
    sent = {"phones": f"{phones[0].pk},{phones[2].pk}", "setting_1": "ntp_servers", "value_1": "10.9.9.9"}
    assert BUTTON in root_desk.post(CHANGE, sent).content.decode()
    page = root_desk.post(CHANGE, sent | {"confirm": "roll-out"})
    assert chosen(page) == macs(phones[0], phones[2])
    assert [str(message) for message in page.context["messages"]] == ["2 phones changed."]


def test_a_change_of_no_file_leads_back_to_the_list(root_desk, phones):
    sent = {"phones": str(phones[2].pk), "activity": "no", "confirm": "roll-out"}
    done = root_desk.post(CHANGE, sent, follow=True)
    told = [str(message) for message in done.context["messages"]]
    assert told == ["1 phone changed.", "There is nothing to roll out: no phone got another file by that."]
    assert done.request["PATH_INFO"] == reverse("admin:phones_app_phone_changelist")


def test_who_may_not_deploy_changes_phones_and_no_more(acme, phones):
    desk = at_desk(clerk(acme, without="add_deployment"))
    sent = {"phones": str(phones[0].pk), "location": "Hamburg"}
    assert BUTTON not in desk.post(CHANGE, sent).content.decode()
    assert desk.post(CHANGE, sent | {"confirm": "roll-out"}).status_code == 302
    phones[0].refresh_from_db()
    assert phones[0].location == "Hamburg"
