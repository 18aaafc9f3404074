"""What listeners can hear of profiles, deployments and phones: an event for each, in the transaction of the change."""

import pytest

from phones_app.deployment.request import deploy
from phones_app.servers.models import FileServer
from profiles_app.events.models.outbox import Event
from profiles_app.events.models.setup import EventProfile
from profiles_app.messaging.models import MessagingProfile
from profiles_app.myaccount.models import MyAccountProfile
from profiles_app.phone.services import update_profile
from profiles_app.voice.models.profile import MIN_TECH_PREFIX, OutboundVoiceProfile
from tests.phones_app.site import ACTOR, sip_file
from tests.servers import free_port

pytestmark = pytest.mark.django_db(transaction=True)


def happened(**of):
    return [tuple(tags) for tags in Event.objects.filter(**of).order_by("pk").values_list("tags", flat=True)]


def test_a_deployment_that_succeeds(site, finish):
    phone, profile = site.phone(), site.profile(content=sip_file("1002"))
    with site.alive(phone):
        deployment = finish(deploy(phone=phone, profile=profile, actor=ACTOR))
    assert happened(data_type__in=["deployment", "phone"]) == [
        ("deployment", "uploaded-deployment"),
        ("phone", "restarted-phone"),
        ("deployment", "confirmed-deployment"),
    ]
    last = Event.objects.filter(data_type="deployment").first()
    assert (last.account, last.data_object_uuid) == (phone.account, deployment.uuid)
    assert (last.data["mac"], last.data["state"]) == (phone.mac_with_colons, "confirmed")
    # Nobody listens, so nothing waits to be matched.
    assert not Event.objects.filter(matched_at=None).exists()


def test_a_deployment_that_fails(site, finish):
    phone, profile = site.phone(), site.profile(content=sip_file("1002"))
    with site.alive(phone):
        FileServer.objects.update(port=free_port(), is_embedded=False)
        finish(deploy(phone=phone, profile=profile, actor=ACTOR))
    [event] = Event.objects.filter(data_type="deployment")
    assert event.tags == ["deployment", "failed-deployment"]
    assert (event.data["error_code"], event.data["state"]) == ("refused", "failed")


def test_profiles_of_every_kind(site, acme):
    profile = site.profile(content=sip_file("1002"))
    update_profile(profile, actor=ACTOR, content=sip_file("1003").encode())
    profile.delete()
    of_events = EventProfile.objects.create(account=acme, name="Desk")
    of_events.name = "Front desk"
    of_events.save()
    MessagingProfile.objects.create(account=acme, name="Texts")
    OutboundVoiceProfile.objects.create(account=acme, name="Calls", tech_prefix=MIN_TECH_PREFIX)
    MyAccountProfile.objects.create(account=acme, name="Clerks")
    phone_profile, event_profile = ("profile", "phone-profile"), ("profile", "event-profile")
    assert happened() == [
        (*phone_profile, "created-profile"),
        (*phone_profile, "changed-profile"),
        (*phone_profile, "deleted-profile"),
        (*event_profile, "created-profile"),
        (*event_profile, "changed-profile"),
        ("profile", "messaging-profile", "created-profile"),
        ("profile", "outbound-voice-profile", "created-profile"),
        ("profile", "myaccount-profile", "created-profile"),
    ]
    # An account that goes takes its events along.
    acme.delete()
    assert happened() == []
