"""Log-ins that no phone asks for: over REST, by CSV, by command, by CUCM's own API, and log-outs on the board."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from lxml import etree

from contacts_app.people.models import User
from contacts_app.tokens.services import create_token
from phones_app.mobility.codes import EmCode
from phones_app.mobility.models import MobilityPolicy, MobilitySession, SecondPhone, SessionState, Why
from tests.admin_people import at_desk, clerk
from tests.commands import run
from tests.phones_app.mobility.conftest import PIN
from tests.phones_app.rest import Api, of

pytestmark = pytest.mark.django_db(transaction=True)
EM = "/emservice/EMServiceServlet"


@pytest.fixture
def phones(mobile, device, no_inline_work):
    """Two phones that nobody plays: what is asked for stays queued. Both people have a device profile."""
    device("Alice")
    device("Bob")
    return mobile(name="Reception"), mobile(name="Kitchen")


def asked(api: Api, phone, person, **more):
    return api.post(f"phones/{phone.mac}/login", {"user_uuid": str(person.uuid)} | more)


# -- REST --------------------------------------------------------------------------------------------------------------


def test_rest_logs_in_lists_and_logs_out(api, phones, people):
    phone, other = phones
    until = timezone.now() + timedelta(hours=2)
    answer = asked(api, phone, people["Bob"], until=until.isoformat())
    assert answer.status_code == 202, answer.content
    session = answer.json()["data"]
    assert (session["state"], session["person"], session["is_present"]) == ("logging_in", "Bob Baker", True)
    assert answer["Location"] == f"/api/v1/mobility/sessions/{session['uuid']}"
    assert api.get(f"deployments/{session['login']}").json()["data"]["kind"] == "log-in"
    assert api.get(f"mobility/sessions/{session['uuid']}").json()["data"] == session
    asked(api, other, people["Alice"])
    assert api.get("mobility/sessions").json()["metadata"]["total"] == 2
    bob, profile = people["Bob"], session["profile_uuid"]
    queries = (
        *(f"mac={phone.mac}", f"user_uuid={bob.uuid}", f"profile_uuid={profile}"),
        *(f"mac={phone.mac}&state=logging_in", f"user_uuid={bob.uuid}&open=true", "limit=1&offset=1"),
    )
    for query in queries:
        found = api.get(f"mobility/sessions?{query}").json()["data"]
        assert [each["uuid"] for each in found] == [session["uuid"]], query
    assert api.get("mobility/sessions?state=logged_out").json()["data"] == []
    left = api.post(f"phones/{phone.mac}/logout")
    assert (left.status_code, left.json()["data"]["state"], left.json()["data"]["why"]) == (202, "logging_out", "rest")
    again = api.post(f"phones/{phone.mac}/logout")
    assert (again.status_code, again.json()["code"]) == (409, "nobody-logged-in")


def test_rest_knows_no_phone_person_or_profile_of_another_account(api, stranger, phones, people, charlie, root):
    phone, _ = phones
    assert asked(stranger, phone, people["Bob"]).status_code == 404
    assert asked(api, phone, charlie).json()["errors"] == [{"field": "user_uuid", "message": "User not found"}]
    theirs = of(root).create_profile(charlie)
    refused = asked(api, phone, people["Bob"], profile_uuid=theirs["uuid"])
    assert refused.status_code == 404
    session = asked(api, phone, people["Bob"]).json()["data"]
    assert stranger.get(f"mobility/sessions/{session['uuid']}").status_code == 404
    assert stranger.get("mobility/sessions").json()["data"] == []
    assert stranger.post(f"phones/{phone.mac}/logout").status_code == 404
    assert of(people["Bob"]).post(f"phones/{phone.mac}/logout").status_code == 403


def test_rest_tells_which_rule_is_in_the_way(api, phones, people, device):
    phone, other = phones
    MobilityPolicy.objects.create(account=phone.account, second_phone=SecondPhone.REFUSE)
    assert asked(api, phone, people["Bob"]).status_code == 202
    assert asked(api, other, people["Bob"]).json()["code"] == "logged-in-elsewhere"
    second = device("Alice", line="7777", description="another")
    assert asked(api, other, people["Alice"]).json()["code"] == "several-profiles"
    assert asked(api, other, people["Alice"], profile_uuid=str(second.uuid)).status_code == 202
    phone.base_profile = None
    phone.save()
    assert asked(api, phone, people["Alice"], profile_uuid=str(second.uuid)).json()["code"] == "no-base-profile"


def test_a_log_in_that_would_be_over_restarts_no_phone(api, phones, people):
    phone, _ = phones
    past = (timezone.now() - timedelta(minutes=1)).isoformat()
    refused = asked(api, phone, people["Bob"], until=past)
    assert (refused.status_code, refused.json()["code"]) == (409, "until-past")
    # As yesterday's export would.
    refused = imported(api, f"mac,person,until\n{phone.mac},bob@acme.example,{past}\n", "?dry_run=true")
    assert [error["column"] for error in refused.json()["errors"]] == ["until"]
    assert not MobilitySession.objects.exists()


# -- CSV ---------------------------------------------------------------------------------------------------------------


def imported(api: Api, text: str, query: str = ""):
    return api.client.post(f"/api/v1/mobility/sessions.csv{query}", text, content_type="text/csv", headers=api.headers)


def test_a_csv_file_logs_all_in_or_nobody(api, phones, people):
    phone, other = phones
    until = (timezone.now() + timedelta(hours=1)).isoformat(timespec="seconds")
    head, bob = "mac,person,until\n", f"SEP{phone.mac},bob@acme.example,{until}\n"
    wrong = imported(api, f"{head}{bob}{other.mac},nobody@acme.example,\n020000000099,alice@acme.example,tomorrow\n")
    assert wrong.status_code == 400
    told = {(error["row"], error["column"]): error["message"] for error in wrong.json()["errors"]}
    assert told[3, "person"] == "There is no such person."
    assert "2026-01-31T18:00:00+01:00" in told[4, "until"]
    assert not MobilitySession.objects.exists()
    good = f"{head}{bob}{other.mac},alice@acme.example,\n"
    assert imported(api, good, "?dry_run=true").json()["data"] == {
        "created": 2,
        "updated": 0,
        "unchanged": 0,
        "stored": False,
    }
    assert not MobilitySession.objects.exists()
    assert imported(api, good).json()["data"]["created"] == 2
    exported = b"".join(api.client.get("/api/v1/mobility/sessions.csv", headers=api.headers).streaming_content).decode()
    assert len(exported.splitlines()) == 3
    assert imported(api, exported).json()["data"]["unchanged"] == 2
    taken_over = imported(api, f"mac,person\n{other.mac},bob@acme.example\n")
    assert taken_over.json()["data"]["updated"] == 1
    assert MobilitySession.objects.get(phone=other, state=SessionState.LOGGING_IN).user == people["Bob"]
    assert MobilitySession.objects.get(phone=phone).why == Why.ELSEWHERE


def test_a_csv_file_names_people_in_any_case(api, phones, people):
    phone, other = phones
    User.objects.filter(pk=people["Alice"].pk).update(username="Alice.Ä")
    # As rows from before the name space was one may be.
    User.objects.filter(pk=people["Bob"].pk).update(username="CAROL@acme.example")
    User.objects.create_user("carol@acme.example", account=phone.account)
    text = f"mac,person\n{phone.mac},BOB@Acme.Example\n{other.mac},"
    [told] = imported(api, f"{text}Carol@acme.example\n").json()["errors"]
    assert (told["row"], told["column"]) == (3, "person")
    assert told["message"] == "Several people have this as email or user name."
    assert not MobilitySession.objects.exists()
    assert imported(api, f"{text}Alice.Ä\n").json()["data"]["created"] == 2
    assert {session.user for session in MobilitySession.objects.all()} == {people["Alice"], people["Bob"]}
    assert imported(api, f"mac,person\n{phone.mac},bob@ACME.example\n").json()["data"]["unchanged"] == 1


def test_a_csv_file_that_a_policy_forbids_stores_nothing(api, phones, people):
    phone, other = phones
    MobilityPolicy.objects.create(account=phone.account, second_phone=SecondPhone.REFUSE)
    text = f"mac,person\n{phone.mac},bob@acme.example\n{other.mac},bob@acme.example\n"
    refused = imported(api, text)
    assert (refused.status_code, refused.json()["code"]) == (409, "logged-in-elsewhere")
    assert "Row 3" in refused.json()["message"]
    assert not MobilitySession.objects.exists()


# -- The command -------------------------------------------------------------------------------------------------------


def test_the_command_logs_in_lists_and_logs_out(phones, people, tmp_path):
    phone, other = phones
    planned = run("mobility", "login", phone.mac, "bob@acme.example", "--dry-run", "--json")
    assert (planned.status, planned.row["dry_run"]) == (0, True)
    assert not MobilitySession.objects.exists()
    assert (
        run("mobility", "login", phone.mac, "bob@acme.example", "--hours", "1", "--json").row["state"] == "logging_in"
    )
    [session] = run("mobility", "sessions", "--json").rows
    assert session["person"] == "Bob Baker"
    file = tmp_path / "logins.csv"
    file.write_text(f"mac,person\n{other.mac},alice@acme.example\n")
    assert run("mobility", "login", "--file", file, "--json").row["created"] == 1
    assert run("mobility", "logout", "--person", "bob@acme.example", "--json").row["state"] == "logging_out"
    nobody = run("mobility", "logout", phone.mac)
    assert (nobody.status, "Nobody is logged in" in nobody.err) == (1, True)
    assert run("mobility", "logout").status == 2
    assert run("mobility", "login", phone.mac).status == 2
    assert run("mobility", "login", phone.mac, "x@acme.example").status == 1
    assert len(run("mobility", "logout", "--all", "--json").rows) == 1


# -- CUCM's API --------------------------------------------------------------------------------------------------------


class Program:
    """Written against CUCM: a name and a password in each request."""

    def __init__(self, client, name: str, password: str) -> None:
        self.client, self.name, self.password = client, name, password

    def post(self, xml: str) -> etree._Element:
        response = self.client.post(EM, {"xml": xml})
        assert response.status_code == 200
        assert response["Content-Type"] == "text/xml; charset=utf-8"
        return etree.fromstring(response.content)

    def ask(self, body: str, root: str = "request") -> etree._Element:
        who = f"<appInfo><appID>{self.name}</appID><appCertificate>{self.password}</appCertificate></appInfo>"
        return self.post(f"<{root}>{who}{body}</{root}>")

    def code(self, body: str, root: str = "request") -> int:
        return int(self.ask(body, root).find("failure/error").get("code"))


@pytest.fixture
def program(client, alice):
    return Program(client, "alice@acme.example", "correct horse")


def login(phone, person: str, more: str = "") -> str:
    return f"<login><deviceName>SEP{phone.mac}</deviceName><userID>{person}</userID>{more}</login>"


def test_programs_written_against_cucm_go_on(program, phones, people):
    phone, other = phones
    device = f"<deviceName>SEP{phone.mac}</deviceName>"
    minutes = "<exclusiveDuration><time>60</time></exclusiveDuration>"
    assert program.ask(login(phone, "bob%40acme.example", minutes)).find("success") is not None
    session = MobilitySession.objects.get()
    assert session.user == people["Bob"]
    assert timedelta(minutes=59) < session.until - timezone.now() < timedelta(minutes=61)
    shown = program.ask(
        f"<deviceUserQuery>{device}<deviceName>SEP{other.mac}</deviceName><deviceName>SEP020000000099</deviceName>"
        "</deviceUserQuery>",
        "query",
    )
    here, empty, unknown = shown.findall("deviceUserResults/device")
    assert (here.get("name"), here.findtext("userID")) == (f"SEP{phone.mac}", "bob%40acme.example")
    assert empty.find("none") is not None
    assert unknown.find("doesNotExist") is not None
    bob, nobody = program.ask(
        "<userDevicesQuery><userID>bob@acme.example</userID><userID>x</userID></userDevicesQuery>", "query"
    ).findall("userDevicesResults/user")
    assert [bob.findtext("deviceName"), nobody.find("doesNotExist") is not None] == [f"SEP{phone.mac}", True]
    for name in ("deviceProfileQuery", "userDeviceProfileQuery"):
        found = program.ask(f"<{name}><userID>bob@acme.example</userID></{name}>", "query")
        assert found.findtext("deviceProfileResults/user/deviceProfile/deviceProfileName") == "Bob's"
    assert program.code(login(phone, "alice@acme.example")) == EmCode.OTHER_USER
    assert program.ask(f"<logout>{device}</logout>").find("success") is not None
    assert program.code(f"<logout>{device}</logout>") == EmCode.NO_USER
    named = "<deviceProfile>Bob's</deviceProfile>"
    assert program.ask(login(other, "bob@acme.example", named)).find("success") is not None
    assert program.ask("<logoutAll/>").find("success") is not None
    assert not MobilitySession.objects.filter(state=SessionState.LOGGING_IN).exists()


def test_cucm_refusals_have_its_codes(program, phones, people, charlie):
    phone, other = phones
    assert program.code(login(phone, "charlie@other.example")) == EmCode.NO_PERSON
    ghost = "<logout><deviceName>SEP020000000099</deviceName></logout>"
    assert program.code(ghost) == EmCode.NO_DEVICE
    missing = "<deviceProfile>None such</deviceProfile>"
    assert program.code(login(phone, "bob@acme.example", missing)) == EmCode.NO_PROFILE
    assert program.code("<reset/>", "query") == EmCode.UNKNOWN_QUERY
    assert program.code("<reset/>") == EmCode.UNREADABLE
    MobilityPolicy.objects.create(account=phone.account, second_phone=SecondPhone.REFUSE)
    program.ask(login(phone, "bob@acme.example"))
    assert program.code(login(other, "bob@acme.example")) == EmCode.ELSEWHERE
    for xml in ("", "<request>", "<html/>", '<!DOCTYPE x [<!ENTITY a "b">]><request>&a;</request>'):
        assert program.post(xml).find("failure/error").get("code") == "1", xml


def test_cucm_requests_need_a_credential_and_act_for_oneself_alone_without_rights(client, phones, people, acme):
    phone, other = phones
    wrong = Program(client, "alice@acme.example", "wrong horse")
    assert wrong.code(login(phone, "bob@acme.example")) == EmCode.INVALID_APP_USER
    assert Program(client, "alice@acme.example", "").code("<logoutAll/>") == EmCode.NOT_AUTHORISED
    bob = Program(client, "bob@acme.example", "correct horse")
    assert bob.code(login(phone, "alice@acme.example")) == EmCode.NO_PROXY_RIGHTS
    assert bob.code("<logoutAll/>") == EmCode.NO_PROXY_RIGHTS
    assert bob.ask(login(phone, "bob@acme.example")).find("success") is not None
    reads = Program(client, "any", create_token(account=acme, name="Board", read_only=True)[1])
    assert reads.code("<logoutAll/>") == EmCode.NO_PROXY_RIGHTS
    found = reads.ask("<userDevicesQuery><userID>bob@acme.example</userID></userDevicesQuery>", "query")
    assert found.findtext("userDevicesResults/user/deviceName") == f"SEP{phone.mac}"
    writes = Program(client, "any", create_token(account=acme, name="Hotel")[1])
    assert writes.ask(login(other, "alice@acme.example")).find("success") is not None
    assert client.get(EM, {"xml": "<request/>"}).content.count(b"Only POST") == 1


def test_a_form_that_cannot_be_read_is_refused_in_xml(client):
    forms = {
        "too large": {"data": "xml=" + "x" * 3_000_000, "content_type": "application/x-www-form-urlencoded"},
        "of too many fields": {"data": "&".join(["a=b"] * 2_000), "content_type": "application/x-www-form-urlencoded"},
        "no form": {"data": "xml=", "content_type": "multipart/form-data"},
    }
    for why, form in forms.items():
        answer = client.post(EM, **form)
        assert (answer.status_code, answer["Content-Type"]) == (200, "text/xml; charset=utf-8"), why
        assert b"The form cannot be read" in answer.content, why


def test_a_log_in_by_cucm_reaches_the_phone_and_its_log_out_brings_the_base_back(
    site, mobile, device, people, program, work
):
    phone, profile = mobile(), device("Bob")
    with site.alive(phone, asks_around=False):
        program.ask(login(phone, "bob@acme.example"))
        session = MobilitySession.objects.get()

        def is_now(state: SessionState):
            return lambda: MobilitySession.objects.get(pk=session.pk).state == state

        work(is_now(SessionState.LOGGED_IN))
        assert site.file_of(phone) == profile.content
        program.ask(f"<logout><deviceName>SEP{phone.mac}</deviceName></logout>")
        work(is_now(SessionState.LOGGED_OUT))
        assert site.file_of(phone) == mobile.base.content


APP = "/emapp/EMAppServlet"


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_phone_with_cucms_service_url_logs_in_and_out(phones, people, screen, method):
    """Case 7 of the mobility spec."""
    phone, _ = phones
    assert screen(APP, phone, EMCC="#EMCC#").all("InputItem/InputFlags") == ["A", "NP"]
    assert screen(APP, phone, loginType="DN").all("InputItem/InputFlags") == ["T", "NP"]
    wrong = screen(APP, phone, method=method, userid="bob@acme.example", seq="0000")
    assert wrong.words == "Login failed (201)"
    welcome = screen(APP, phone, method=method, userid="bob@acme.example", seq=PIN)
    assert welcome.words.startswith("Logging in as Bob Baker.")
    assert "em/status" in welcome.refresh
    session = MobilitySession.objects.get()
    assert (session.user, session.channel) == (people["Bob"], "phone")
    assert "Log out Bob Baker" in screen(APP, phone).items
    screen(APP, phone, method=method, doLogout="true")
    session.refresh_from_db()
    assert session.why == Why.PERSON


# -- The board ---------------------------------------------------------------------------------------------------------


def test_the_board_shows_who_is_where_and_logs_out(api, root_desk, phones, people, other):
    phone, kitchen = phones
    session = MobilitySession.objects.get(uuid=asked(api, phone, people["Bob"]).json()["data"]["uuid"])
    board = reverse("admin:phones_app_mobilitysession_changelist")
    for page in (
        board,
        reverse("admin:phones_app_phone_change", args=[phone.pk]),
        reverse("admin:contacts_app_user_change", args=[people["Bob"].pk]),
        reverse("admin:phones_app_mobilitysession_change", args=[session.pk]),
        reverse("admin:phones_app_deployment_change", args=[session.login_id]),
    ):
        assert "Bob" in root_desk.get(page).content.decode(), page
    stranger = at_desk(clerk(other, "clerk@other.example"))
    assert "Bob" not in stranger.get(board).content.decode()
    out = reverse("admin:phones_app_mobilitysession_log_out_one", args=[session.pk])
    assert stranger.post(out).status_code == 404
    assert root_desk.get(out).content.decode().count("Log Bob Baker on SEP") > 0
    assert root_desk.post(out).status_code == 302
    session.refresh_from_db()
    assert (session.state, session.why, session.ended_by) == (SessionState.LOGGING_OUT, Why.STAFF, "root@example.org")
    asked(api, kitchen, people["Alice"])
    rows = MobilitySession.objects.values_list("pk", flat=True)
    root_desk.post(board, {"action": "log_out_selected", "_selected_action": list(rows)})
    assert not MobilitySession.objects.filter(state=SessionState.LOGGING_IN).exists()


def test_who_may_only_look_logs_nobody_out(api, phones, people, acme):
    session = asked(api, phones[0], people["Bob"]).json()["data"]
    key = MobilitySession.objects.get(uuid=session["uuid"]).pk
    desk = at_desk(clerk(acme, "viewer@acme.example", without="change_mobilitysession"))
    board = desk.get(reverse("admin:phones_app_mobilitysession_changelist")).content.decode()
    assert "Bob" in board
    assert "log_out_selected" not in board
    assert desk.post(reverse("admin:phones_app_mobilitysession_log_out_one", args=[key])).status_code in (302, 403)
    assert MobilitySession.objects.get(pk=key).is_present
