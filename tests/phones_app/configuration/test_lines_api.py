"""`/lines` and `/phones/{mac}/pbx` for programs: who sees passwords, what is refused, and what a PBX lacks."""

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext

from contacts_app.accounts.models import Extension
from contacts_app.people.models import User
from phones_app.configuration.pbx import needs_of
from phones_app.mobility.services import company_directory
from phones_app.servers.models import CallManager
from profiles_app.phone.models import Line
from profiles_app.phone.pbx.conf import read_conf
from tests.commands import run
from tests.peers.asterisk import Asterisk
from tests.peers.asterisk_chan_sip import ChanSip, Peer
from tests.peers.asterisk_pjsip import Pjsip
from tests.phones_app.configuration.data import layer, made_profile
from tests.phones_app.rest import of, of_token
from tests.phones_app.site import sip_file

pytestmark = pytest.mark.django_db
MAC = "AABBCCDDEE01"
MASK = "********"


@pytest.fixture
def api(alice):
    return of(alice)


@pytest.fixture
def helper(acme):
    """May change lines and look at phones, and may not see passwords."""
    user = User.objects.create_user("help@acme.example", "x", account=acme, is_staff=True, permission_level=0)
    names = ["view_line", "change_line", "view_phone"]
    user.user_permissions.set(Permission.objects.filter(codename__in=names))
    return of(user)


@pytest.fixture
def line(acme):
    return Line.objects.create(account=acme, extension="1001", auth_password="s1", mailbox="1001", max_calls=4)


def test_a_line_is_made_changed_listed_and_deleted(api, alice):
    body = {"extension": "301", "auth_password": "p;w", "label": "Front", "user_uuid": str(alice.uuid), "max_calls": 4}
    made = api.post("lines", body)
    assert made.status_code == 201, made.content
    record = made.json()["data"]
    assert (record["auth_password"], record["user_uuid"]) == ("p;w", str(alice.uuid))
    assert api.get("lines", {"extension": "301"}).json()["data"] == [record]
    assert api.get("lines", {"extension": "3"}).json()["data"] == []
    assert api.get("lines", {"user_uuid": str(alice.uuid)}).json()["metadata"]["total"] == 1
    changed = api.patch(f"lines/{record['uuid']}", {"label": "Back"}).json()["data"]
    assert (changed["label"], changed["auth_password"]) == ("Back", "p;w")
    assert api.post("lines", {"extension": "301"}).status_code == 409
    assert api.delete(f"lines/{record['uuid']}").json()["data"]["extension"] == "301"
    assert not Line.objects.exists()


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"extension": ""}, "extension"),
        ({"extension": "3 1"}, "extension"),
        ({"extension": "301", "name": "a]\n[b"}, "name"),
        ({"extension": "301", "auth_password": "a\nb"}, "auth_password"),
        ({"extension": "301", "auth_password": " x"}, "auth_password"),
        ({"extension": "301", "max_calls": 0}, "max_calls"),
        ({"extension": "301", "max_calls": 2, "busy_trigger": 3}, "busy_trigger"),
        ({"extension": "301", "display_name": "x" * 31}, "display_name"),
        ({"extension": "301", "user_uuid": "00000000-0000-4000-8000-000000000000"}, "user_uuid"),
    ],
)
def test_bad_values_are_refused_by_field(api, body, field):
    answer = api.post("lines", body)
    assert answer.status_code == 400, answer.content
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert not Line.objects.exists()


def test_a_change_is_judged_with_what_is_stored(api, line):
    answer = api.patch(f"lines/{line.uuid}", {"busy_trigger": 5})
    assert answer.json()["errors"][0]["field"] == "busy_trigger"


