"""Files made from data on their way to phones: switched, rolled out, refused, logged in with; what a change concerns."""

import hashlib
import io

import pytest
from django.core.management import call_command
from django.db.models import F

from contacts_app.core.work.claim import Claims
from contacts_app.core.work.queue import run_queue
from phones_app.configuration import wanted
from phones_app.configuration.changes import mark_due, outdated
from phones_app.configuration.models import Layer, PhoneConfiguration
from phones_app.configuration.rendering import revisions_for
from phones_app.configuration.wanted import Configurations
from phones_app.deployment.models import Deployment, PhoneFile, State
from phones_app.inventory.models import Phone
from phones_app.mobility.login import log_in
from phones_app.mobility.logout import log_out
from phones_app.mobility.models import Why
from phones_app.mobility.timers import MOBILITY
from phones_app.rollout.models import Rollout
from profiles_app.phone.models import PhoneProfile, ProfileRevision
from tests.admin_people import clerk as a_clerk
from tests.phones_app.configuration.data import ACTOR, TEMPLATE, layer, line, made_profile
from tests.phones_app.playing import play
from tests.phones_app.rest import of
from tests.phones_app.site import sip_file

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def profile(alice, acme):
    layer(acme, values={"pbx": "127.0.0.1", "ntp_servers": "ntp.acme.example"})
    return made_profile(alice)


@pytest.fixture
def fleet(site, acme, profile, no_inline_work):
    """Three phones with their lines: two in Munich, one in Berlin."""
    found = []
    for number, place in enumerate(("Munich", "Munich", "Berlin"), start=1):
        one = site.phone(location=place, current_profile=profile)
        layer(acme, kind="phone", phone=one, lines=[line(acme, f"100{number}")])
        found.append(one)
    return found


def work() -> None:
    run_queue("configurations")


def rolled_out(api, **body) -> dict:
    answer = api.post("rollouts", body)
    assert answer.status_code in (200, 202), answer.content
    return answer.json()["data"]


def carried_out() -> None:
    """Play the worker until no deployment is open."""
    play(
        lambda: run_queue("deployments"),
        lambda: not Deployment.objects.filter(finished_at=None).exists(),
        60,
        lambda: list(Deployment.objects.values("mac", "state", "error", "waiting_for")),
    )


def test_a_switch_stores_and_uploads_what_is_made_for_the_phone(site, api, fleet, profile, finish, settings):
    settings.SWITCH_WAIT_SECONDS = 0.1
    one = fleet[0]
    preview = api.get(f"phone-profiles/{profile.uuid}/preview", {"mac": one.mac}).json()["data"]
    assert preview["revision"] is None
    assert "secret-1001" in preview["cnf_xml"]
    assert not ProfileRevision.objects.exclude(rendered_for=None).exists()
    with site.alive(one):
        answer = api.post("phone-profiles/switch", {"profile_uuid": str(profile.uuid), "mac": one.mac})
        assert answer.status_code in (200, 202), answer.content
        deployment = finish(Deployment.objects.get())
    assert deployment.state == State.CONFIRMED
    revision = ProfileRevision.objects.exclude(rendered_for=None).get()
    assert site.file_of(one) == bytes(revision.content) == preview["cnf_xml"].encode()
    assert deployment.revision_id == revision.pk
    assert PhoneFile.objects.get().sha256 == hashlib.sha256(site.file_of(one)).hexdigest() == preview["sha256"]
    work()
    assert set(outdated(profile)) == set(fleet[1:])
    # What was made for phones is none of the profile's own revisions.
    listed = api.get(f"phone-profiles/{profile.uuid}/revisions").json()["data"]
    assert all(row["number"] for row in listed)
    assert revision.number is None


