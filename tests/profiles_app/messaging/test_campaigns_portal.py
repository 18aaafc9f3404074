"""*Campaigns* in the self-service portal: what people of an account see of its messaging profiles, and may change."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from contacts_app.core.actor import system
from profiles_app.messaging.models import MessagingProfile, NumberLease
from profiles_app.messaging.sending.models import Message, OptOut
from profiles_app.messaging.services import save_number_lease
from tests.profiles_app.messaging.conftest import LONG_CODES, TOLLFREE
from tests.profiles_app.visitors import grant, visit

pytestmark = pytest.mark.django_db
VIEW, EDIT, CREATE = "View Campaigns", "Edit Campaigns", "Create Campaigns"
ASSIGN, REPORTS = "Assign Numbers", "View Reports"
FORM = {"name": "Reminders", "number_pool_enable": "on", "long_code_weight": "3", "tollfree_weight": "1",
        "opt_out_words": "STOP", "opt_in_words": "START"}  # fmt: skip


@pytest.fixture
def campaign(acme):
    return MessagingProfile.objects.create(account=acme, name="Guests", number_pool_enable=True, long_code_weight=5)


@pytest.fixture
def numbers(acme, campaign):
    """One of the campaign, two of the account's default one."""
    for tn, profile in zip((*LONG_CODES[:2], TOLLFREE), (campaign, None, None), strict=True):
        save_number_lease(NumberLease(account=acme, tn=tn, messaging_profile=profile), actor=system("test"))


@pytest.fixture
def strange(other):
    return MessagingProfile.objects.create(account=other, name="Strange campaign")


def address(campaign, page="one"):
    return reverse(f"portal:campaigns-{page}", args=[campaign.uuid])


def text_of(answer):
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def message(campaign, state, *, days_ago=0):
    now = timezone.now()
    row = Message.objects.create(
        account=campaign.account,
        messaging_profile=campaign,
        sender="1",
        recipient="2",
        encoding="gsm7",
        state=state,
        sent_at=None if state in ("queued", "failed") else now,
        next_attempt_at=now,
    )
    Message.objects.filter(pk=row.pk).update(created_at=now - timedelta(days=days_ago))


def test_campaigns_are_shown_and_each_button_with_its_flag_only(acme, alice, campaign, numbers, strange):
    buttons = {EDIT: address(campaign, "edit"), CREATE: reverse("portal:campaigns-create"),
               ASSIGN: address(campaign, "numbers"), REPORTS: address(campaign, "report")}  # fmt: skip
    desk = visit(alice)
    for granted in ((), *((flag,) for flag in buttons), tuple(buttons)):
        grant(acme, VIEW, *granted)
        shown = text_of(desk.get(reverse("portal:campaigns"))) + text_of(desk.get(address(campaign)))
        assert {flag for flag, path in buttons.items() if f'href="{path}"' in shown} == set(granted)
        assert ("Opt-outs" in shown) == (REPORTS in granted)
        for words in ("Guests", "5 : 1", f"+{LONG_CODES[0]}"):
            assert words in shown
        assert "Strange campaign" not in shown
    assert "Campaigns" in text_of(desk.get(reverse("portal:home")))


def test_the_report_adds_up_the_last_days_and_shows_opt_outs(acme, alice, campaign, strange):
    message(campaign, "delivered", days_ago=40)
    message(campaign, "delivered", days_ago=2)
    for state in ("delivered", "undelivered", "failed", "sent", "queued"):
        message(campaign, state)
    message(strange, "delivered")
    OptOut.objects.create(profile=campaign, recipient="442079460123", word="STOP")
    OptOut.objects.create(profile=strange, recipient="442079460999", word="STOP")
    grant(acme, VIEW, REPORTS)
    desk = visit(alice)
    shown = text_of(desk.get(address(campaign, "report")))
    assert "6 messages, 4 sent, 2 delivered, 2 failed" in shown
    for ago, cells in ((0, (5, 3, 1, 2)), (2, (1, 1, 1, 0)), (1, (0, 0, 0, 0))):
        day = timezone.localdate() - timedelta(days=ago)
        row = shown.partition(f"<span>{day}</span>")[2].partition("</tr>")[0]
        assert [f"<span>{number}</span>" in cell for number, cell in zip(cells, row.split("<td")[1:], strict=True)] == (
            [True] * 4
        )
    assert "+442079460123" in shown
    assert "+442079460999" not in shown
    row = text_of(desk.get(reverse("portal:campaigns"))).partition("Guests</a>")[2].partition("</tr>")[0]
    assert [
        f"<span>{number}</span>" in cell for number, cell in zip((4, 2, 2, 1), row.split("<td")[3:], strict=True)
    ] == [True] * 4