def test_who_may_not_see_passwords_sees_a_mask_and_cannot_store_it(helper, line):
    record = helper.get(f"lines/{line.uuid}").json()["data"]
    assert record["auth_password"] == MASK
    assert helper.get("lines").json()["data"][0]["auth_password"] == MASK
    answer = helper.patch(f"lines/{line.uuid}", {"label": "Front", "auth_password": MASK})
    assert answer.status_code == 200, answer.content
    line.refresh_from_db()
    assert (line.auth_password, line.label) == ("s1", "Front")
    assert b"s1" not in helper.get("lines.csv").getvalue() + helper.get("lines").content


def test_history_does_not_hold_the_password(api, line):
    api.patch(f"lines/{line.uuid}", {"auth_password": "another-secret"})
    [change] = Line.history.filter(history_type="~")
    assert "another-secret" not in str(change.history_changes)
    assert "auth_password" in change.history_changes


def test_the_pbx_text_of_a_phone(api, helper, line, new_phone, new_profile):
    new_phone(MAC, current_profile=new_profile(), name="Front desk")
    told = api.get(f"phones/{MAC}/pbx").json()["data"]
    assert (told["dialect"], told["names"], told["passwords_hidden"]) == ("pjsip", ["1001"], False)
    [endpoint, auth, _] = read_conf(told["text"].partition("; extensions.conf")[0].encode()).sections
    assert auth.get("password") == "very-secret-1001"
    assert endpoint.get("mailboxes") == "1001@default"
    old = api.get(f"phones/{MAC}/pbx", {"dialect": "chan_sip", "context": "phones"}).json()["data"]["text"]
    assert "call-limit = 4\n" in old
    assert "context = phones\n" in old
    hidden = helper.get(f"phones/{MAC}/pbx", {"dialect": "chan_sip_22"}).json()["data"]
    assert hidden["passwords_hidden"]
    assert "secret = " not in hidden["text"].replace("md5secret = *", "")
    assert "very-secret" not in hidden["text"]


@pytest.mark.parametrize(
    ("query", "field"),
    [({"dialect": "x"}, "dialect"), ({"context": "a]\n[b"}, "context"), ({"compare": "x"}, "compare")],
)
def test_a_bad_question_about_the_pbx_is_told(api, new_phone, new_profile, query, field):
    new_phone(MAC, current_profile=new_profile())
    answer = api.get(f"phones/{MAC}/pbx", query)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == field


def test_a_phone_without_a_profile_needs_nothing_that_could_be_told(api, new_phone):
    new_phone(MAC)
    assert api.get(f"phones/{MAC}/pbx").json()["errors"] == [{"field": "mac", "message": "The phone has no profile."}]


TWO_LINES = sip_file().replace(
    "</sipLines>",
    '<line button="2" lineIndex="2"><featureID>9</featureID><proxy>X</proxy><name>1002</name></line></sipLines>',
)


@pytest.mark.parametrize("channel", ["pjsip", "chan_sip"])
@pytest.mark.parametrize("version", [18, 22])
def test_what_the_pbx_lacks_is_told(root, acme, new_phone, new_profile, settings, channel, version):
    settings.PHONE_NETWORKS = "127.0.0.0/8"
    pbx = Asterisk(
        pjsip=Pjsip(endpoints={"1001"}), chan_sip=ChanSip(version=version, peers=[Peer("1001"), Peer("5009")])
    )
    with pbx.running():
        manager = CallManager.objects.create(
            name="Asterisk", kind="ami", channel=channel, host="127.0.0.1", port=pbx.port, username=pbx.username,
            password=pbx.secret,
        )  # fmt: skip
        new_phone(MAC, current_profile=new_profile(content=TWO_LINES), call_manager=manager)
        told = of(root).get(f"phones/{MAC}/pbx", {"compare": "true"}).json()["data"]
        asked = [*pbx.asked("PJSIPShowEndpoint"), *pbx.asked("SIPshowpeer")]
        # At a shared PBX an account would learn which names others have.
        strangers = of_token(account=acme, name="t").get(f"phones/{MAC}/pbx", {"compare": "true"}).json()["data"]
    assert told["dialect"] == channel
    [found] = told["compared"]
    assert (found["needed"], found["missing"], found["error"]) == (["1001", "1002"], ["1002"], "")
    assert len(asked) == 2
    assert "staff" in strangers["compared"][0]["error"]
    assert strangers["compared"][0]["missing"] == []


