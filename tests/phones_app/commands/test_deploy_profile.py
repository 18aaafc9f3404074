"""deploy_profile and restart_phones, against the embedded file server and simulated phones, without any worker."""

import uuid

import pytest

from contacts_app.people.models import User
from phones_app.deployment.models import Deployment
from phones_app.deployment.request import deploy
from phones_app.servers.models import FileServer
from phones_app.simulator.state import Fault
from tests.commands import run
from tests.peers.sip_udp import sip_phone
from tests.phones_app.site import ACTOR, sip_file
from tests.servers import free_port

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("no_inline_work")]


@pytest.fixture
def profile(site):
    return site.profile(content=sip_file("1002"), compatible_models=["8845"], software_type="SIP")


def test_waiting_ends_with_a_confirmed_deployment_although_no_worker_runs(site, profile):
    phone = site.phone()
    with site.alive(phone) as fleet:
        ran = run("deploy_profile", profile.uuid, phone.mac_with_colons.lower(), "--wait", "--json")
        assert fleet[phone.mac].restarts == 1

    assert (ran.status, ran.err) == (0, "")
    deployment = Deployment.objects.get()
    expected = {
        "mac": phone.mac_with_colons,
        "deployment": str(deployment.uuid),
        "state": "confirmed",
        "evidence": "file-fetched",
        "error": "",
    }
    assert ran.row == ran.row | expected
    assert site.file_of(phone) == profile.content
    assert (deployment.requested_by, deployment.channel) == ("command", "command")


def test_several_phones_end_together_and_the_table_names_each(site, profile):
    phones = [site.phone(name=f"Desk {number}") for number in range(3)]
    with site.alive(*phones):
        ran = run("deploy_profile", profile.uuid, *(phone.mac for phone in phones), "--wait")

    assert ran.status == 0
    for phone in phones:
        [line] = [line for line in ran.out.splitlines() if phone.mac_with_colons in line]
        assert phone.name in line
        assert "confirmed" in line


def test_without_waiting_the_work_is_queued_and_left_to_workers(site, profile):
    phone = site.phone()
    ran = run("deploy_profile", profile.uuid, phone.mac, "--json")
    assert (ran.status, ran.row["state"]) == (0, "queued")
    assert Deployment.objects.get().state == "queued"


def test_phone_named_twice_gets_one_deployment(site, profile):
    phone = site.phone()
    ran = run("deploy_profile", profile.uuid, phone.mac, f"sep{phone.mac.lower()}", "--json")
    assert ran.status == 0
    assert len(ran.rows) == 1
    assert Deployment.objects.count() == 1


def test_refused_phones_are_told_with_the_reason_and_the_others_go_on(site, profile):
    fits, other_model, inactive = site.phone(), site.phone(model="7821"), site.phone(is_active=False)
    macs = [fits.mac, other_model.mac, inactive.mac, "02FFFFFFFFFF"]
    ran = run("deploy_profile", profile.uuid, *macs, "--json")

    assert ran.status == 1
    assert ran.err == "Of 4 phones: 3 refused.\n"
    codes = {row["mac"].replace(":", ""): (row["state"], row["error_code"]) for row in ran.rows}
    assert codes == {
        fits.mac: ("queued", ""),
        other_model.mac: ("refused", "model-mismatch"),
        inactive.mac: ("refused", "phone-inactive"),
        "02FFFFFFFFFF": ("refused", "unknown-phone"),
    }
    assert [deployment.phone for deployment in Deployment.objects.all()] == [fits]


def test_dry_run_refuses_the_same_and_writes_nothing(site, profile):
    fits, other_model = site.phone(), site.phone(model="7821")
    before = site.file_of(fits)
    ran = run("deploy_profile", profile.uuid, fits.mac, other_model.mac, "--wait", "--dry-run", "--json")

    assert ran.status == 1
    assert [row["state"] for row in ran.rows] == ["would be queued", "refused"]
    assert not Deployment.objects.exists()
    assert site.file_of(fits) == before


def test_failed_deployment_is_a_failure_with_its_error(site, profile):
    phone = site.phone()
    with site.alive(phone) as fleet:
        fleet[phone.mac].fault = Fault.WRONG_MAC
        ran = run("deploy_profile", profile.uuid, phone.mac, "--wait", "--json")

    assert ran.status == 1
    assert ran.err == "Of 1 phone: 1 failed.\n"
    assert (ran.row["state"], ran.row["error_code"]) == ("failed", "another-phone")


