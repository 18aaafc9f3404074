"""The admin pages of messaging and outbound voice profiles, numbers and inbound messages."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from contacts_app.core.actor import system
from profiles_app.messaging.inbound import receive_message
from profiles_app.messaging.models import InboundMessage, MessagingProfile, NumberLease, StickySender
from profiles_app.messaging.services import save_messaging_profile, save_number_lease
from profiles_app.voice.models.profile import OutboundVoiceProfile
from profiles_app.voice.services import save_outbound_voice_profile
from tests.admin_people import at_desk, clerk

pytestmark = pytest.mark.django_db

ACTOR = system("test")
SECRET = "https://key:hush@hooks.example.org/in/T0k3n?key=hush"
MODELS = ("messagingprofile", "outboundvoiceprofile", "numberlease", "stickysender", "inboundmessage")


def page(model, name="changelist", *args):
    return reverse(f"admin:profiles_app_{model}_{name}", args=args)


def furnish(account, number):
    """A profile, a number, a voice profile, a sticky pair and a message, numbered for this account."""
    profile = MessagingProfile(account=account, name=f"Profile {number}", callback_url=SECRET)
    save_messaging_profile(profile, actor=ACTOR)
    lease = NumberLease(account=account, tn=12025550000 + number, messaging_profile=profile)
    save_number_lease(lease, actor=ACTOR)
    voice = OutboundVoiceProfile(account=account, name=f"Voice {number}", tn_lease=lease)
    save_outbound_voice_profile(voice, actor=ACTOR)
    StickySender.objects.create(profile=profile, recipient=f"4420794600{number:02}", lease=lease)
    receive_message(lease=lease, sender=f"4420794600{number:02}", text="Hello")
    return profile


@pytest.fixture
def ours(acme):
    return furnish(acme, 1)


@pytest.fixture
def theirs(other):
    return furnish(other, 2)


@pytest.fixture
def root_desk(root):
    return at_desk(root)


@pytest.fixture
def clerk_desk(acme):
    return at_desk(clerk(acme))


def form_of(desk, url):
    """What the page's form would send back if nothing was touched."""
    shown = desk.get(url).context["adminform"].form
    values = {name: shown.get_initial_for_field(field, name) for name, field in shown.fields.items()}
    return {name: value for name, value in values.items() if value not in (None, False)}


@pytest.mark.parametrize("model", MODELS)
def test_every_list_and_page_opens(root_desk, ours, model):
    answer = root_desk.get(page(model))
    assert answer.status_code == 200
    assert len(answer.context["cl"].result_list) == 1
    row = answer.context["cl"].result_list[0]
    opened = root_desk.get(page(model, "change", row.pk))
    assert opened.status_code == 200
    assert "hush" not in answer.content.decode()


@pytest.mark.parametrize("model", ["messagingprofile", "outboundvoiceprofile", "numberlease"])
def test_every_empty_form_opens(root_desk, ours, model):
    assert root_desk.get(page(model, "add")).status_code == 200


@pytest.mark.parametrize("model", MODELS)
def test_a_clerk_sees_their_own_accounts_rows_only(clerk_desk, ours, theirs, model):
    rows = clerk_desk.get(page(model)).context["cl"].result_list
    assert len(rows) == 1
    stranger = type(rows[0]).objects.exclude(pk=rows[0].pk).get()
    assert clerk_desk.get(page(model, "change", stranger.pk)).status_code == 404


@pytest.mark.parametrize("model", MODELS)
def test_lists_take_as_many_queries_for_one_row_as_for_ten(root_desk, acme, model):
    def queries():
        with CaptureQueriesContext(connection) as captured:
            assert root_desk.get(page(model)).status_code == 200
        return len(captured)

    furnish(acme, 1)
    root_desk.get(page(model))
    few = queries()
    for number in range(2, 11):
        furnish(acme, number)
    assert queries() == few


@pytest.mark.parametrize(
    ("spelling", "count"),
    [
        ("+1 202 555 0001", 1),
        ("(202) 555-0001", 1),
        ("0012025550001", 1),
        ("1202555", 1),
        ("555 0001", 1),
        ("5550001", 1),
        ("+1 (0)202.555.0001", 1),
        ("202 555 0002", 0),
        ("1203", 0),
        ("0", 0),
    ],
)
def test_a_number_is_found_in_any_spelling(root_desk, ours, spelling, count):
    for model in ("numberlease", "messagingprofile"):
        found = root_desk.get(page(model), {"q": spelling}).context["cl"].result_list
        assert len(found) == count


