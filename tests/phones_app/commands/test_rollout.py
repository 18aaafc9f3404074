"""`manage.py rollout`: the dry run, the run, and what is done to a rollout that is there."""

import pytest

from phones_app.deployment.models import Deployment
from phones_app.inventory.models import Phone, PhoneGroup
from phones_app.rollout.models import Rollout
from tests.commands import run
from tests.phones_app.rest import of
from tests.phones_app.site import sccp_file, sip_file

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("no_inline_work")]


@pytest.fixture
def fleet(site):
    return [site.phone() for _ in range(3)]


def test_a_dry_run_counts_and_does_nothing(site, fleet):
    Phone.objects.filter(pk=fleet[0].pk).update(software_type="SCCP")
    asked = (site.profile(software_type="SIP").uuid, *(phone.mac for phone in fleet), "0000.dead.beef")
    told = run("rollout", *asked, "--canary", "1", "--dry-run", "--json")
    assert told.status == 1
    assert (told.row["total"], told.row["unchanged"], told.row["waves"]) == (2, 0, [1, 1])
    assert {group["code"]: group["macs"] for group in told.row["refused"]} == {
        "software-mismatch": [fleet[0].mac_with_colons],
        "unknown-phone": ["00:00:DE:AD:BE:EF"],
    }
    table = run("rollout", *asked, "--dry-run").out
    assert "software-mismatch" in table
    assert not Rollout.objects.exists()
    assert not Deployment.objects.exists()


def test_none_of_a_pause_is_a_pause_too(site, fleet):
    none = ("--jitter", "0", "--pause", "0", "--canary", "0")
    ran = run("rollout", site.profile().uuid, "--all", *none, "--dry-run", "--json")
    assert (ran.status, ran.row["total"]) == (0, 3)
    assert run("rollout", site.profile().uuid, "--all", "--wave", "0", "--dry-run").status == 2


@pytest.mark.parametrize(
    ("model", "code"), [("9971", "model-protocol"), ("6841", "model-format"), ("ATA192", "model-format")]
)
def test_phones_that_cannot_read_the_file_are_refused_before_it(site, model, code):
    phone = site.phone(model=model, software_type=None)
    ran = run("rollout", site.profile(content=sccp_file()).uuid, "--all", "--dry-run", "--json")

    assert ran.row["refused"][0]["code"] == code
    assert ran.row["refused"][0]["macs"] == [phone.mac_with_colons]


def test_watched_without_a_worker_it_is_carried_out(site, fleet):
    profile = site.profile(content=sip_file("1002"))
    with site.alive(*fleet):
        asked = ("rollout", profile.uuid, "--all", "--wave", "2", "--watch")
        done = run(*asked, "--json")
        assert done.status == 0, done.err
        assert (done.row["state"], done.row["confirmed"], done.row["waves"]) == ("finished", 3, 2)
        again = run(*asked, "--json")
        assert (again.status, again.row["total"], again.row["unchanged"]) == (0, 0, 3)
        assert run("rollout", "--json", "--watch", done.row["rollout"]).row["confirmed"] == 3


def test_on_a_terminal_a_bar_shows_what_rest_tells_too(site, fleet, alice, monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "160")
    Phone.objects.filter(pk=fleet[2].pk).update(phone_ip=None)
    with site.alive(*fleet[:2]):
        asked = (site.profile(content=sip_file("1002")).uuid, *(phone.mac for phone in fleet))
        watched = run("rollout", *asked, "--canary", "1", "--watch", terminal=True)
    assert watched.status == 1
    for expected in ("wave 1/2", "wave 2/2, finished, 1 failed", "3/3", "phones/s"):
        assert expected in watched.err, expected
    assert "no-address" in watched.out
    uuid = Rollout.objects.get().uuid
    told = run("rollout", "--watch", uuid, "--json").row
    progress = of(alice).get(f"rollouts/{uuid}").json()["data"]["progress"]
    same = progress | progress.pop("parts")
    both = same.keys() & told.keys()
    assert both >= {"total", "ended", "confirmed", "failed", "in_call", "rate", "remaining", "failures"}
    assert {name: told[name] for name in both} == {name: same[name] for name in both}
    assert (told["confirmed"], told["failed"], told["ended"], told["rate"] > 0) == (2, 1, 3, True)


def test_each_phone_gets_the_profile_that_it_has(site, fleet):
    for number, phone in enumerate(fleet[:2]):
        Phone.objects.filter(pk=phone.pk).update(current_profile=site.profile(f"Desk {number}"))
    told = run("rollout", "--assigned", "--all", "--json")
    assert told.status == 0
    assert [group["code"] for group in told.row["refused"]] == ["no-profile"]
    made = Deployment.objects.order_by("mac").values_list("profile_name", flat=True)
    assert list(made) == ["Desk 0", "Desk 1"]


def test_phones_by_file_and_by_group(site, fleet, acme, tmp_path):
    profile, listed = site.profile(), tmp_path / "phones.csv"
    listed.write_text(f"name,MAC\nHall,{fleet[0].mac}\nBar,sep{fleet[1].mac.lower()}\n")
    assert run("rollout", profile.uuid, "--file", listed, "--dry-run", "--json").row["total"] == 2
    PhoneGroup.objects.create(account=acme, name="Pilot").phones.add(fleet[2])
    assert run("rollout", profile.uuid, "--group", "Pilot", "--dry-run", "--json").row["total"] == 1
    listed.write_text("mac\nnonsense\n0011\n")
    failed = run("rollout", profile.uuid, "--file", listed)
    assert failed.status == 1
    assert "row 2" in failed.err
    assert "row 3" in failed.err
    assert run("rollout", profile.uuid, "--group", "Nobody").status == 1


def test_pause_resume_cancel_and_retry(site, fleet):
    Phone.objects.update(phone_ip=None)
    uuid = run("rollout", site.profile().uuid, "--all", "--wave", "1", "--pause", "60", "--json").row["rollout"]
    assert run("rollout", "pause", uuid, "--json").row["state"] == "paused"
    refused = run("rollout", "pause", uuid)
    assert refused.status == 1
    assert "paused" in refused.err
    assert run("rollout", "resume", uuid, "--json").row["state"] == "running"
    assert run("rollout", "retry-failed", uuid).status == 1
    cancelled = run("rollout", "cancel", uuid, "--json").row
    assert (cancelled["state"], cancelled["cancelled"]) == ("cancelled", 3)
    failed = run("rollout", site.profile().uuid, "--all", "--watch", "--json", "--abort-after", "90%")
    assert failed.status == 1
    assert (failed.row["state"], failed.row["failed"]) == ("aborted", 3)
    assert [group["code"] for group in failed.row["failures"]] == ["no-address"]
    assert run("rollout", "retry-failed", failed.row["rollout"], "--json").row["total"] == 3


@pytest.mark.parametrize(
    "wrong",
    [(), ("no-uuid",), ("--assigned",), ("--assigned", "zz"), ("--assigned", "--all", "--abort-after", "200%"),
     ("--assigned", "--all", "--window", "nightly"), ("--assigned", "--all", "--wave", "0"), ("pause",)],
)  # fmt: skip
def test_wrong_usage(db, wrong):
    assert run("rollout", *wrong).status == 2
