"""A phone went to another account, and has another name there: its former account's deployments do not tell it."""

import pytest
from django.urls import reverse
from django.utils.timezone import now

from phones_app.deployment.models import Deployment
from phones_app.deployment.outcome import FAILED, tell_all
from phones_app.rollout import rollout as rollouts
from phones_app.rollout.models import Rollout, RolloutMember
from profiles_app.events.models.outbox import Event
from tests.admin_people import at_desk, clerk
from tests.phones_app.rest import of_token

pytestmark = pytest.mark.django_db
MAC, NAMES = "AA:BB:CC:DD:EE:01", ("Reception", "Chief physician")


@pytest.fixture
def rollout(acme, other, new_phone):
    """One that is over but for its end, whose only phone has a new account and a new name."""
    phone = new_phone(MAC.replace(":", ""), name=NAMES[0])
    said = {"requested_by": "x", "channel": "admin"}
    rollout = Rollout.objects.create(account=acme, total=1, waves=1, wave=1, **said)
    deployment = Deployment.objects.create(
        account=acme, phone=phone, mac=phone.mac, state="failed", started_at=now(), finished_at=now(), **said
    )
    RolloutMember.objects.create(rollout=rollout, deployment=deployment, wave=1)
    phone.account, phone.name = other, NAMES[1]
    phone.save()
    return rollout


def pages_of(rollout: Rollout) -> list[str]:
    deployment = rollout.deployments.get()
    return [
        reverse("admin:phones_app_deployment_changelist"),
        reverse("admin:phones_app_deployment_change", args=[deployment.pk]),
        reverse("admin:phones_app_rollout_change", args=[rollout.pk]),
    ]


def test_the_admin_shows_the_mac_alone(acme, rollout):
    desk = at_desk(clerk(acme))
    for url in pages_of(rollout):
        page = desk.get(url).text
        assert "of another account now" in page, url
        assert MAC in page or MAC.replace(":", "") in page
        assert not any(name in page for name in NAMES), url


def test_rest_and_events_say_no_name(acme, rollout):
    api = of_token(account=acme)
    assert not any(name in api.get("deployments").text for name in NAMES)
    tell_all(rollout.deployments.all(), FAILED)
    rollouts.advance_all()
    told = list(Event.objects.filter(data_type__in=["deployment", "rollout"]).values_list("stored_data", flat=True))
    assert len(told) == 2
    assert all(MAC in data for data in told)
    assert not any(name in data for data in told for name in NAMES)


def test_the_present_account_and_the_deleted_phone_are_told_as_ever(acme, other, rollout):
    desk, phone = at_desk(clerk(acme)), rollout.deployments.get().phone
    phone.account = acme
    phone.save()
    assert all(NAMES[1] in desk.get(url).text for url in pages_of(rollout))
    phone.delete()
    for url in pages_of(rollout):
        assert "deleted" in desk.get(url).text
