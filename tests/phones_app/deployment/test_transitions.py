"""The state machine: its table of arrows, its only writer, and that one and many leave the same behind."""

import ast
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from django.utils import timezone

from contacts_app.core.work.claim import Claims
from phones_app.deployment import arrows, transitions
from phones_app.deployment.admin.deployment import timeline
from phones_app.deployment.batch import upload_batch
from phones_app.deployment.models import Deployment, PhoneFile, State, StepState
from phones_app.deployment.record import Kind, Note
from phones_app.deployment.request import deploy_many
from phones_app.deployment.run import UploadBatches
from phones_app.mobility.services import open_service_session
from phones_app.servers.models import FileServer
from phones_app.transports.ftp.pool import FtpPool
from profiles_app.events.models.outbox import Event
from tests.phones_app.site import ACTOR, sip_file
from tests.servers import free_port

ROOT = Path(__file__).resolve().parents[3]
WRITER = ROOT / "phones_app/deployment/transitions.py"
# What a single row is called where it would be changed and saved.
STATES_OF_DEPLOYMENTS = ("deployment.state", "row.state", "last.state", "newest.state")
# Rows of other tables that have a state too say so by the name of its choices.
OTHER_STATES = ("FileState", "StepState", "SessionState", "CopyState")
MAKES = tuple(f".Deployment.objects.{name}" for name in ("create", "bulk_create", "bulk_update", "get_or_create"))


