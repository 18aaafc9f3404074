"""A fetch of exactly the deployed file confirms, whatever came before it and by whichever clock; nothing less does."""

from datetime import timedelta

import pytest
from django.utils import timezone

from contacts_app.core.memory import forget_everything
from contacts_app.core.work.clock import clock_skew
from phones_app.boot.fetches import Fetch
from phones_app.boot.models import FileFetch
from phones_app.boot.recording import record_fetch
from phones_app.deployment.models import CALL_TO_END, Deployment, State, StepState
from phones_app.deployment.request import cancel, deploy, restart_many
from tests.peers.sip_udp import sip_phone
from tests.phones_app.hands import switch_off, switch_on
from tests.phones_app.site import ACTOR, sip_file
from tests.servers import free_port, wait_for

pytestmark = pytest.mark.django_db(transaction=True)
NEW = sip_file("1002")


@pytest.fixture
def asked(site):
    """A deployment whose phone has no status page; what answers its NOTIFY is the test's."""

    def ask(port: int = 0, **fields) -> Deployment:
        phone = site.phone(web_port=free_port(), sip_port=port or free_port(), line_user="1001", **fields)
        return deploy(phone=phone, profile=site.profile(content=NEW), actor=ACTOR)

    return ask


def fetch(deployment: Deployment, content: str = NEW) -> None:
    name = f"SEP{deployment.mac}.cnf.xml"
    if content:
        fetched = Fetch(name, "127.0.0.1", "http", complete=True)
        fetched.sent(content.encode())
        record_fetch(fetched)


def ask_for(name: str) -> None:
    record_fetch(Fetch(name, "127.0.0.1", "http", missing=True))


def test_a_phone_that_answers_404_and_fetches_a_moment_later_is_confirmed(asked, finish):
    with sip_phone(404) as agent:
        deployment = finish(asked(agent.port), until=lambda row: row.waiting_for)
    assert (deployment.state, deployment.error) == (State.RESTARTING, "")
    assert "404" in deployment.steps.get(kind="restart").answer
    fetch(deployment)
    deployment.refresh_from_db()
    assert (deployment.state, deployment.evidence["kind"], deployment.error) == (State.CONFIRMED, "file-fetched", "")
    restart = deployment.steps.get(kind="restart")
    assert restart.state == StepState.FAILED
    assert "404" in restart.message


@pytest.mark.parametrize("moment", ["failed", "not restarted", "without evidence", "cancelled"])
def test_a_fetch_that_comes_late_confirms_all_the_same(asked, finish, settings, moment):
    settings.CONFIRM_SECONDS = 0.5
    if moment == "failed":
        with sip_phone(404) as agent:
            deployment = finish(asked(agent.port))
        assert (deployment.state, deployment.error_code) == (State.FAILED, "sip-404")
    elif moment == "without evidence":
        with sip_phone() as agent:
            deployment = finish(asked(agent.port))
        assert (deployment.state, deployment.error_code) == (State.RESTART_ACKNOWLEDGED, "no-evidence")
    else:
        deployment = asked()
        Deployment.objects.update(
            state=State.SESSION_CLEARED, finished_at=None, error="", error_code="", waiting_for=CALL_TO_END
        )
        deployment.refresh_from_db()
        if moment == "cancelled":
            cancel(deployment)
    fetch(deployment)
    deployment.refresh_from_db()
    assert (deployment.state, deployment.error_code, deployment.waiting_for) == (State.CONFIRMED, "", "")


def test_another_file_or_one_before_the_upload_confirms_nothing(site, finish, settings):
    settings.CONFIRM_SECONDS = 0.5
    phone = site.phone(web_port=free_port(), sip_port=free_port(), line_user="1001")
    fetch(Deployment(mac=phone.mac))
    deployment = finish(deploy(phone=phone, profile=site.profile(content=NEW), actor=ACTOR))
    fetch(deployment, sip_file("1009"))
    deployment.refresh_from_db()
    assert deployment.state == State.FAILED


def test_an_older_deployment_of_the_same_file_is_not_what_a_fetch_confirms(asked, site, finish, settings):
    settings.CONFIRM_SECONDS = 0.5
    old = finish(asked())
    new = finish(deploy(phone=old.phone, profile=site.profile("Other", sip_file("1009")), actor=ACTOR))
    fetch(old)
    assert list(Deployment.objects.order_by("pk").values_list("state", flat=True)) == ["failed", "failed"]
    fetch(new, sip_file("1009"))
    assert list(Deployment.objects.order_by("pk").values_list("state", flat=True)) == ["failed", "confirmed"]


def test_a_restart_is_confirmed_by_a_fetch_of_any_file(site, finish):
    phone = site.phone(web_port=free_port(), line_user="1001")
    with sip_phone() as agent:
        phone.sip_port = agent.port
        phone.save()
        [deployment] = restart_many(phones=[phone], actor=ACTOR).deployments
        finish(deployment, until=lambda row: row.waiting_for)
    fetch(deployment, sip_file("1007"))
    deployment.refresh_from_db()
    assert deployment.state == State.CONFIRMED


