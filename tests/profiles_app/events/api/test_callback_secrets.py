"""What of a callback could be a secret is shown as `true`, kept when it comes back so, and goes to no other host."""

import pytest

from profiles_app.events.callback_config import HARMLESS_HEADERS
from profiles_app.events.models.setup import Callback
from tests.peers.http_receiver import Receiver

pytestmark = pytest.mark.django_db
SECRET_NAMES = ("X-Auth-Token", "Cookie", "X-Hub-Signature", "Proxy-Authorization", "X-Vault", "Token", "X-Request-Id")
HEADERS = [{"name": name, "value": f"s3cret-{name}"} for name in SECRET_NAMES]


@pytest.fixture
def elsewhere():
    with Receiver().running() as receiver:
        yield receiver


@pytest.fixture
def callback(at, receiver):
    url = f"{receiver.url}?key=s3cret-key&empty=&t0ken-s3cret&key=s3cret-two"
    made = at.post("callbacks", {"name": "Mine", "config": {"url": url, "headers": HEADERS}})
    assert made.status_code == 201, made.content
    assert b"s3cret" not in made.content
    return made.json()


def test_every_answer_shows_true_for_what_could_be_secret(at, callback, receiver, listener):
    listed = at.post("overview", {"callback_id": callback["id"], ":subscriptions": [{":tags": ["call"]}]})
    for answer in (
        at.get(f"callbacks/{callback['id']}"),
        at.get("callbacks"),
        at.patch(f"callbacks/{callback['id']}", {"name": "Renamed"}),
        listed,
        at.get("overview"),
    ):
        assert answer.status_code in (200, 201)
        assert b"s3cret" not in answer.content
    config = at.get(f"callbacks/{callback['id']}").json()["config"]
    assert config["url"] == f"{receiver.url}?key=true&empty=&true&key=true"
    assert all(header["value"] is True for header in config["headers"])


def test_harmless_headers_are_shown(at, receiver):
    headers = [{"name": name.title(), "value": "plain"} for name in sorted(HARMLESS_HEADERS)]
    made = at.post("callbacks", {"config": {"url": receiver.url, "headers": headers}})
    assert made.json()["config"]["headers"] == headers


def test_what_was_read_is_written_back_and_nothing_is_lost(at, callback, receiver):
    stored = Callback.objects.get(pk=callback["id"]).config
    read = at.get(f"callbacks/{callback['id']}").json()
    assert at.patch(f"callbacks/{callback['id']}", read).json() == read
    assert at.patch(f"callbacks/{callback['id']}", {"config": {"timeout": 7}}).status_code == 200
    assert Callback.objects.get(pk=callback["id"]).config == stored | {"timeout": 7}
    new = read["config"]["url"].replace("empty=", "colour=red")
    at.patch(f"callbacks/{callback['id']}", {"config": {"url": new}})
    assert receiver.requests[-1].path.endswith("?key=s3cret-key&colour=red&t0ken-s3cret&key=s3cret-two")


@pytest.mark.parametrize("change", [{}, {"headers": "as read"}])
def test_another_host_gets_no_kept_secret(at, callback, elsewhere, change):
    stored = Callback.objects.get(pk=callback["id"]).config
    config = {"url": elsewhere.url} | {name: callback["config"][name] for name in change}
    refused = at.patch(f"callbacks/{callback['id']}", {"config": config})
    assert refused.status_code == 422
    assert "config.headers" in refused.json()["@error"]["fields"]
    assert (
        at.patch(f"callbacks/{callback['id']}", {"mode": "HTTP", "config": callback["config"] | config}).status_code
        == 422
    )
    assert elsewhere.requests == []
    assert Callback.objects.get(pk=callback["id"]).config == stored


def test_another_host_takes_what_is_sent_anew(at, callback, elsewhere):
    headers = [{"name": "X-Vault", "value": "new"}]
    for given in ({"headers": headers}, {"headers": []}):
        answer = at.patch(f"callbacks/{callback['id']}", {"config": {"url": f"{elsewhere.url}?key=true"} | given})
        assert answer.status_code == 200, answer.content
    assert all(b"s3cret" not in repr(request).encode() for request in elsewhere.requests)


def test_https_and_http_are_two_places(at, callback):
    url = callback["config"]["url"].replace("http://", "https://")
    assert at.patch(f"callbacks/{callback['id']}", {"config": {"url": url}}).status_code == 422


def test_a_url_holds_no_user(at, receiver):
    url = receiver.url.replace("//", "//user:s3cret@")
    refused = at.post("callbacks", {"config": {"url": url}})
    assert refused.status_code == 422
    assert b"s3cret" not in refused.content


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("services/T01234567/B01234567/abcdefghABCDEFGH01234567", "services/T01234567/B01234567/true"),
        ("hooks/3f2504e0-4f89-11d3-9a0c-0305e82c3301/in", "hooks/true/in"),
        ("api/webhooks/1234567890123456789/QWxhZGRpbjpvcGVuIHNlc2FtZQ?wait=yes", "api/webhooks/true/true?wait=true"),
        ("calls/of-our-main-office/v2/?", "calls/of-our-main-office/v2/?"),
    ],
)
def test_a_secret_in_the_path_is_shown_as_true_and_kept(at, receiver, path, shown):
    place = receiver.url.rstrip("/")
    made = at.post("callbacks", {"config": {"url": f"{place}/{path}"}}).json()
    assert made["config"]["url"] == f"{place}/{shown}"
    assert at.patch(f"callbacks/{made['id']}", made).json() == made
    assert Callback.objects.get(pk=made["id"]).config["url"] == f"{place}/{path}"
    longer = {"config": {"url": f"{place}/{shown}".replace("?", "/more?")}}
    at.patch(f"callbacks/{made['id']}", longer)
    assert Callback.objects.get(pk=made["id"]).config["url"] == f"{place}/{path}".replace("?", "/more?")