def writes_of_state(path: Path) -> Iterator[str]:
    """Where the file makes a Deployment, or changes a `state` that may be a deployment's."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Assign):
            yield from (text for text in map(ast.unparse, node.targets) if text.endswith(STATES_OF_DEPLOYMENTS))
        if not isinstance(node, ast.Call):
            continue
        text = ast.unparse(node)
        function = ast.unparse(node.func)
        if function == "Deployment" or f".{function}".endswith(MAKES):
            yield text
        elif function.endswith(("update", "update_unlocked", "update_recorded", "update_returning")):
            yield from (
                text
                for word in node.keywords
                if word.arg == "state" and not ast.unparse(word.value).startswith(OTHER_STATES)
            )


def test_nobody_else_writes_a_deployments_state():
    files = [path for path in ROOT.glob("phones_app/**/*.py") if path != WRITER]
    assert len(files) > 100
    assert {path.name: found for path in files if (found := list(writes_of_state(path)))} == {}
    assert len(list(writes_of_state(WRITER))) >= 2, "the test finds what it looks for"


def test_every_arrow_starts_where_one_ends_and_every_other_state_is_an_end():
    assert set(arrows.ARROWS) == set(State) - {State.SUPERSEDED}
    # What has ended is changed by evidence alone.
    ended = (State.FAILED, State.CANCELLED, State.REJECTED)
    assert {arrows.ARROWS[state] for state in ended} == {(State.CONFIRMED,)}
    reached = {state for following in arrows.ARROWS.values() for state in following}
    assert reached == set(State) - {State.QUEUED}


@pytest.fixture
def claimed(db, acme) -> list[Deployment]:
    """Three deployments in the hands of a worker."""
    rows = [
        transitions.requested(account=acme, mac=f"02000000000{n}", requested_by="x", channel="x", lease_owner="us")
        for n in range(3)
    ]
    return Deployment.objects.bulk_create(rows)


def states() -> list[str]:
    return list(Deployment.objects.order_by("mac").values_list("state", flat=True))


def test_a_step_out_of_order_is_a_mistake_in_the_program(claimed):
    with pytest.raises(ValueError, match="no arrow leads from queued to confirmed"):
        transitions.confirmed({claimed[0]: {"kind": "came-back"}})
    assert states() == ["queued"] * 3


def test_of_a_set_those_move_that_are_still_the_workers_and_in_their_state(claimed):
    taken, ended, ours = claimed
    Deployment.objects.filter(pk=taken.pk).update(lease_owner="another")
    Deployment.objects.filter(pk=ended.pk).update(state="superseded", finished_at=timezone.now())
    assert transitions.started(claimed) == [ours]
    assert states() == ["queued", "superseded", "uploading"]
    assert (taken.state, ours.state) == ("queued", "uploading")
    assert [step.deployment for step in ours.steps.all()] == [ours]


def test_what_was_lost_leaves_no_trace(claimed):
    Deployment.objects.update(lease_owner="another")
    note = Note(Kind.UPLOAD, StepState.FAILED, "530 Login incorrect")
    assert transitions.failed(dict.fromkeys(claimed, note), code="login") == []
    assert states() == ["queued"] * 3
    assert not Event.objects.filter(data_type="deployment").exists()
    assert not claimed[0].steps.exists()


def test_what_a_worker_holds_is_not_cancelled_by_others(claimed):
    Deployment.objects.update(lease_until=timezone.now() + timezone.timedelta(minutes=1))
    assert transitions.cancelled(Deployment.objects.all()) == 0
    assert transitions.cancelled(Deployment.objects.all(), owner="us", error="Stopped.", code="stopped") == 3
    assert set(Deployment.objects.values_list("state", "error_code", "lease_owner")) == {("cancelled", "stopped", "")}


# Keys, times and which phone it is; and how the row got to its worker.
TIMES = {"id", "uuid", "mac", "phone", "deployment"} | {
    f"{what}_at" for what in ("created", "started", "uploaded", "restarted", "finished", "next_attempt")
}
OWN = TIMES | {"lease_owner", "lease_until", "in_batch"}
# Times; and whether the phone fetched its file before the worker had looked for that.
OF_THE_MOMENT = ("at", "seconds", "backup", "had_status_page")


def told(row, *, without: set[str]) -> dict:
    fields = [field.name for field in row._meta.concrete_fields if field.name not in without]
    return {name: getattr(row, name) for name in fields}


def lasting(values: dict) -> dict:
    return {name: value for name, value in values.items() if name not in OF_THE_MOMENT}


def left_by(deployment: Deployment) -> str:
    """All that a deployment has left behind so far, apart from keys, times and which phone it is."""
    phone, name = deployment.phone, f"SEP{deployment.mac}"
    row = told(deployment, without=OWN) | {"evidence": lasting(deployment.evidence)}
    # What was said on the wire names ports, and in a batch the next file; here it counts that it was kept.
    steps = [
        told(step, without=TIMES)
        | {"detail": lasting(step.detail), "request": bool(step.request), "answer": bool(step.answer)}
        for step in deployment.steps.order_by("pk")
    ]
    file = told(
        PhoneFile.objects.get(phone=phone),
        without={"phone", "uploaded_at", "state_since", "checked_at", "next_check_at"},
    )
    history = [
        (past.history_type, past.history_changes, past.history_actor, past.history_channel, past.history_change_reason)
        for past in phone.history.all()
        if "current_profile" in past.history_changes
    ]
    events = [
        (event.tags, {key: value for key, value in event.data.items() if key not in ("uuid", "mac")})
        for event in Event.objects.order_by("pk")
        if event.data.get("uuid") == str(deployment.uuid)
    ]
    text = repr({"row": row, "steps": steps, "file": file, "events": events, "history": history})
    return text.replace(name, "its name").replace(str(deployment.uuid), "its uuid")


@pytest.mark.django_db(transaction=True)
def test_one_by_one_and_in_batches_leave_the_same(site, finish, no_inline_work):
    """Two of four phones with the same files, one of each two logged in; up to the restart and to the end."""
    phones, profile = [site.phone() for _ in range(4)], site.profile(content=sip_file("1002"))
    for phone in phones[::2]:
        open_service_session(phone=phone, user=site.owner, address="127.0.0.1")
    with site.alive(*phones), closing(FtpPool()) as pool:
        asked = deploy_many(phones=phones, profile=profile, actor=ACTOR).deployments
        batch, single = asked[:2], asked[2:]
        Deployment.objects.filter(pk__in=[row.pk for row in batch]).update(in_batch=True)
        claim = Claims(UploadBatches("worker")).take()
        uploaded = [key for keys in upload_batch(claim.keys, "worker", pool) for key in keys]
        assert sorted(uploaded) == [row.pk for row in batch]
        for row in batch:
            row.refresh_from_db()
        assert {row.state for row in batch} == {State.SESSION_CLEARED}
        Deployment.objects.update(lease_owner="")
        for row in asked:
            finish(row)
            assert row.state == State.CONFIRMED, row.error
    for one, other in zip(batch, single, strict=True):
        assert left_by(one) == left_by(other)
    assert "Logged out of the service menu." in left_by(batch[0])
    assert "Deployment its uuid" in left_by(batch[1])


@pytest.mark.django_db(transaction=True)
def test_what_a_batch_has_left_undone_is_finished_one_by_one(site, finish, no_inline_work):
    """While a batch runs the state alone says that files are uploaded; what goes wrong there leaves the same behind."""
    phones, profile = [site.phone() for _ in range(4)], site.profile(content=sip_file("1002"))
    with site.alive(*phones), closing(FtpPool()) as pool:
        asked = deploy_many(phones=phones, profile=profile, actor=ACTOR).deployments
        batch, single = asked[:2], asked[2:]
        Deployment.objects.filter(pk__in=[row.pk for row in batch]).update(in_batch=True)
        FileServer.objects.update(port=free_port())
        claim = Claims(UploadBatches("worker")).take()
        left = [key for keys in upload_batch(claim.keys, "worker", pool) for key in keys]
        assert sorted(left) == [row.pk for row in batch]
        for row in batch:
            row.refresh_from_db()
            [first, second, *_] = timeline(row, for_staff=True)["steps"]
            assert (row.state, first.state, second.state) == (State.UPLOADING, StepState.RUNNING, "")
        FileServer.objects.update(port=site.files.ftp_port)
        Deployment.objects.update(lease_owner="")
        for row in asked:
            finish(row)
            assert row.state == State.CONFIRMED, row.error
    for one, other in zip(batch, single, strict=True):
        assert left_by(one) == left_by(other)