@pytest.mark.parametrize("seconds", [300, -300])
def test_a_worker_whose_clock_is_wrong_still_sees_the_fetch(asked, finish, monkeypatch, seconds):
    """All of this process is wrong, and the database is not."""
    right = timezone.now
    monkeypatch.setattr(timezone, "now", lambda: right() + timedelta(seconds=seconds))
    assert abs(clock_skew().total_seconds() + seconds) < 1
    with sip_phone() as agent:
        deployment = finish(asked(agent.port), until=lambda row: row.state == State.RESTART_ACKNOWLEDGED)
    fetch(deployment)
    deployment.refresh_from_db()
    assert deployment.state == State.CONFIRMED
    for moment in (deployment.created_at, deployment.uploaded_at, deployment.finished_at):
        assert abs((moment - right()).total_seconds()) < 60


def test_readiness_tells_of_a_clock_that_is_wrong(client, db, monkeypatch):
    assert client.get("/readyz").json()["clock"] == "ok"
    right = timezone.now
    monkeypatch.setattr(timezone, "now", lambda: right() + timedelta(seconds=300))
    forget_everything()  # answers are good for a second
    assert client.get("/readyz").json()["clock"] == "300 s ahead of the database's"


@pytest.fixture
def confirmed(asked, finish):
    with sip_phone() as agent:
        deployment = finish(asked(agent.port), until=lambda row: row.state == State.RESTART_ACKNOWLEDGED)
    fetch(deployment)
    return deployment


@pytest.mark.parametrize(
    ("between", "state"),
    [
        pytest.param("", "rejected", id="nothing else"),
        pytest.param("CTLSEP{mac}.tlv", "rejected", id="trust list"),
        pytest.param("ITLFile.tlv", "rejected", id="trust list for all"),
        pytest.param("XMLDefault.cnf.xml", "rejected", id="file of phones without one"),
        pytest.param("SIPDefault.cnf", "rejected", id="file of all phones with text files"),
        pytest.param("SEP{mac}.cnf.xml.sgn", "rejected", id="its file, signed"),
        pytest.param("g3-tones.xml", "confirmed", id="companion"),
        pytest.param("English_United_States/be-sip.jar", "confirmed", id="companion in a folder"),
    ],
)
def test_what_is_asked_for_beside_the_file_tells_whether_it_was_accepted(confirmed, finish, between, state):
    for _ in range(3):
        if between:
            ask_for(between.format(mac=confirmed.mac))
        fetch(confirmed)
    finish(confirmed, until=lambda row: not row.waiting_for)
    assert confirmed.state == state


def test_a_companion_asked_for_in_the_end_takes_a_rejection_back(confirmed, finish):
    for _ in range(2):
        fetch(confirmed)
    assert finish(confirmed, until=lambda row: not row.waiting_for).state == State.REJECTED
    fetch(confirmed)
    ask_for("g3-tones.xml")
    confirmed.refresh_from_db()
    assert (confirmed.state, confirmed.error) == (State.CONFIRMED, "")


@pytest.mark.parametrize(("gap", "state"), [(45, State.REJECTED), (61, State.CONFIRMED)])
def test_longer_gaps_are_those_of_a_phone_that_starts(confirmed, finish, gap, state):
    now = timezone.now()
    began = now - timedelta(seconds=3 * gap)
    Deployment.objects.update(uploaded_at=began, restarted_at=began)
    FileFetch.objects.all().delete()
    for number in (2, 1):
        FileFetch.objects.create(
            mac=confirmed.mac,
            sha256=confirmed.sha256,
            size=1,
            address="127.0.0.1",
            fetched_at=now - timedelta(seconds=number * gap),
        )
    FileFetch.objects.update(protocol="http", file_name=f"SEP{confirmed.mac}.cnf.xml")
    fetch(confirmed)
    finish(confirmed, until=lambda row: not row.waiting_for)
    assert confirmed.state == state


def test_a_phone_that_is_switched_off_and_on_rejects_nothing(site, finish, no_inline_work):
    """Its file names no other file, and it asks for nothing else; its status page says how long it is up."""
    phone = site.phone()
    # Longer than the slack of `UPTIME_SLACK`, so that a boot is told from the fetch before it.
    with site.alive(phone, asks_around=False, boot_seconds=2.5) as fleet:
        deployment = finish(deploy(phone=phone, profile=site.profile(content=NEW), actor=ACTOR))
        fetches = FileFetch.objects.filter(mac=phone.mac, sha256=deployment.sha256)
        for times in range(2, 5):
            switch_off(fleet, phone.mac)
            switch_on(fleet, phone.mac)
            wait_for(lambda times=times: fetches.count() >= times)
        deployment.refresh_from_db()
        assert deployment.waiting_for
        finish(deployment, until=lambda row: not row.waiting_for)
    assert deployment.state == State.CONFIRMED