def test_a_rollout_after_a_change_goes_to_exactly_the_phones_that_it_concerns(site, api, acme, fleet, profile):
    munich = layer(acme, kind="location", name="Munich", values={"ntp_servers": "old.example"})
    work()
    with site.alive(*fleet):
        rolled_out(api, all=True)
        carried_out()
        assert Deployment.objects.filter(state=State.CONFIRMED).count() == 3
        work()
        assert not outdated().exists()
        assert rolled_out(api, all=True, dry_run=True)["plan"]["total"] == 0
        munich.values = {"ntp_servers": "new.example"}
        munich.save()
        assert PhoneConfiguration.objects.filter(due_at__isnull=False).count() == 2
        # Before a worker has come to it as after.
        assert rolled_out(api, all=True, dry_run=True)["plan"]["total"] == 2
        work()
        listed = api.get("phones", {"outdated": "true"}).json()["data"]
        assert [row["mac"] for row in listed] == [one.mac_with_colons for one in fleet[:2]]
        rolled_out(api, filter={"outdated": True})
        carried_out()
    assert [Deployment.objects.filter(phone=one).count() for one in fleet] == [2, 2, 1]
    assert b"new.example" in site.file_of(fleet[0])
    work()
    assert not outdated().exists()
    assert Rollout.objects.first().total == 2


def test_a_plan_tells_what_phones_will_miss_beside_made_files_worked_out_or_not(site, api, alice, fleet):
    text = TEMPLATE.replace("<sipLines>", "<dialTemplate>dialplan.xml</dialTemplate><sipLines>", 1)
    Phone.objects.update(current_profile=made_profile(alice, "Dialling", text))
    missing = "Embedded: the file names dialplan.xml, which is not on the file server (3 phones)."
    assert missing in rolled_out(api, all=True, dry_run=True)["plan"]["notes"]
    mark_due(Phone.objects.all())
    work()
    assert not PhoneConfiguration.objects.exclude(due_at=None).exists()
    assert missing in rolled_out(api, all=True, dry_run=True)["plan"]["notes"]
    (site.folder / "dialplan.xml").write_text("there")
    assert missing not in rolled_out(api, all=True, dry_run=True)["plan"]["notes"]


def test_a_phone_without_a_value_is_refused_with_the_reason_and_the_others_go_on(site, api, acme, alice, fleet):
    made = made_profile(alice, "Rooms", sip_file(label="{{ room }}"))
    layer(acme, kind="location", name="Berlin", values={"room": "12"})
    body = {"profile_uuid": str(made.uuid), "macs": [one.mac for one in fleet], "dry_run": True}
    plan = rolled_out(api, **body)["plan"]
    assert (plan["total"], plan["refused"][0]["phones"]) == (1, 2)
    assert "room" in plan["refused"][0]["message"]
    assert "account Acme" in plan["refused"][0]["message"]
    answer = api.post("phone-profiles/switch", {"profile_uuid": str(made.uuid), "mac": fleet[0].mac})
    assert answer.status_code == 409
    assert "room" in answer.json()["message"]


def test_a_value_that_the_account_locks_refuses_the_phones_own_and_says_where(api, acme, fleet):
    account = Layer.objects.get(kind="account")
    account.locks = ["ntp_servers"]
    account.save()
    own = Layer.objects.get(phone=fleet[0])
    own.values = {"ntp_servers": "own.example"}
    own.save()
    told = api.get(f"phones/{fleet[0].mac}/configuration").json()["data"]
    value = next(value for value in told["values"] if value["name"] == "ntp_servers")
    assert (value["value"], value["layer"]) == ("ntp.acme.example", "account Acme")
    assert value["locked_by"] == "account Acme"
    assert value["refused"][0].startswith("phone ")
    file = api.get(f"phones/{fleet[0].mac}/configuration/file").json()["data"]
    assert "own.example" not in file["cnf_xml"]


def test_who_may_not_see_secrets_sees_none(api, acme, stranger, fleet):
    clerk = of(a_clerk(acme))
    path = f"phones/{fleet[0].mac}/configuration"
    assert "secret-1001" in api.get(f"{path}/file").json()["data"]["cnf_xml"]
    for caller_path in (path, f"{path}/file"):
        answer = clerk.get(caller_path)
        assert answer.status_code == 200, answer.content
        assert "secret-1001" not in answer.content.decode()
        assert stranger.get(caller_path).status_code == 404