def test_a_phone_without_a_call_manager_has_no_pbx_to_ask(api, new_phone, new_profile):
    new_phone(MAC, current_profile=new_profile())
    [found] = api.get(f"phones/{MAC}/pbx", {"compare": "true"}).json()["data"]["compared"]
    assert (found["manager"], found["needed"], bool(found["error"])) == ("", ["1001"], True)


def test_a_pbx_that_does_not_answer_is_told(root, new_phone, new_profile, settings):
    settings.PHONE_NETWORKS = "127.0.0.0/8"
    manager = CallManager.objects.create(name="Away", kind="ami", host="127.0.0.1", port=1)
    new_phone(MAC, current_profile=new_profile(), call_manager=manager)
    [found] = of(root).get(f"phones/{MAC}/pbx", {"compare": "true"}).json()["data"]["compared"]
    assert "127.0.0.1:1" in found["error"]


def test_the_company_directory_has_extensions_and_lines_each_number_once(acme, other):
    Extension.objects.create(account=acme, number=301, name="Reception")
    Extension.objects.create(account=acme, number=302)
    for number, label in (("301", "Rec"), ("302", "Back office"), ("303", ""), ("*97", "Voicemail")):
        Line.objects.create(account=acme, extension=number, label=label, auth_password="x")
    Line.objects.create(account=other, extension="999", label="Strange")
    company_directory(acme.pk)
    with CaptureQueriesContext(connection) as queries:
        found = company_directory(acme.pk)
    assert found == [("303", "303"), ("Back office", "302"), ("Reception", "301"), ("Voicemail", "*97")]
    assert len(queries) == 2
    assert not any("auth_password" in query["sql"] for query in queries)


def test_the_pbx_is_told_of_the_lines_that_a_csv_puts_on_a_phone(api, acme, alice, new_phone, tmp_path):
    """No XML is written, at either end."""
    values = {"pbx": "pbx.acme.example", "ntp_servers": "ntp.example", "time_zone": "GMT Standard/Daylight Time"}
    layer(acme, values=values)
    new_phone(MAC, current_profile=made_profile(alice))
    file = tmp_path / "lines.csv"
    rows = ("302,back-office,s2,302@pbx,2", "301,,s1,,1")
    head = "extension,name,auth_password,mailbox,position,phone"
    file.write_text("\n".join([head, *(f"{row},{MAC}" for row in rows)]))
    assert run("import_lines", file).status == 0
    told = api.get(f"phones/{MAC}/pbx", {"dialect": "chan_sip_22"}).json()["data"]
    assert told["names"] == ["301", "back-office"]
    first, second = read_conf(told["text"].partition("; extensions.conf")[0].encode()).sections
    assert (first.name, first.get("secret"), first.all("register")) == ("301", "s1", ["back-office"])
    assert (second.get("mailbox"), second.get("secret")) == ("302@pbx", "s2")
    assert "exten => 302,hint,SIP/back-office,SIP/back-office\n" in told["text"]


def test_queries_for_many_phones_are_as_many_as_for_few(acme, alice, new_phone, new_profile):
    profiles = [new_profile(f"P{n}", content=sip_file(f"10{n:02d}")) for n in range(12)]
    phones = [new_phone(f"AABBCCDD00{n:02d}", current_profile=profile) for n, profile in enumerate(profiles)]
    counts = []
    for some in (phones[:2], phones):
        with CaptureQueriesContext(connection) as queries:
            assert len(needs_of(some, alice.as_actor("rest")).names) == len(some)
        counts.append(len(queries))
    assert counts[0] == counts[1]