def test_a_campaign_is_created_and_changed(acme, alice, campaign):
    grant(acme, VIEW, EDIT, CREATE)
    desk = visit(alice)
    new = reverse("portal:campaigns-create")
    assert "Weight of ordinary numbers" in text_of(desk.get(new))
    assert desk.post(new, FORM | {"long_code_weight": "10"}).status_code == 400
    assert MessagingProfile.objects.count() == 1
    answer = desk.post(new, FORM)
    made = MessagingProfile.objects.get(name="Reminders")
    assert (answer.status_code, answer["Location"]) == (302, address(made))
    assert (made.account, made.created_by, made.long_code_weight, made.is_default) == (acme, alice, 3, False)
    MessagingProfile.objects.filter(pk=campaign.pk).update(callback_url="https://hooks.example.org/k3y")
    assert "k3y" not in text_of(desk.get(address(campaign))) + text_of(desk.get(address(campaign, "edit")))
    assert desk.post(address(campaign, "edit"), FORM | {"name": ""}).status_code == 400
    assert desk.post(address(campaign, "edit"), FORM | {"name": "Visitors"}).status_code == 302
    campaign.refresh_from_db()
    assert (campaign.name, campaign.long_code_weight, campaign.modified_by) == ("Visitors", 3, alice)
    assert campaign.callback_url == "https://hooks.example.org/k3y"


def test_numbers_are_assigned_all_or_none(acme, alice, campaign, numbers, other):
    grant(acme, VIEW, ASSIGN)
    desk, path = visit(alice), address(campaign, "numbers")
    strange = save_number_lease(NumberLease(account=other, tn=442079460999), actor=system("test"))
    shown = text_of(desk.get(path))
    assert f"+{LONG_CODES[1]}, now in Default" in shown
    assert f"+{LONG_CODES[0]}" not in shown
    assert f"+{strange.tn}" not in shown
    found = text_of(desk.get(path, {"number": "+1 800"}))
    assert f"+{TOLLFREE}" in found
    assert f"+{LONG_CODES[1]}" not in found
    assert "No other campaign has such a number." in text_of(desk.get(path, {"number": "99"}))
    keys = list(NumberLease.objects.filter(tn__in=(LONG_CODES[1], TOLLFREE)).values_list("pk", flat=True))
    for wrong in ([], [keys[0], strange.pk], ["x"]):
        assert desk.post(path, {"numbers": wrong}).status_code == 400
        assert campaign.leases.count() == 1
    assert desk.post(path, {"numbers": keys}).status_code == 302
    assert campaign.leases.count() == 3
    assert "There is no number in another campaign." in text_of(desk.get(path))


def test_the_campaign_of_another_account_is_absent(acme, alice, strange):
    grant(acme, VIEW, EDIT, CREATE, ASSIGN, REPORTS)
    desk = visit(alice)
    for page in ("one", "edit", "numbers", "report"):
        assert desk.get(address(strange, page)).status_code == 404
    for page in ("edit", "numbers"):
        assert desk.post(address(strange, page), FORM).status_code == 404
    assert "Your account has no campaign." in text_of(desk.get(reverse("portal:campaigns")))


def test_many_campaigns_numbers_and_messages_take_no_more_queries(acme, alice, campaign, numbers):
    grant(acme, VIEW, EDIT, ASSIGN, REPORTS)
    desk = visit(alice)
    message(campaign, "delivered")

    def counts():
        taken = []
        for path in (reverse("portal:campaigns"), *(address(campaign, page) for page in ("one", "numbers", "report"))):
            with CaptureQueriesContext(connection) as found:
                assert desk.get(path).status_code == 200
            taken.append(len(found))
        return taken

    counts()
    few = counts()
    for number in range(10):
        more = MessagingProfile.objects.create(account=acme, name=f"More {number}")
        for place, profile in enumerate((campaign, more)):
            tn = 12125550000 + 10 * number + place
            save_number_lease(NumberLease(account=acme, tn=tn, messaging_profile=profile), actor=system("test"))
            message(profile, "delivered", days_ago=number)
            OptOut.objects.create(profile=profile, recipient=f"{number}", word="STOP")
    assert counts() == few
