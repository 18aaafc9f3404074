"""Careful clients: they write only over what they have read, repeat what got lost, and wait as they are told."""

from datetime import timedelta

import pytest
from django.db import connection

from contacts_app.core.api.models import KeptAnswer
from contacts_app.core.work.queue import run_queue
from contacts_app.people.models import User
from contacts_app.tokens.services import create_token
from phones_app.inventory.models import Phone
from tests.apis.conftest import Caller, of
from tests.apis.routes import is_error_of_its_dialect, operations, url_of
from tests.apis.test_races import at_once

pytestmark = pytest.mark.django_db

# A change of one member of each resource whose records can be written.
CHANGES = {
    "/api/v1/phones/{mac}": {"name": "Lobby"},
    "/api/v1/phone-profiles/{uuid}": {"name": "Night"},
    "/api/v1/extensions/{id}": {"name": "Night"},
    "/api/v1/users/{uuid}": {"last_name": "Night"},
    "/api/v1/file-servers/{uuid}": {"name": "Night"},
    "/api/v1/call-managers/{uuid}": {"name": "Night"},
    "/api/v1/directory-entries/{uuid}": {"name": "Night"},
    "/api/v1/lines/{uuid}": {"label": "Night"},
    "/api/v1/me/directory-entries/{uuid}": {"name": "Night"},
    "/api/v1/templates/{uuid}": {"name": "Night"},
    "/api/v1/key-layouts/{uuid}": {"name": "Night"},
    "/api/v1/layers/{uuid}": {"name": "Night"},
    "/api/v1/files/{uuid}": {"description": "Night"},
}
# What is written and never read: nothing of it could be overwritten unseen; and contents, which have tags of their own
# (phones_app/shared_files/test_api.py).
NO_RECORDS = {"/api/v1/me/pin", "/api/v1/files", "/api/v1/files/{uuid}/content"}


@pytest.fixture
def send(owner):
    def send(method, url, body=None, **headers):
        extra = {} if body is None else {"data": body, "content_type": "application/json"}
        return getattr(owner.http, method)(
            url, headers={name.replace("_", "-"): v for name, v in headers.items()}, **extra
        )

    return send


def test_every_writable_record_of_the_family_is_known_here():
    writable = {path for method, path, _ in operations() if method == "put" and path.startswith("/api/v1/")}
    assert writable == set(CHANGES) | NO_RECORDS


def test_a_record_is_changed_only_as_it_was_read(send, rows):
    """All of them within one test, for which the rows are made once."""
    for path, change in CHANGES.items():
        print(path)
        changes_only_what_was_read(send, url_of(path, rows), change)


def changes_only_what_was_read(send, url, change):
    read = send("get", url)["ETag"]
    changed = send("put", url, change, If_Match=read)
    assert changed.status_code == 200, changed.content
    assert changed["ETag"] == send("get", url)["ETag"] != read
    [(name, value)] = change.items()
    for method, body in (("put", {name: "Late"}), ("patch", {name: "Late"}), ("delete", None)):
        late = send(method, url, body, If_Match=read)
        is_error_of_its_dialect(late)
        assert (late.status_code, late.json()["code"]) == (412, "precondition-failed")
    assert send("get", url).json()["data"][name] == value
    assert send("put", url, {name: "Weak"}, If_Match=f"W/{changed['ETag']}").status_code == 412
    assert send("put", url, {name: "Any"}, If_Match="*").status_code == 200
    tag = send("get", url)["ETag"]
    assert send("put", url, {name: "One of"}, If_Match=f'"other", {tag}').status_code == 200


def test_what_was_made_has_the_tag_that_reading_it_gives(send, acme):
    made = send("post", "/api/v1/phones", {"mac": "AABBCCDDEE77", "name": "New"})
    assert made["ETag"] == send("get", "/api/v1/phones/AABBCCDDEE77")["ETag"]
    assert send("delete", "/api/v1/phones/AABBCCDDEE77", If_Match=made["ETag"]).status_code == 200
    assert send("delete", "/api/v1/phones/AABBCCDDEE77", If_Match=made["ETag"]).status_code == 404


def test_a_refused_change_leaves_nothing(send, rows):
    url = url_of("/api/v1/phones/{mac}", rows)
    wrong = send("put", url, {"name": "Lobby", "sip_port": 70_000}, If_Match=send("get", url)["ETag"])
    assert wrong.status_code == 400
    assert Phone.objects.get(mac=rows["mac"]).name != "Lobby"


