"""Cases 25 and 26 of the messaging spec, and what holds for every dialect: bad bodies, tenancy's reach, query counts."""

import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import get_resolver

from profiles_app.messaging import urls
from profiles_app.messaging.models import InboundMessage, MessagingProfile, NumberLease
from profiles_app.voice.models.profile import OutboundVoiceProfile
from tests.profiles_app.messaging.conftest import MESSAGING, UNKNOWN, VOICE, is_error

pytestmark = pytest.mark.django_db

MODELS = (MessagingProfile, OutboundVoiceProfile, NumberLease, InboundMessage)
WRITES = [
    ("POST", MESSAGING),
    ("PATCH", MESSAGING),
    ("PATCH", f"{MESSAGING}/{{profile}}"),
    ("POST", f"{MESSAGING}/{{profile}}/sender"),
    ("POST", VOICE),
    ("PATCH", f"{VOICE}/{{voice}}"),
    ("PATCH", "/rest/lease/tn/{lease}"),
    ("POST", "/rest/lease/tn/{lease}/outcome"),
    ("POST", "/rest/token"),
    ("POST", "/rest/sms/inbound"),
]


@pytest.fixture
def rows(api, profile, lease):
    voice = api.payload("POST", VOICE, {"name": "v", "tech_prefix": 123456})
    return {"profile": profile["uuid"], "voice": voice["uuid"], "lease": str(lease(profile=profile).uuid)}


def everything():
    return [list(model.objects.order_by("pk").values()) for model in MODELS]


@pytest.mark.parametrize(("method", "path"), WRITES)
def test_case_25_a_body_that_is_no_json_object_is_refused_and_changes_nothing(api, rows, method, path):
    path, before = path.format(**rows), everything()
    for body in (b'{"name": ', b"[]", b'"name"', b"7", b"null", b"\xff\xfe", b"[" * 100_000, b'{"name": NaN}'):
        is_error(api.client.generic(method, path, body, "application/json"), 400)
    assert everything() == before


@pytest.mark.parametrize(("method", "path"), WRITES)
def test_case_25_other_content_types_and_huge_bodies_are_refused(api, rows, method, path):
    path, before = path.format(**rows), everything()
    body = json.dumps({"name": "a", "delivered": True, "to": "12345", "uuid": rows["profile"]}).encode()
    for content_type in ("text/plain", "application/x-www-form-urlencoded", "nonsense"):
        is_error(api.client.generic(method, path, body, content_type), 415)
    huge = b'{"name": "' + b"a" * 10_000_000 + b'"}'
    is_error(api.client.generic(method, path, huge, "application/json"), 413)
    assert everything() == before


def test_text_that_no_database_takes_is_refused(api, rows):
    for text in ('"a\\u0000b"', '"a\\ud800b"'):
        body = f'{{"name": {text}, "callback_url": {text}, "from": {text}, "to": {text}}}'.encode()
        is_error(api.client.generic("POST", MESSAGING, body, "application/json"), 400)
        is_error(api.client.generic("POST", f"{MESSAGING}/{rows['profile']}/sender", body, "application/json"), 400)
        is_error(api.client.generic("POST", "/rest/sms/inbound", body, "application/json"), 400)


@pytest.mark.parametrize("path", ["/rest/nothing", "/rest/", "/rest/profile/messaging/a/b/c"])
def test_an_unknown_url_is_a_404_of_this_dialect(api, path):
    is_error(api.send("GET", path), 404)


def test_a_wrong_method_is_a_405_of_this_dialect(api, rows):
    is_error(api.send("PUT", MESSAGING), 405)
    is_error(api.send("POST", f"{MESSAGING}/{rows['profile']}"), 405)
    is_error(api.send("OPTIONS", VOICE), 405)


def test_any_accept_header_gets_json(api, profile):
    for accept in ("text/html", "application/xml", "nonsense"):
        assert api.send("GET", MESSAGING, HTTP_ACCEPT=accept).json()["payload"] == [profile]


def test_every_route_asks_for_a_credential(anybody):
    routes = get_resolver(urls).url_patterns
    assert len(routes) >= 24
    for route in routes:
        path = "/rest/" + str(route.pattern).replace("<str:uuid>", UNKNOWN).replace("<str:token>", UNKNOWN)
        for method in ("GET", "POST", "PATCH", "DELETE"):
            if method.lower() in route.callback.actions:
                is_error(anybody.send(method, path, {"name": "a"}), 401)


def keys_and_tokens(value):
    if isinstance(value, dict):
        for key, item in value.items():
            yield key, item
            yield from keys_and_tokens(item)
    elif isinstance(value, list):
        for item in value:
            yield from keys_and_tokens(item)


def test_case_26_no_answer_holds_a_password_or_a_token(api, rows):
    api.payload("POST", "/rest/token", {"name": "script"})
    reads = [MESSAGING, VOICE, "/rest/lease/tn", "/rest/token/list", "/rest/auth"]
    reads += [f"{MESSAGING}/{rows['profile']}", f"{MESSAGING}/{rows['profile']}/tnleases"]
    for path in reads:
        found = list(keys_and_tokens(api.payload("GET", path)))
        assert found
        assert "password" not in dict(found)
        if path != "/rest/auth":
            assert [value for key, value in found if key == "token" and value is not None] == []


@pytest.mark.parametrize("path", [MESSAGING, VOICE, "/rest/lease/tn", f"{MESSAGING}/{{profile}}/tnleases"])
@pytest.mark.usefixtures("unforgetting")
def test_lists_take_as_many_queries_for_25_rows_as_for_100(api, rows, acme, alice, path):
    profile = MessagingProfile.objects.get()
    mine = {"account": acme, "created_by": alice, "modified_by": alice}

    def queries(count, first):
        numbers = range(first, first + count)
        MessagingProfile.objects.bulk_create(MessagingProfile(name=str(n), **mine) for n in numbers)
        leases = NumberLease.objects.bulk_create(
            NumberLease(tn=12025560000 + n, kind="long_code", messaging_profile=profile, **mine) for n in numbers
        )
        OutboundVoiceProfile.objects.bulk_create(
            OutboundVoiceProfile(name=str(n), tech_prefix=200000 + n, tn_lease=lease, **mine)
            for n, lease in zip(numbers, leases, strict=True)
        )
        with CaptureQueriesContext(connection) as captured:
            assert len(api.payload("GET", path.format(**rows))) >= first + count
        return len(captured)

    few = queries(25, 0)
    assert queries(75, 25) == few <= 4


def test_a_refused_change_of_several_fields_stores_none(api, stranger, rows):
    theirs = stranger.payload("POST", VOICE, {"name": "v", "max_rate": 1})
    stranger.refused(409, "PATCH", f"{VOICE}/{theirs['uuid']}", {"max_rate": 2, "tech_prefix": 123456})
    assert stranger.payload("GET", VOICE) == [theirs]