def test_a_sticky_pair_is_found_by_either_number(root_desk, ours):
    for spelling in ("+44 (0)20 794600-01", "202 555 0001", "Profile 1"):
        assert len(root_desk.get(page("stickysender"), {"q": spelling}).context["cl"].result_list) == 1
    assert not root_desk.get(page("stickysender"), {"q": "12345678"}).context["cl"].result_list


def test_numbers_are_found_by_their_health(root_desk, ours):
    for health, count in (("healthy", 1), ("unhealthy", 0)):
        rows = root_desk.get(page("numberlease"), {"health": health}).context["cl"].result_list
        assert len(rows) == count
    NumberLease.objects.update(sent_count=10)
    assert len(root_desk.get(page("numberlease"), {"health": "unhealthy"}).context["cl"].result_list) == 1
    chosen = {"action": "forget_health", "_selected_action": [NumberLease.objects.get().pk]}
    root_desk.post(page("numberlease"), chosen)
    assert NumberLease.objects.get().sent_count == 0


def test_a_number_without_a_profile_gets_the_default_one(root_desk, acme, other, theirs):
    sent = {"tn": "18005550100", "account": acme.pk, "sent_count": 0, "delivered_count": 0, "spam_count": 0}
    refused = root_desk.post(page("numberlease", "add"), {**sent, "messaging_profile": theirs.pk})
    assert "another account" in refused.content.decode()
    assert root_desk.post(page("numberlease", "add"), sent).status_code == 302
    lease = NumberLease.objects.get(tn=18005550100)
    assert (lease.kind, lease.messaging_profile.is_default) == ("tollfree", True)
    assert lease.messaging_profile.account == acme


def test_tenants_neither_add_nor_delete_numbers(clerk_desk, ours):
    lease = NumberLease.objects.get()
    assert clerk_desk.get(page("numberlease", "add")).status_code == 403
    assert clerk_desk.post(page("numberlease", "delete", lease.pk), {"post": "yes"}).status_code == 403
    sent = {"messaging_profile": ours.pk, "tn": "12025559999", "sent_count": "7"}
    assert clerk_desk.post(page("numberlease", "change", lease.pk), sent).status_code == 302
    lease.refresh_from_db()
    assert (lease.tn, lease.sent_count) == (12025550001, 0)


def test_the_secret_part_of_a_webhook_is_shown_to_those_who_may_see_it(root_desk, clerk_desk, ours):
    url = page("messagingprofile", "change", ours.pk)
    assert "hush" in root_desk.get(url).content.decode()
    seen = clerk_desk.get(url).content.decode()
    assert "hush" not in seen
    assert "T0k3n" not in seen
    assert "https://hooks.example.org/…" in seen


def test_a_masked_webhook_that_is_sent_back_stays(clerk_desk, ours):
    url = page("messagingprofile", "change", ours.pk)
    sent = form_of(clerk_desk, url)
    assert sent["callback_url"] == "https://hooks.example.org/…"
    assert clerk_desk.post(url, {**sent, "name": "Renamed"}).status_code == 302
    ours.refresh_from_db()
    assert (ours.name, ours.callback_url) == ("Renamed", SECRET)
    assert ours.modified_by.email == "clerk@acme.example"
    assert clerk_desk.post(url, {**sent, "callback_url": "https://new.example.org/"}).status_code == 302
    ours.refresh_from_db()
    assert ours.callback_url == "https://new.example.org/"
    assert "http or https" in clerk_desk.post(url, {**sent, "callback_url": "ftp://new.example.org/"}).content.decode()
    assert clerk_desk.post(url, {**sent, "callback_url": ""}).status_code == 302
    ours.refresh_from_db()
    assert ours.callback_url is None


