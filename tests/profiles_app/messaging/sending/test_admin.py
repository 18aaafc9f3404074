"""The admin's pages of messages, gateways and opt-outs."""

import re

import pytest
from django.urls import reverse

from profiles_app.messaging.models import NumberLease
from profiles_app.messaging.sending.models import Message, MessageGateway, OptOut
from profiles_app.messaging.sending.receipts import gateway_behind
from tests.admin_people import at_desk, clerk
from tests.profiles_app.messaging.sending.conftest import TO

pytestmark = pytest.mark.django_db(transaction=True)
KEY = "k3y-of-ours"


def page(model, name="changelist", *args):
    return reverse(f"admin:profiles_app_{model}_{name}", args=args)


@pytest.fixture
def desk(root):
    return at_desk(root)


def test_a_message_shows_its_choice_and_its_attempts(desk, send, provider, http_gateway):
    provider.status, provider.body = 400, b'{"message": "No credit"}'
    message = Message.objects.get(uuid=send()["uuid"])
    shown = desk.get(page("message", "change", message.pk)).content.decode()
    for words in ("Its turn, by the weights", "No credit", "Provider", "Hello"):
        assert words in shown
    assert "442079460123" in desk.get(page("message"), {"q": "442079460123"}).content.decode()


def test_a_queued_message_is_cancelled_by_a_button(desk, send, provider, http_gateway):
    provider.status = 503
    message = Message.objects.get(uuid=send()["uuid"])
    url = page("message", "cancel_it", message.pk)
    assert url in desk.get(page("message", "change", message.pk)).content.decode()
    assert "still queued" in desk.get(url).content.decode()
    desk.post(url)
    message.refresh_from_db()
    assert message.state == "cancelled"
    assert url not in desk.get(page("message", "change", message.pk)).content.decode()
    assert desk.post(url).status_code == 403


def test_a_test_goes_through_the_gateway_of_the_page(desk, pool, simulated, provider, http_gateway):
    MessageGateway.objects.filter(pk=http_gateway.pk).update(enabled=False)
    url = page("messagegateway", "test", http_gateway.pk)
    lease = NumberLease.objects.first()
    assert str(lease.tn) in desk.get(url).content.decode()
    desk.post(url, {"lease": lease.pk, "to": TO, "text": "A test"})
    assert (len(provider.requests), Message.objects.get().gateway) == (1, http_gateway)


def test_a_credential_is_shown_once(desk, http_gateway):
    shown = desk.post(page("messagegateway", "new_receipt_credential", http_gateway.pk)).content.decode()
    credential = re.search(r"pbg_[\w-]+", shown)[0]
    assert gateway_behind(credential) == http_gateway
    assert credential not in desk.get(page("messagegateway", "change", http_gateway.pk)).content.decode()


def test_secrets_are_kept_where_they_are_not_shown(acme, simulated, http_gateway):
    MessageGateway.objects.filter(pk=http_gateway.pk).update(account=acme)
    desk = at_desk(clerk(acme))
    url = page("messagegateway", "change", http_gateway.pk)
    form = desk.get(url)
    assert form.context["has_change_permission"]
    assert KEY not in form.content.decode()
    kept = {"name": "Ours", "kind": "http", "method": "POST", "id_path": "id", "priority": 1, "port": 2775}
    assert desk.post(url, kept).status_code == 302
    http_gateway.refresh_from_db()
    assert (http_gateway.name, KEY in http_gateway.headers) == ("Ours", True)
    # What belongs to everybody is not theirs to change.
    assert desk.post(page("messagegateway", "change", simulated.pk), {"name": "Mine"}).status_code == 403


def errors_of(answer):
    assert answer.status_code == 200
    return sorted(answer.context["adminform"].form.errors)


def test_secrets_go_to_no_other_server(acme, root, http_gateway, smpp_gateway):
    MessageGateway.objects.filter(pk=http_gateway.pk).update(account=acme, body='{"key": "k3y-of-ours"}')
    desk, url = at_desk(clerk(acme)), page("messagegateway", "change", http_gateway.pk)
    kept = {"name": "Ours", "kind": "http", "method": "POST", "id_path": "id", "priority": 1, "port": 2775}
    elsewhere = kept | {"url": "https://elsewhere.example/in"}
    assert errors_of(desk.post(url, elsewhere)) == ["body", "headers"]
    # What is hidden with another kind is not kept for later either.
    assert desk.post(url, elsewhere | {"kind": "simulated"}).status_code == 302
    http_gateway.refresh_from_db()
    assert (http_gateway.headers, http_gateway.body) == ("", "")
    assert desk.post(url, elsewhere | {"headers": '{"X-Key": "theirs"}', "body": "{}"}).status_code == 302

    url, smpp = page("messagegateway", "change", smpp_gateway.pk), {"kind": "smpp", "system_id": "patchbay"}
    same = kept | smpp | {"host": smpp_gateway.host, "port": smpp_gateway.port}
    assert at_desk(root).post(url, same | {"name": "Same"}).status_code == 302
    assert errors_of(at_desk(root).post(url, same | {"host": "127.0.0.2"})) == ["password"]
    assert at_desk(root).post(url, same | {"host": "127.0.0.2", "password": "typed"}).status_code == 302
    smpp_gateway.refresh_from_db()
    assert (smpp_gateway.host, smpp_gateway.password) == ("127.0.0.2", "typed")


def test_deleting_an_opt_out_allows_messages_again(desk, send, pool, simulated):
    row = OptOut.objects.create(profile=pool, recipient=TO.removeprefix("+"), word="STOP")
    assert "STOP" in desk.get(page("optout")).content.decode()
    desk.post(page("optout", "delete", row.pk), {"post": "yes"})
    assert send()["state"] == "delivered"
