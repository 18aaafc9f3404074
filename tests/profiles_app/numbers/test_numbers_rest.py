"""Numbers over REST: leased from the stock, given back, ordered (messaging spec §4.6)."""

import pytest
from django.conf import settings as django_settings

from contacts_app.core.actor import system
from contacts_app.core.errors import Refusal
from profiles_app.messaging.models import NumberLease
from profiles_app.numbers.models import NumberOrder, StockNumber
from profiles_app.numbers.services import fulfil, refuse_order, save_stock_number
from tests.apis.conftest import of
from tests.apis.test_races import at_once
from tests.profiles_app.messaging.conftest import UNKNOWN

pytestmark = pytest.mark.django_db

LEASES, ORDERS, STOCK = "/rest/lease/tn", "/rest/tnorder", "/rest/tn"
LONDON, WASHINGTON, TOLLFREE = 442079460101, 12025550101, 18005550101
ACTOR = system("test")


@pytest.fixture
def stock(db):
    rows = [(LONDON, "London"), (WASHINGTON, "Washington"), (TOLLFREE, "")]
    return [save_stock_number(StockNumber(tn=tn, region=region, provider="Wholesale")) for tn, region in rows]


def test_the_stock_shows_what_is_free(api, stock):
    everything = api.payload("GET", STOCK)
    assert [one["tn"] for one in everything] == [WASHINGTON, TOLLFREE, LONDON]
    assert everything[0] == {"tn": WASHINGTON, "kind": "long_code", "region": "Washington", "monthly_price": None}
    for query, found in (("prefix=44", [LONDON]), ("kind=tollfree", [TOLLFREE]), ("limit=1", [WASHINGTON])):
        assert [one["tn"] for one in api.payload("GET", f"{STOCK}?{query}")] == found
    for bad in ("prefix=x", "kind=x", "limit=0", "limit=x"):
        api.refused(400, "GET", f"{STOCK}?{bad}")


@pytest.mark.parametrize("spelling", [WASHINGTON, str(WASHINGTON), f"+{WASHINGTON}", {"tn": WASHINGTON}], ids=str)
def test_a_number_is_leased_and_given_back(api, stranger, stock, profile, spelling):
    made = api.payload(
        "POST", LEASES, {"tn": spelling, "messaging_profile_uuid": profile["uuid"], "description": "Desk"}
    )
    assert (made["tn"]["tn"], made["description"]) == (WASHINGTON, "Desk")
    assert made["messaging_profile"]["uuid"] == profile["uuid"]
    assert api.payload("GET", LEASES) == [made]
    assert WASHINGTON not in [one["tn"] for one in stranger.payload("GET", STOCK)]
    stranger.refused(409, "POST", LEASES, {"tn": WASHINGTON})
    url = f"{LEASES}/{made['uuid']}"
    stranger.refused(404, "DELETE", url)
    assert api.payload("DELETE", url)["uuid"] == made["uuid"]
    api.refused(404, "DELETE", url)
    assert stranger.payload("POST", LEASES, {"tn": WASHINGTON})["messaging_profile"]["name"] == "Default"


def test_a_number_that_was_never_in_stock_is_there_once_it_is_given_back(api, lease):
    number = lease(WASHINGTON)
    api.refused(404, "POST", LEASES, {"tn": WASHINGTON})
    api.payload("DELETE", f"{LEASES}/{number.uuid}")
    assert [one["tn"] for one in api.payload("GET", STOCK)] == [WASHINGTON]


def test_a_bad_body_leases_nothing(api, stranger, stock):
    theirs = stranger.payload("POST", "/rest/profile/messaging", {"name": "Theirs"})["uuid"]
    for status, body in (
        (400, {}),
        (400, {"tn": "x"}),
        (400, {"tn": True}),
        (400, {"tn": None}),
        (400, {"tn": {"tn": {}}}),
        (400, {"tn": 10**20}),
        (400, {"tn": LONDON, "nonsense": 1}),
        (400, {"tn": LONDON, "messaging_profile": "x"}),
        (404, {"tn": LONDON, "messaging_profile": theirs}),
        (404, {"tn": LONDON, "sip_control_app": UNKNOWN}),
        (404, {"tn": 442079460199}),
    ):
        api.refused(status, "POST", LEASES, body)
    assert not NumberLease.objects.exists()