def test_the_command_writes_the_bytes_and_nothing_else(fleet, capsysbinary):
    one = fleet[0]
    call_command("render_phone", one.mac_with_colons)
    written = capsysbinary.readouterr().out
    work()
    assert hashlib.sha256(written).hexdigest() == PhoneConfiguration.objects.get(phone=one).sha256
    out = io.StringIO()
    call_command("render_phone", one.mac, "--explain", stdout=out)
    assert "account Acme" in out.getvalue()
    call_command("check_templates", stdout=out)
    assert "Template of Made" in out.getvalue()


def test_a_log_in_brings_the_persons_lines_and_a_log_out_takes_them_away(site, acme, alice, bob, profile, finish):
    base = made_profile(alice, "Logged out", sip_file(line="{{ lines[0].name }}", label="{{ phone_label }}"))
    layer(acme, kind="profile", profile=base, values={"phone_label": "Lobby"}, lines=[line(acme, "2000")])
    bobs = made_profile(bob, "Bob's", "<device/>")
    layer(acme, kind="profile", profile=bobs, values={"phone_label": "Bob", "ntp_servers": "bob.example"})
    line(acme, "3000", user=bob)
    one = site.phone(current_profile=base, base_profile=base, location="Munich")
    with site.alive(one):
        session = log_in(one, bob, profile=bobs, actor=ACTOR)
        finish(session.login)
        session.refresh_from_db()
        said = site.file_of(one).decode()
        assert "<name>3000</name>" in said
        assert "<featureLabel>Bob</featureLabel>" in said
        one.refresh_from_db()
        assert one.current_profile == bobs
        work()
        assert not outdated().exists()
        log_out(session, why=Why.PERSON, actor=ACTOR)
        run_queue(MOBILITY)
        carried_out()
    said = site.file_of(one).decode()
    assert "<name>2000</name>" in said
    assert "<featureLabel>Lobby</featureLabel>" in said


def test_a_profile_that_makes_its_file_takes_none_and_becomes_one_on_demand(api, profile, acme, alice):
    line(acme, "1001", user=alice)
    work()
    profile.refresh_from_db()
    path = f"phone-profiles/{profile.uuid}"
    shown = api.get(path).json()["data"]
    assert "<name>1001</name>" in shown["cnf_xml"]
    assert api.put(path, {"name": "Other", "cnf_xml": shown["cnf_xml"]}).status_code == 200
    refused = api.patch(path, {"cnf_xml": sip_file()})
    assert refused.status_code == 400
    assert refused.json()["errors"][0]["field"] == "cnf_xml"
    assert PhoneProfile.objects.get(uuid=profile.uuid).revision.number == 1


def test_what_a_dead_worker_had_claimed_is_done_by_another(fleet, profile, monkeypatch):
    due = PhoneConfiguration.objects.filter(due_at__isnull=False)
    claim = Claims(Configurations("dead")).take()
    assert claim is not None
    assert len(claim.keys) == 3
    work()
    assert due.count() == 3
    due.update(due_at=F("due_at") - Configurations.claim_time)

    runs = []

    def changed_meanwhile(phones, **how):
        outcomes = revisions_for(phones, **how)
        runs.append([phone.pk for phone in phones])
        if len(runs) == 1:
            mark_due(Phone.objects.filter(pk=fleet[0].pk))
        return outcomes

    monkeypatch.setattr(wanted, "revisions_for", changed_meanwhile)
    work()
    # What it worked out for the phone that was marked due meanwhile was not kept, and is worked out again.
    assert [len(run) for run in runs] == [3, 1]
    assert runs[1] == [fleet[0].pk]
    assert not due.exists()
    assert not PhoneConfiguration.objects.filter(sha256="").exists()


def test_a_file_with_errors_has_one_code_in_plans_and_deployments(api, site, alice, no_inline_work):
    """Whether a worker has found that out before, or the plan does."""
    broken = made_profile(alice, "Broken", TEMPLATE.replace("</device>", "</devic>"))
    one = site.phone(current_profile=broken)

    def refused() -> list[str]:
        return [group["code"] for group in rolled_out(api, macs=[one.mac], dry_run=True)["plan"]["refused"]]

    before = refused()
    mark_due(Phone.objects.all())
    work()
    assert PhoneConfiguration.objects.get(phone=one).error
    answer = api.post("phone-profiles/switch", {"profile_uuid": str(broken.uuid), "mac": one.mac})
    assert refused() == before == [answer.json()["code"]]