@pytest.mark.django_db(transaction=True)
def test_of_two_writers_at_once_one_writes(acme, alice):
    Phone.objects.create(mac="AABBCCDDEE01", account=acme)
    url = "/api/v1/phones/AABBCCDDEE01"
    callers = [of(alice) for _ in range(3)]
    for number in range(3):
        tag = callers[0].send("get", url)["ETag"]

        def write(caller, name, tag=tag):
            return caller.http.put(url, {"name": name}, "application/json", headers={"If-Match": tag})

        asks = [lambda c=c, n=f"{number}-{n}": write(c, n) for n, c in enumerate(callers)]
        assert sorted(answer.status_code for answer in at_once(asks)) == [200, 412, 412]


NEW_PHONE = {"mac": "AABBCCDDEE77", "name": "New"}


def test_a_request_that_is_sent_again_is_done_once(send):
    first = send("post", "/api/v1/phones", NEW_PHONE, Idempotency_Key="one")
    again = send("post", "/api/v1/phones", dict(reversed(NEW_PHONE.items())), Idempotency_Key="one")
    assert (first.status_code, again.status_code) == (201, 201)
    assert (again.content, again["ETag"], again["Content-Type"]) == (
        first.content,
        first["ETag"],
        first["Content-Type"],
    )
    assert (again["Idempotent-Replayed"], "Idempotent-Replayed" in first) == ("true", False)
    assert Phone.objects.filter(mac="AABBCCDDEE77").count() == 1
    assert send("post", "/api/v1/phones", NEW_PHONE, Idempotency_Key="two").status_code == 409


@pytest.mark.parametrize("url", ["/api/v1/phones", "/api/v1/extensions"])
def test_another_request_under_the_same_key_is_refused(send, url):
    assert send("post", "/api/v1/phones", NEW_PHONE, Idempotency_Key="one").status_code == 201
    other = send("post", url, NEW_PHONE | {"name": "Other"}, Idempotency_Key="one")
    is_error_of_its_dialect(other)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency-key-reused")


@pytest.mark.parametrize(
    ("url", "body"),
    [
        ("/rest/profile/messaging", {"name": "Twice"}),
        ("/backend/api/v1/myAccountCustomerProfiles/", {"name": "Twice"}),
        ("/api/2.0/notification_contacts/", {"email": "twice@acme.example"}),
        ("/v4/accounts/1000001/integrations/events/profiles", {"name": "Twice", "support_email": None}),
    ],
)
def test_every_dialect_keeps_its_answers(send, acme, url, body):
    answers = [send("post", url, body, Idempotency_Key="key") for _ in range(2)]
    assert answers[0].status_code < 300, answers[0].content
    assert answers[0].content == answers[1].content
    assert answers[1]["Idempotent-Replayed"] == "true"
    reused = send("post", url, body | {next(iter(body)): "x@acme.example"}, Idempotency_Key="key")
    is_error_of_its_dialect(reused)
    assert reused.status_code == 422


def test_a_key_is_of_one_credential(send, acme, charlie):
    assert send("post", "/api/v1/phones", NEW_PHONE, Idempotency_Key="one").status_code == 201
    token = Caller(create_token(account=acme)[1])
    mine = token.http.post("/api/v1/phones", NEW_PHONE, "application/json", headers={"Idempotency-Key": "one"})
    assert mine.status_code == 409, "it was made, and by somebody else"
    theirs = of(charlie).http.post(
        "/api/v1/phones", NEW_PHONE | {"mac": "AABBCCDDEE78"}, "application/json", headers={"Idempotency-Key": "one"}
    )
    assert theirs.status_code == 201


def test_a_refusal_frees_its_key(send):
    assert send("post", "/api/v1/phones", {"mac": "nonsense"}, Idempotency_Key="one").status_code == 400
    assert send("post", "/api/v1/phones", NEW_PHONE, Idempotency_Key="one").status_code == 201


@pytest.mark.parametrize("key", ["", "a b", "ä", "x" * 256])
def test_a_key_that_cannot_be(send, key):
    answer = send("post", "/api/v1/phones", NEW_PHONE, Idempotency_Key=key)
    is_error_of_its_dialect(answer)
    assert answer.status_code == 400