def test_accounts_may_be_told_to_order(api, stock, settings):
    settings.NUMBER_SELF_SERVICE = False
    assert ORDERS in api.refused(403, "POST", LEASES, {"tn": LONDON})
    assert api.payload("POST", ORDERS, {"tns": [LONDON]})["state"] == "created"


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(
    "sqlite" in django_settings.DATABASES["default"]["ENGINE"], reason="SQLite lets one transaction write at a time"
)
def test_of_two_at_once_one_gets_the_number(alice, charlie, stock):
    callers = [of(user) for user in (alice, charlie) * 2]
    for number in stock:
        asks = [lambda caller=caller, tn=number.tn: caller.send("post", LEASES, {"tn": tn}) for caller in callers]
        assert sorted(answer.status_code for answer in at_once(asks)) == [200, 409, 409, 409]
        assert NumberLease.objects.filter(tn=number.tn).count() == 1


def test_an_order_is_fulfilled_with_numbers_of_the_stock(api, stranger, acme, stock, profile):
    app = api.payload("POST", "/rest/sip/app", {"name": "Night desk"})["uuid"]
    wanted = {"quantity": 2, "prefix": "1", "note": "By May", "messaging_profile": profile["uuid"]}
    made = api.payload("POST", ORDERS, wanted | {"sip_control_app_uuid": app})
    assert made["request"] == {"quantity": 2, "kind": "", "prefix": "1", "tns": [], "note": "By May"}
    assert (made["state"], made["tnleases"], made["profile"]["uuid"]) == ("created", [], profile["uuid"])
    assert api.payload("GET", ORDERS) == [made]
    assert stranger.payload("GET", ORDERS) == []
    url = f"{ORDERS}/{made['uuid']}"
    order = NumberOrder.objects.get()
    with pytest.raises(Refusal):
        fulfil(order, numbers=[WASHINGTON, 999999], actor=ACTOR)
    assert not NumberLease.objects.exists()
    fulfil(order, numbers=[WASHINGTON, TOLLFREE], actor=ACTOR, answer="Here you are")
    done = api.payload("GET", url)
    assert (done["state"], done["answer"]) == ("success", "Here you are")
    assert [one["tn"]["tn"] for one in done["tnleases"]] == [WASHINGTON, TOLLFREE]
    first = api.payload("GET", LEASES)[0]
    assert (first["tnorder"]["uuid"], first["tnorder"]["state"]) == (made["uuid"], "success")
    assert first["sip_control_app"]["uuid"] == app
    api.payload("DELETE", f"{LEASES}/{first['uuid']}")
    assert [one["tn"]["tn"] for one in api.payload("GET", url)["tnleases"]] == [TOLLFREE]
    api.refused(409, "DELETE", url)
    with pytest.raises(Refusal):
        refuse_order(order, actor=ACTOR)


def test_an_order_is_refused_or_withdrawn(api, stranger, stock):
    first, second = (api.payload("POST", ORDERS, {"tns": [f"+{LONDON}"]})["uuid"] for _ in range(2))
    refuse_order(NumberOrder.objects.get(uuid=first), actor=ACTOR, answer="Not in stock")
    assert api.payload("GET", f"{ORDERS}/{first}")["state"] == "failed"
    stranger.refused(404, "DELETE", f"{ORDERS}/{second}")
    assert api.payload("DELETE", f"{ORDERS}/{second}")["request"]["tns"] == [LONDON]
    assert [one["uuid"] for one in api.payload("GET", ORDERS)] == [first]


@pytest.mark.parametrize(
    "bad",
    [
        {},
        {"quantity": 0},
        {"quantity": 101},
        {"quantity": "two"},
        {"kind": "mobile"},
        {"prefix": "+44"},
        {"tns": "x"},
        {"tns": [LONDON], "quantity": 2},
        {"note": "two\nlines"},
        {"nonsense": 1},
    ],
    ids=str,
)
def test_a_bad_order_is_refused(api, stock, bad):
    api.refused(400, "POST", ORDERS, bad)
    assert not NumberOrder.objects.exists()


def test_numbers_that_are_not_free_cannot_be_ordered(api, stock):
    api.refused(404, "POST", ORDERS, {"tns": [999999999]})
    api.payload("POST", LEASES, {"tn": LONDON})
    api.refused(404, "POST", ORDERS, {"tns": [LONDON]})