def test_deleting_a_profile_moves_its_numbers(root_desk, ours):
    assert root_desk.post(page("messagingprofile", "delete", ours.pk), {"post": "yes"}).status_code == 302
    assert not MessagingProfile.objects.filter(pk=ours.pk).exists()
    default = NumberLease.objects.get().messaging_profile
    assert default.is_default
    assert root_desk.post(page("messagingprofile", "delete", default.pk), {"post": "yes"}).status_code == 403
    assert MessagingProfile.objects.get() == default


def test_a_profile_in_use_stays_where_numbers_may_not_move(root_desk, ours, settings):
    settings.MESSAGING_DELETE_MOVES_NUMBERS = False
    asked = root_desk.post(page("messagingprofile", "delete", ours.pk), {"post": "yes"})
    assert asked.status_code == 200
    assert MessagingProfile.objects.filter(pk=ours.pk).exists()


def test_a_default_that_is_added_takes_over(root_desk, acme, other, ours, theirs):
    first = save_messaging_profile(MessagingProfile(account=acme, name="First", is_default=True), actor=ACTOR)
    theirs.is_default = True
    save_messaging_profile(theirs, actor=ACTOR)
    url = page("messagingprofile", "add")
    given = {**form_of(root_desk, url), "account": acme.pk, "name": "Second", "is_default": "on"}
    answer = root_desk.post(url, given)
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    assert set(MessagingProfile.objects.filter(is_default=True).values_list("name", flat=True)) == {
        "Second",
        theirs.name,
    }
    url = page("messagingprofile", "change", first.pk)
    assert root_desk.post(url, {**form_of(root_desk, url), "is_default": "on"}).status_code == 302
    assert MessagingProfile.objects.get(account=acme, is_default=True) == first


def test_a_new_default_takes_over(root_desk, acme, ours):
    second = save_messaging_profile(MessagingProfile(account=acme, name="Second", is_default=True), actor=ACTOR)
    url = page("messagingprofile", "make_default", ours.pk)
    assert root_desk.get(url).status_code == 200
    second.refresh_from_db()
    assert second.is_default
    assert root_desk.post(url).status_code == 302
    assert MessagingProfile.objects.get(is_default=True) == ours


def test_the_account_of_a_profile_stays(root_desk, ours, other):
    url = page("messagingprofile", "change", ours.pk)
    root_desk.post(url, {**form_of(root_desk, url), "account": other.pk, "name": "Moved?"})
    ours.refresh_from_db()
    assert (ours.name, ours.account.name) == ("Moved?", "Acme")


def test_a_voice_profile_without_a_prefix_gets_one_and_can_be_blocked(root_desk, acme, theirs):
    sent = {"name": "New", "account": acme.pk, "record_calls": 0, "file_format": "wav", "audio_track_type": 0}
    foreign = NumberLease.objects.get().pk
    refused = root_desk.post(page("outboundvoiceprofile", "add"), {**sent, "tn_lease": foreign})
    assert "another account" in refused.content.decode()
    assert root_desk.post(page("outboundvoiceprofile", "add"), {**sent, "is_active": "on"}).status_code == 302
    voice = OutboundVoiceProfile.objects.get(name="New")
    assert 100000 <= voice.tech_prefix <= 999999
    chosen = {"action": "deactivate", "_selected_action": [voice.pk]}
    root_desk.post(page("outboundvoiceprofile"), chosen)
    voice.refresh_from_db()
    assert voice.is_active is False


@pytest.mark.django_db(transaction=True)
def test_a_failed_message_can_be_delivered_again(root_desk, ours):
    InboundMessage.objects.update(state="failed", outcome="before")
    message = InboundMessage.objects.get()
    ours.callback_url = None
    ours.save()
    url = page("inboundmessage", "deliver_again", message.pk)
    assert root_desk.get(url).status_code == 200
    assert InboundMessage.objects.get().state == "failed"
    assert root_desk.post(url).status_code == 302
    assert InboundMessage.objects.get().state == "kept"


def test_deleting_an_account_takes_its_profiles_and_numbers_along(root_desk, acme, ours, theirs):
    url = reverse("admin:contacts_app_account_delete", args=[acme.pk])
    assert "Profile 1" in root_desk.get(url).content.decode()
    assert root_desk.post(url, {"post": "yes"}).status_code == 302
    assert list(MessagingProfile.objects.all()) == [theirs]
