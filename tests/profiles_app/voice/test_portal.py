"""Call plans in the self-service portal: what people of an account see of its voice profiles, and may change of them."""

import pytest
from django.urls import reverse

from profiles_app.voice.models.profile import OutboundVoiceProfile
from tests.profiles_app.visitors import grant, visit
from tests.profiles_app.voice.conftest import Pbx

pytestmark = pytest.mark.django_db
VIEW, EDIT = "View Call Plans", "Edit Call Plans"
FORM = {"channel_limit": "3", "max_rate": "", "daily_spend_limit": "7.5", "record_calls": "1", "recorded_callers": "",
        "file_format": "mp3", "audio_track_type": "0"}  # fmt: skip


@pytest.fixture
def visitor(pbx, acme, alice):
    grant(acme, VIEW, EDIT)
    return visit(alice)


def address(pbx, page="plan"):
    return reverse(f"portal:call-plans-{page}", args=[pbx.profile["uuid"]])


def text_of(answer):
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def test_a_plan_shows_its_use_and_its_calls(visitor, pbx):
    pbx.limit(channel_limit=2, daily_spend_limit=5)
    pbx.closed(pbx.admitted(rate=0.5, caller="12025550100"), seconds=61)
    pbx.admitted(), pbx.admitted(), pbx.refused()
    shown = text_of(visitor.get(reverse("portal:call-plans")))
    for words in ("Calls", "123456", "2 of 2", "1.00 of 5.00"):
        assert words in shown
    shown = text_of(visitor.get(address(pbx)))
    for words in ("12025550100", "1.0000", "All channels in use", "Running", "Ended", "Refused", "Change limits"):
        assert words in shown
    home = text_of(visitor.get(reverse("portal:home")))
    assert "Calls refused today" in home


def test_a_call_that_nothing_is_heard_of_is_not_running(visitor, pbx, later):
    pbx.admitted()
    assert "Running" in text_of(visitor.get(address(pbx)))
    later(minutes=6)
    shown = text_of(visitor.get(address(pbx)))
    assert "Running" not in shown
    assert "Expired" in shown


def test_an_editor_changes_limits_and_recording(visitor, pbx):
    assert "Calls at a time" in text_of(visitor.get(address(pbx, "edit")))
    answer = visitor.post(address(pbx, "edit"), FORM)
    assert (answer.status_code, answer["Location"]) == (302, address(pbx))
    plan = OutboundVoiceProfile.objects.get()
    assert (plan.channel_limit, plan.max_rate, plan.daily_spend_limit) == (3, None, 7.5)
    assert (plan.record_calls, plan.file_format) == (1, "mp3")
    assert plan.modified_by.email == "alice@acme.example"
    assert visitor.post(address(pbx, "edit"), FORM | {"channel_limit": "-1"}).status_code == 400
    assert OutboundVoiceProfile.objects.get().channel_limit == 3


def test_what_the_operator_does_not_allow_is_not_changed(visitor, pbx):
    OutboundVoiceProfile.objects.update(customer_limits=False)
    assert "Calls at a time" not in text_of(visitor.get(address(pbx, "edit")))
    visitor.post(address(pbx, "edit"), FORM)
    plan = OutboundVoiceProfile.objects.get()
    assert (plan.channel_limit, plan.file_format) == (None, "mp3")
    OutboundVoiceProfile.objects.update(customer_recording=False)
    assert visitor.get(address(pbx, "edit")).status_code == 404
    assert visitor.post(address(pbx, "edit"), FORM).status_code == 404
    assert "Change limits" not in text_of(visitor.get(address(pbx)))


def test_who_only_looks_gets_no_form(visitor, pbx, acme):
    grant(acme, VIEW)
    assert "Change limits" not in text_of(visitor.get(address(pbx)))
    assert visitor.get(address(pbx, "edit")).status_code == 404
    assert visitor.post(address(pbx, "edit"), FORM).status_code == 404
    assert OutboundVoiceProfile.objects.get().channel_limit is None


def test_the_plan_of_another_account_is_absent(visitor, pbx, stranger):
    pbx.profile = stranger.payload("POST", "/rest/profile/outbound_voice", {"name": "Strange calls"})
    for page in ("plan", "edit"):
        assert visitor.get(address(pbx, page)).status_code == 404
    assert visitor.post(address(pbx, "edit"), FORM).status_code == 404
    assert "Strange calls" not in text_of(visitor.get(reverse("portal:call-plans")))


def test_accounts_with_very_many_plans_see_all_of_them(visitor, pbx, acme):
    OutboundVoiceProfile.objects.bulk_create(
        OutboundVoiceProfile(account=acme, name=f"Branch {number:03}", tech_prefix=200_000 + number)
        for number in range(210)
    )
    last = OutboundVoiceProfile.objects.get(name="Branch 209")
    Pbx(pbx.rest, {"uuid": str(last.uuid)}).admitted()
    assert 'href="?page=2"' in text_of(visitor.get(reverse("portal:call-plans")))
    shown = text_of(visitor.get(reverse("portal:call-plans"), {"page": 5}))
    assert "Branch 209" in shown
    assert "1, no limit" in shown
    facts = text_of(visitor.get(reverse("portal:home"))).partition("Channels now")[2]
    assert facts.startswith('</dt> <dd><a href="/my-account/call-plans/">1</a>')
