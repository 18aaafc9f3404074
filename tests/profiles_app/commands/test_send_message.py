"""Messages from the terminal."""

import pytest

from contacts_app.core.actor import system
from profiles_app.messaging.models import MessagingProfile, NumberLease
from profiles_app.messaging.sending.models import Message, MessageGateway, OptOut
from profiles_app.messaging.services import save_number_lease
from tests.commands import run

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def profile(acme):
    MessageGateway.objects.create(name="Simulated", kind="simulated")
    profile = MessagingProfile.objects.create(account=acme, name="News", number_pool_enable=True)
    lease = NumberLease(account=acme, tn=12025550101, messaging_profile=profile)
    save_number_lease(lease, actor=system("test"))
    return profile


def test_a_text_goes_to_each_recipient_that_wants_it(acme, profile):
    OptOut.objects.create(profile=profile, recipient="33100000002", word="STOP")
    given = ("--account", str(acme.voip_id), "--profile", str(profile.uuid), "--text", "Hello", "--json")
    dry = run("send_message", "33100000001", *given, "--dry-run")
    assert (dry.status, dry.row["sender"], dry.row["chosen_because"]) == (0, "12025550101", "only-one")
    assert not Message.objects.exists()
    ran = run("send_message", "+33 100 000 001", "33100000002", "nobody", *given)
    assert (ran.status, [row["state"] for row in ran.rows]) == (1, ["queued", "refused", "refused"])
    assert ran.rows[1]["error_code"] == "opted-out"
    assert Message.objects.get().state == "delivered"


def test_what_is_not_there_is_said(acme, profile):
    account = ("--account", str(acme.voip_id), "--text", "Hello")
    assert "no number 12025550199" in run("send_message", "33100000001", *account, "--from", "12025550199").err
    unknown = "00000000-0000-4000-8000-000000000000"
    assert run("send_message", "33100000001", *account, "--profile", unknown).status == 1
    MessageGateway.objects.all().delete()
    assert "gateway" in run("send_message", "33100000001", *account, "--from", "12025550101").err


def test_no_text_is_sent_that_rest_would_refuse(acme, profile):
    account = ("33100000001", "--account", str(acme.voip_id), "--profile", str(profile.uuid), "--text")
    for text, media, why in (
        ("", (), "a text, or media"),
        ("x" * 919, (), "takes 918 characters; the text has 919"),
        ("x", ("https://media.example/1",) * 11, "takes 10 media, not 11"),
    ):
        ran = run("send_message", *account, text, *(word for url in media for word in ("--media", url)))
        assert (ran.status, why in ran.err) == (2, True)
    assert not Message.objects.exists()
    assert run("send_message", *account, "x" * 918, "--json").row["parts"] == 6
