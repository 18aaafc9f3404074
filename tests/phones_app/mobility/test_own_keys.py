"""People set the keys of their phones in the portal: what they may, where they may, looked at before it is done
(portal spec §2).
"""

from zoneinfo import ZoneInfo

import pytest
from django.urls import reverse
from django.utils import timezone

from phones_app.configuration.models import Layer
from phones_app.deployment.models import Deployment, State
from phones_app.mobility.models import MobilityPolicy
from profiles_app.phone.models import KeyLayout, Line, PhoneProfile, Source
from tests.phones_app.configuration.data import layer
from tests.profiles_app.visitors import grant, visit

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(acme, bob, site):
    """A phone that runs a profile of Bob's, built in, with a line and a key that staff have made."""
    grant(acme, "View Services", "Manage Services")
    profile = PhoneProfile.objects.create(user=bob, name="Bob's", source=Source.BUILT_IN)
    layer(acme, values={"call_managers": "10.0.0.1"})
    Line.objects.create(account=acme, extension="301", user=bob, auth_password="s3cret", label="Bob")
    staffs = KeyLayout.objects.create(
        account=acme, name="Staff's", keys=[{"module": 0, "position": 3, "kind": "park", "label": ""}]
    )
    layer(acme, kind="profile", profile=profile, key_layout=staffs)
    return site.phone(model="8851", current_profile=profile, name="Desk 7")


def page_of(phone) -> str:
    return reverse("portal:phones-keys", args=[phone.uuid])


TAXI = {"key-0-2-kind": "speed-dial", "key-0-2-target": "555", "key-0-2-label": "Taxi", "key-0-1-label": "Me"}


def test_a_preview_changes_nothing_and_shows_the_picture(desk, bob):
    browser = visit(bob)
    assert page_of(desk) in browser.get(reverse("portal:phones")).content.decode()
    before = KeyLayout.objects.count()
    shown = browser.post(page_of(desk), TAXI).content.decode()
    assert "Nothing is changed yet" in shown
    assert "Taxi <small>Speed dial</small>" in shown
    assert "Me <small>Line</small>" in shown
    assert shown.count("Your administrator has set this key.") == 1, "instead of an empty frame"
    assert "s3cret" not in shown
    assert KeyLayout.objects.count() == before


def test_applied_keys_are_kept_beside_what_staff_have_made_and_can_be_undone(desk, bob, no_inline_work):
    browser = visit(bob)
    assert browser.post(page_of(desk), TAXI | {"apply": "now", "ring_idle": "flash"}).status_code == 302
    own = KeyLayout.objects.get(own_of=desk.current_profile)
    assert [(key["position"], key["kind"], key["label"]) for key in own.keys] == [
        (1, "line", "Me"),
        (2, "speed-dial", "Taxi"),
        (3, "park", ""),
    ]
    assert Layer.objects.get(profile=desk.current_profile).values == {"ring_idle": "flash"}
    assert KeyLayout.objects.get(name="Staff's").keys[0]["kind"] == "park"
    browser.post(page_of(desk), TAXI | {"key-0-2-label": "Cab", "apply": "now"})
    assert browser.post(reverse("portal:phones-keys-undo", args=[desk.uuid])).status_code == 302
    own.refresh_from_db()
    assert [key["label"] for key in own.keys] == ["Me", "Taxi", ""]


def test_undoing_brings_back_no_kind_that_the_account_has_forbidden_since(desk, bob, acme, no_inline_work):
    browser = visit(bob)
    browser.post(page_of(desk), TAXI | {"apply": "now"})
    browser.post(page_of(desk), {"key-0-1-label": "Me", "apply": "now"})
    MobilityPolicy.objects.create(account=acme, own_key_kinds=["blf"])
    assert browser.post(reverse("portal:phones-keys-undo", args=[desk.uuid])).status_code == 302
    own = KeyLayout.objects.get(own_of=desk.current_profile)
    assert [key["kind"] for key in own.keys] == ["line", "park"]


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ({"key-0-2-kind": "intercom"}, "Select a valid choice"),
        ({"key-0-2-kind": "speed-dial"}, "needs a number or an address"),
        ({"key-0-2-kind": "speed-dial", "key-0-2-target": "1", "key-0-2-label": "x" * 31}, "at most 30 characters"),
    ],
)
def test_what_cannot_be_is_told_beside_its_field(desk, bob, typed, told):
    refused = visit(bob).post(page_of(desk), typed | {"apply": "now"})
    assert refused.status_code == 400
    assert told in refused.content.decode()
    assert not KeyLayout.objects.filter(own_of__isnull=False).exists()


def test_the_account_says_which_kinds_people_choose(desk, bob, acme):
    MobilityPolicy.objects.create(account=acme, own_key_kinds=["blf"])
    refused = visit(bob).post(page_of(desk), TAXI | {"apply": "now"})
    assert refused.status_code == 400


def test_the_keys_of_a_file_and_those_of_others_are_not_to_be_had(desk, bob, alice, charlie, new_profile):
    desk.current_profile = new_profile("A file", user=bob)
    desk.save()
    shown = visit(bob).get(page_of(desk)).content.decode()
    assert "stand in a file" in shown
    assert '<form method="post" class="card"' not in shown
    for person in (alice, charlie):
        assert visit(person).get(page_of(desk)).status_code in (403, 404)


@pytest.mark.django_db(transaction=True)
def test_applied_keys_come_to_the_phone_and_are_confirmed(desk, bob, site, work, no_inline_work):
    """Case 6 of the portal spec."""
    with site.alive(desk) as fleet:
        assert visit(bob).post(page_of(desk), TAXI | {"apply": "now"}).status_code == 302
        work(lambda: Deployment.objects.filter(state=State.CONFIRMED).exists())
        assert fleet[desk.mac].device_file.line_labels == ("Me",)
    content = bytes(Deployment.objects.get().revision.content)
    assert b"<featureLabel>Taxi</featureLabel>" in content
    assert b"<speedDialNumber>555</speedDialNumber>" in content


def test_what_stays_empty_is_told_in_german(desk, bob, acme):
    MobilityPolicy.objects.create(account=acme, own_key_kinds=["redial"])
    shown = visit(bob).post(page_of(desk), {"key-0-2-kind": "redial"}, headers={"accept-language": "de"})
    assert "<li>Taste 2 bleibt leer: das 8851 kennt keine Taste „Wahlwiederholung“</li>" in shown.content.decode()


def test_tonight_is_two_in_the_morning_where_the_account_is(desk, bob, acme, no_inline_work):
    acme.time_zone = "Asia/Tokyo"
    acme.save()
    visit(bob).post(page_of(desk), TAXI | {"apply": "tonight"})
    begins = Deployment.objects.get().next_attempt_at.astimezone(ZoneInfo("Asia/Tokyo"))
    assert (begins.hour, begins.minute) == (2, 0)
    assert begins > timezone.now()
