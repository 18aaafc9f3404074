"""Who is notified of an event: subscriptions, filters, and the level of listeners."""

from pathlib import Path

import pytest

from profiles_app.events.models.outbox import Event
from profiles_app.events.tags import FOREIGN, TAGS
from tests.profiles_app.events.deliveries.events import call, feed, uuids

pytestmark = pytest.mark.django_db(transaction=True)
CALLER, CALLED = "+15550000001", "+15550000002"


def number(**value):
    return [{"filter_type": "number", "filter_value": value}]


def inverted(filters):
    return [{**rule, "not_logic": True} for rule in filters]


SCHEDULE = [{"filter_type": "schedule", "filter_value": {"id": 7}}]


@pytest.mark.parametrize(
    ("filters", "event", "passes"),
    [
        (number(eq=CALLER), call(CALLER), True),
        (number(eq=CALLED), call(CALLER), True),
        (number(eq="+15550000003"), call(CALLER), False),
        (inverted(number(eq="+15550000003")), call(CALLER), True),
        (inverted(number(eq=CALLER)), call(CALLER), False),
        (number(**{"in": ["+15559999999", CALLER]}), call(CALLER), True),
        (number(**{"in": ["+15559999999"]}), call(CALLER), False),
        (number(match="+1555%"), call(CALLER), True),
        (number(match="%0001"), call(CALLER), True),
        (number(match="+1555%0001"), call("+15550001"), True),
        (number(match="+1444%"), call(CALLER), False),
        (number(eq=CALLER) + number(eq=CALLED), call(CALLER), True),
        (number(eq=CALLER) + number(eq="+15550000003"), call(CALLER), False),
        (number(eq=CALLER), call(data={"uuid": "x"}), False),
        (number(eq=CALLER), call(data={"from": CALLER, "to": [CALLED]}), True),
        (number(eq=CALLED), call(data={"from": {"type": "did", "id": 1}, "to": [{"id": CALLED}]}), True),
        (SCHEDULE, call(), False),
        (SCHEDULE, call(schedules=[7, 8]), True),
        (inverted(SCHEDULE), call(schedules=[8]), True),
    ],
)
def test_filters(at, ear, receiver, filters, event, passes):
    ear(receiver, filters=filters)
    [uuid] = feed(at, event)
    assert uuids(receiver) == ([uuid] if passes else [])


@pytest.mark.parametrize(
    ("subscriptions", "passes"),
    [
        ([["call", "inbound"]], True),
        ([["call", "message"]], False),
        ([["message"], ["first-leg"]], True),
        ([["message"], ["fax", "call"]], False),
    ],
)
def test_a_subscription_needs_all_its_tags_and_one_subscription_is_enough(at, ear, receiver, subscriptions, passes):
    _, listener = ear(receiver, subscriptions[0])
    for tags in subscriptions[1:]:
        at.post(f"listeners/{listener}/subscriptions", {":tags": tags})
    feed(at, call())
    assert len(receiver.requests) == passes


def test_an_account_hears_of_its_extensions_and_an_extension_of_itself(
    at, at_extension, ear, receiver, second, extension
):
    ear(receiver)
    ear(second, client=at_extension)
    [of_account], [of_extension] = feed(at, call()), feed(at_extension, call())
    assert uuids(receiver) == [of_account, of_extension]
    assert uuids(second) == [of_extension]


def test_two_listeners_of_one_callback_tell_it_once(at, ear, receiver):
    callback, _ = ear(receiver)
    again = at.post("listeners", {"callback_id": callback}).json()["id"]
    at.post(f"listeners/{again}/subscriptions", {":tags": ["call"]})
    [uuid] = feed(at, call())
    assert uuids(receiver) == [uuid]


def test_every_tag_of_our_own_is_documented():
    documented = (Path(__file__).parents[4] / "docs" / "events.md").read_text()
    assert [tag for tag in TAGS[len(FOREIGN) :] if f"`{tag}`" not in documented] == []


def test_own_tags_can_be_subscribed_to(at, ear, receiver):
    ear(receiver, ["api-token", "created-token"])
    from contacts_app.accounts.models import Account
    from contacts_app.tokens.services import create_token, revoke_token

    token, text = create_token(account=Account.objects.get(voip_id=1000001), name="Integration")
    [request] = receiver.requests
    assert b'"Integration"' in request.body
    _, _, secret = text.split("_", 2)
    assert secret.encode() not in request.body
    revoke_token(token)
    assert len(receiver.requests) == 1
    assert Event.objects.latest("pk").tags == ["api-token", "revoked-token"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"events": [call(), call(tags=["bogus"])]}, 422),
        ({"events": []}, 422),
        ({"events": [{"tags": ["call"], "data_type": "call"}]}, 422),
        ({"events": [call() | {"data": "text"}]}, 422),
        ({"events": [call() | {"data_object_uuid": "x"}]}, 422),
        ([], 400),
        (call(), 201),
    ],
)
def test_ingest_takes_all_or_nothing(at, ear, receiver, body, status):
    ear(receiver)
    assert at.post("ingest", body).status_code == status
    assert len(receiver.requests) == (status == 201)


def test_ingest_is_for_the_account_and_its_extension(at, at_extension, charlie, other):
    from contacts_app.tokens.services import create_token
    from tests.profiles_app.events.api.client import EventsClient

    stranger = EventsClient(create_token(account=other)[1], "/v4/accounts/1000001")
    assert stranger.post("ingest", call()).status_code == 403
    assert EventsClient("", "/v4/accounts/1000001").post("ingest", call()).status_code == 401
    staff = EventsClient(create_token()[1], "/v4/accounts/1000001")
    assert staff.post("ingest", call()).status_code == 201
    error = call(tags=["api-error"])
    assert at_extension.post("ingest", error).status_code == 422
    assert at.post("ingest", error).status_code == 201
