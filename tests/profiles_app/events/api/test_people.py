"""What happens is told to people: to the contacts of the account that it happened to, in words."""

from urllib.parse import urlsplit

import pytest
from django.urls import reverse

from contacts_app.contacts.services import set_wanted_types
from contacts_app.tokens.models import ApiToken
from profiles_app.events.outbox import EventDraft, emit, emit_many, rules
from tests.admin_people import at_desk
from tests.contacts_app.contacts.mail.conftest import mail_server, pass_time
from tests.peers.mail import text_of

__all__ = ["mail_server", "pass_time"]

pytestmark = pytest.mark.django_db(transaction=True)

PHONE = {"mac": "02:00:00:00:00:01", "name": "Reception"}
REFUSED = PHONE | {"error": "The file server refused the password."}


def happens(account, tag: str, **data) -> None:
    emit(account=account, tags=["phone", tag], data_type="phone", data=data)


def subjects(server) -> list[str]:
    return [message["Subject"] for message in server.messages]


def test_a_failed_deployment_is_told_and_so_is_its_success(mail_server, acme, other, pass_time):
    for tag in ("failed-deployment", "failed-deployment", "confirmed-deployment", "confirmed-deployment"):
        happens(acme, tag, **REFUSED)
        pass_time(minutes=5)
    assert subjects(mail_server) == [
        "Reception (02:00:00:00:00:01): the deployment failed",
        "Reception (02:00:00:00:00:01): deployed after all",
    ]
    assert {to for recipients in mail_server.recipients for to in recipients} == {"office@acme.example"}
    assert "The file server refused the password." in text_of(mail_server.messages[0])


def test_a_line_leads_to_what_it_is_about(mail_server, acme, root, pass_time):
    happens(acme, "failed-deployment", **REFUSED)
    pass_time(minutes=5)
    link = next(line for line in text_of(mail_server.messages[0]).split() if "q=" in line)
    assert link.startswith("https://patchbay.example/admin/phones_app/deployment/?q=02")
    parts = urlsplit(link)
    assert at_desk(root).get(f"{parts.path}?{parts.query}").status_code == 200


def test_phones_of_a_rollout_are_told_with_the_rollout(mail_server, acme, pass_time):
    for number in range(3):
        happens(acme, "failed-deployment", rollout="5f0c", **REFUSED | {"mac": f"02:00:00:00:00:0{number}"})
    went = {"name": "Spring", "reason": "", "total": 500, "confirmed": 497, "failed": 3, "failures": [REFUSED]}
    happens(acme, "finished-rollout", **went)
    pass_time(minutes=5)
    assert subjects(mail_server) == ["Rollout Spring has finished"]
    body = text_of(mail_server.messages[0])
    assert "497 of 500 phones confirmed, 3 failed." in body
    assert "Reception (02:00:00:00:00:01): The file server refused the password." in body
    assert "and 2 more." in body


def test_a_rollout_may_end_what_a_deployment_of_its_own_began(mail_server, acme, pass_time):
    happens(acme, "failed-deployment", **REFUSED)
    happens(acme, "confirmed-deployment", rollout="5f0c", **PHONE)
    pass_time(minutes=5)
    assert subjects(mail_server) == ["Deployments: 1 failed, 1 succeeded after all"]


def test_a_site_that_goes_dark_is_one_mail(mail_server, acme, pass_time, django_assert_max_num_queries):
    dark = [
        EventDraft(acme, ["phone-unreachable"], "phone", PHONE | {"mac": f"{number:012X}", "error": "No answer."})
        for number in range(1000)
    ]
    with django_assert_max_num_queries(60):
        emit_many(dark)
    pass_time(minutes=5)
    assert subjects(mail_server) == ["Phones: 1000 not reachable"]
    assert "and 980 more." in text_of(mail_server.messages[0])


def test_what_nobody_is_told_of_writes_nothing(mail_server, acme, pass_time):
    happens(acme, "new-call", mac="x")
    emit(account=None, tags=["failed-deployment"], data_type="deployment", data=REFUSED)
    pass_time(minutes=5)
    assert mail_server.messages == []


@pytest.mark.parametrize("tag", rules)
def test_every_rule_makes_a_mail_even_of_data_that_says_little(mail_server, acme, pass_time, tag):
    contact = acme.notification_contacts.get()
    set_wanted_types(contact, [rules[tag].event_class.name])
    begins = next(one for one in rules if rules[one].event_class == rules[tag].event_class)
    happens(acme, begins)
    pass_time(minutes=5)
    if rules[tag].over:
        happens(acme, tag)
        pass_time(minutes=5)
    assert len(mail_server.messages) == 1 + rules[tag].over


def test_a_token_that_somebody_makes_is_told(mail_server, acme, root, pass_time):
    form = {"name": "CI", "scope": "account", "account": acme.pk, "extension": "", "networks": "", "never_ends": "on"}
    answer = at_desk(root).post(reverse("admin:contacts_app_apitoken_add"), form)
    token = ApiToken.objects.get()
    pass_time(minutes=5)
    assert subjects(mail_server) == [f"API token CI ({token.key_id}…) was created"]
    text = answer.content.decode().split("data-token>")[1].split("<")[0]
    assert text not in mail_server.messages[0].as_string()