def test_restart_without_evidence_is_not_a_success(site, profile, settings):
    settings.CONFIRM_SECONDS = 1
    with sip_phone() as agent:
        phone = site.phone(sip_port=agent.port, web_port=free_port())
        ran = run("deploy_profile", profile.uuid, phone.mac, "--wait", "--json")

    assert len(agent.transactions) == 1
    assert (ran.status, ran.err) == (1, "Of 1 phone: 1 not confirmed.\n")
    assert (ran.row["state"], ran.row["error_code"]) == ("restart_acknowledged", "no-evidence")


def test_time_that_is_up_ends_the_waiting_and_not_the_work(site, profile):
    phone = site.phone()
    with site.alive(phone) as fleet:
        fleet[phone.mac].fault = Fault.IN_CALL
        ran = run("deploy_profile", profile.uuid, phone.mac, "--wait", "--timeout", 10, "--json")

    assert ran.status == 1
    assert ran.err == "Of 1 phone: 1 still under way.\n"
    assert "call" in ran.row["waiting_for"]
    deployment = Deployment.objects.get()
    assert deployment.is_open
    assert deployment.lease_owner == ""


def test_all_means_every_phone_of_the_account_that_it_fits(site, profile, other):
    fits = [site.phone(), site.phone()]
    site.phone(model="7821")
    stranger = site.phone()
    stranger.account = other
    stranger.save()
    ran = run("deploy_profile", profile.uuid, "--all", "--json")

    assert ran.status == 0
    assert {deployment.mac for deployment in Deployment.objects.all()} == {phone.mac for phone in fits}
    assert len(ran.rows) == 2


def test_all_that_fits_no_phone_fails(site, profile):
    site.phone(model="7821")
    ran = run("deploy_profile", profile.uuid, "--all")
    assert (ran.status, ran.err) == (1, "The profile fits none of the phones of the account (1).\n")


def test_all_tells_of_phones_that_the_profile_fits_and_that_get_no_file_all_the_same(site, profile):
    phone, _ = site.phone(), site.phone(model="7821")
    FileServer.objects.all().delete()
    ran = run("deploy_profile", profile.uuid, "--all", "--json")
    assert (ran.status, ran.err) == (1, "Of 1 phone: 1 refused.\n")
    assert (ran.row["mac"], ran.row["error_code"]) == (phone.mac_with_colons, "no-file-server")


@pytest.mark.parametrize("arguments", [(), ("02FFFFFFFFFF", "--all"), ("nonsense",), ("01FFFFFFFFFF",)])
def test_phones_have_to_be_named_in_one_way(site, profile, arguments):
    assert run("deploy_profile", profile.uuid, *arguments).status == 2


def test_all_of_a_profile_of_staff_is_wrong_usage(site, profile, root):
    profile.user = root
    profile.save()
    assert run("deploy_profile", profile.uuid, "--all").status == 2


def test_unknown_profile_fails_and_a_malformed_one_is_wrong_usage(site):
    assert run("deploy_profile", uuid.uuid4(), "02FFFFFFFFFF").status == 1
    assert run("deploy_profile", "nonsense", "02FFFFFFFFFF").status == 2


def test_restart_is_confirmed_without_an_upload(site):
    phone = site.phone()
    with site.alive(phone) as fleet:
        ran = run("restart_phones", phone.mac, "--wait", "--json")
        assert fleet[phone.mac].restarts == 1
    assert (ran.status, ran.row["state"]) == (0, "confirmed")
    assert Deployment.objects.get().kind == "restart"


def test_dry_restart_restarts_nothing(site):
    phone = site.phone()
    with site.alive(phone) as fleet:
        ran = run("restart_phones", phone.mac, "--wait", "--dry-run", "--json")
        assert fleet[phone.mac].restarts == 0
    assert (ran.status, ran.row["state"]) == (0, "would be queued")
    assert not Deployment.objects.exists()


@pytest.mark.parametrize(("arguments", "status"), [((), 2), (("nonsense",), 2), (("02FFFFFFFFFF",), 1)])
def test_restart_of_no_phone_fails(site, arguments, status):
    assert run("restart_phones", *arguments).status == status


def test_waiting_carries_out_what_others_left_behind(site, profile):
    """A deployment that is under way for the same phone comes first; both end."""
    phone = site.phone()
    with site.alive(phone):
        deploy(phone=phone, profile=profile, actor=ACTOR)
        Deployment.objects.update(state="uploading", started_at=None)
        ran = run("restart_phones", phone.mac, "--wait", "--json")
    assert (ran.status, ran.row["state"]) == (0, "confirmed")
    assert User.objects.count() == 1
    assert not Deployment.objects.filter(finished_at=None).exists()