def test_without_an_answer_the_truth_is_told(send):
    send("post", "/api/v1/phones", NEW_PHONE, Idempotency_Key="one")
    # As it stands while the first one is worked on, and for ever if its process dies before it has answered.
    KeptAnswer.objects.update(status=None, body=None)
    busy = send("post", "/api/v1/phones", NEW_PHONE, Idempotency_Key="one")
    assert (busy.status_code, busy.json()["code"], busy["Retry-After"]) == (409, "request-under-way", "1")
    age(minutes=3)
    cut_off = send("post", "/api/v1/phones", NEW_PHONE, Idempotency_Key="one")
    assert (cut_off.status_code, cut_off.json()["code"]) == (409, "outcome-unknown")
    assert "Retry-After" not in cut_off


def age(**time):
    for row in KeptAnswer.objects.all():
        KeptAnswer.objects.filter(pk=row.pk).update(created_at=row.created_at - timedelta(**time))


@pytest.mark.django_db(transaction=True)
def test_after_a_day_a_key_is_free_and_a_worker_forgets_the_answer(send):
    send("post", "/api/v1/extensions", {"number": 5}, Idempotency_Key="one")
    send("post", "/api/v1/extensions", {"number": 6}, Idempotency_Key="two")
    age(hours=25)
    assert send("post", "/api/v1/extensions", {"number": 7}, Idempotency_Key="one").status_code == 201
    run_queue("kept-answers")
    assert KeptAnswer.objects.count() == 1


def test_a_kept_answer_is_encrypted(send, rows):
    url = f"/v4/accounts/{rows['voip_id']}/integrations/events/callbacks/{rows['callback']}/signing-secret"
    first, again = (send("post", url, {}, Idempotency_Key="one") for _ in range(2))
    secret = first.json()["signing_secret"]
    assert again.json()["signing_secret"] == secret, "asked again it is not renewed"
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM contacts_app_keptanswer")
        assert secret not in repr([bytes(v) if isinstance(v, memoryview) else v for v in cursor.fetchone()])


@pytest.mark.django_db(transaction=True)
def test_sent_twice_at_once_it_is_done_once(alice):
    callers = [of(alice) for _ in range(4)]

    def ask(caller):
        return caller.http.post("/api/v1/phones", NEW_PHONE, "application/json", headers={"Idempotency-Key": "one"})

    answers = at_once([lambda caller=caller: ask(caller) for caller in callers])
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert {answer.json().get("code") for answer in answers if answer.status_code == 409} <= {"request-under-way"}
    assert Phone.objects.count() == 1


@pytest.mark.parametrize(
    "url",
    [
        "/api/v1/phones",
        "/rest/profile/messaging",
        "/backend/api/v1/myAccountCustomerProfiles/",
        "/api/2.0/notification_contacts/",
        "/v4/accounts/1000001/integrations/events/profiles",
    ],
)
def test_a_credential_may_be_limited(owner, acme, settings, url):
    settings.API_REQUESTS_PER_MINUTE = 3
    answers = [owner.send("get", url) for _ in range(4)]
    # A minute may begin in between.
    if answers[3].status_code == 200:
        answers += [owner.send("get", url) for _ in range(3)]
    assert [answer.status_code for answer in answers[:3]] == [200, 200, 200]
    refused = answers[-1]
    is_error_of_its_dialect(refused)
    assert refused.status_code == 429
    assert 1 <= int(refused["Retry-After"]) <= 60
    assert Caller(create_token(account=acme)[1]).send("get", url).status_code == 200, "others are not meant"


def test_without_the_setting_nobody_is_limited(owner):
    assert all(owner.send("get", "/api/v1/me").status_code == 200 for _ in range(10))


def test_who_has_failed_to_log_in_too_often_is_told_when_to_come_back(db, settings):
    settings.AXES_FAILURE_LIMIT = 2
    User.objects.create_user("dora@acme.example", "correct horse")
    caller = Caller("")
    caller.http.defaults.clear()
    wrong = {"username": "dora@acme.example", "password": "wrong"}
    answers = [caller.send("post", "/api/v1/auth/login", wrong) for _ in range(3)]
    assert answers[-1].status_code == 429
    assert answers[-1]["Retry-After"] == "900"
