"""What prune_history deletes by the settings: deployments with their steps, whole rollouts, fetches; and what stays."""

from datetime import timedelta

import pytest
from django.utils import timezone

from phones_app.boot.models import FileFetch
from phones_app.deployment.models import Deployment, DeploymentStep, LastDeployment
from phones_app.inventory.models import Phone
from phones_app.rollout.models import Rollout, RolloutMember
from tests.commands import run

pytestmark = pytest.mark.django_db
LONG_AGO = timezone.now() - timedelta(days=400)


@pytest.fixture
def phone(acme) -> Phone:
    return Phone.objects.create(mac="020000000001", account=acme)


def deployment(phone: Phone, *, last: bool = False, rollout: Rollout | None = None, open: bool = False) -> Deployment:
    """An old one with a step."""
    row = Deployment.objects.create(
        account=phone.account, phone=None if open else phone, mac=phone.mac, state="confirmed", requested_by="x",
        channel="x", created_at=LONG_AGO, finished_at=None if open else LONG_AGO,
    )  # fmt: skip
    DeploymentStep.objects.create(deployment=row, kind="upload", started_at=LONG_AGO)
    if last:
        LastDeployment.objects.create(phone=phone, deployment=row)
    if rollout:
        RolloutMember.objects.create(rollout=rollout, deployment=row, wave=1)
    return row


def rollout(phone: Phone, *, finished: bool = True) -> Rollout:
    row = Rollout.objects.create(account=phone.account, total=1, requested_by="x", channel="x", state="finished")
    finished_at = LONG_AGO if finished else None
    Rollout.objects.filter(pk=row.pk).update(created_at=LONG_AGO, finished_at=finished_at)
    return row


def pruned(*arguments: object) -> dict[str, int]:
    ran = run("prune_history", *arguments, "--json")
    assert ran.status == 0, ran.err
    return {row["what"]: row["deleted"] for row in ran.rows}


def test_old_deployments_go_with_their_steps_and_rollouts_as_a_whole(phone):
    other = Phone.objects.create(mac="020000000002", account=phone.account)
    deployment(phone)
    deployment(phone, rollout=rollout(phone))
    kept = [
        deployment(phone, last=True),
        deployment(phone, open=True),
        # A rollout of which one phone still has its last deployment stays whole, but for its steps.
        (partly := deployment(phone, rollout=(whole := rollout(phone)))),
        deployment(other, rollout=whole, last=True),
        deployment(phone, rollout=rollout(phone, finished=False)),
    ]
    expected = {"deployments": 2, "steps": 4, "rollouts": 1, "log-ins": 0}
    assert expected.items() <= pruned("--dry-run").items()
    assert expected.items() <= pruned().items()
    assert set(Deployment.objects.all()) == set(kept)
    assert whole.members.count() == 2
    assert list(partly.steps.all()) == []
    assert DeploymentStep.objects.count() == 3
    assert set(pruned().values()) == {0}


def test_settings_say_for_how_long_and_zero_is_for_ever(phone, settings):
    settings.KEEP_DEPLOYMENTS_DAYS = 500.0
    deployment(phone)
    assert pruned()["deployments"] == 0
    settings.KEEP_DEPLOYMENTS_DAYS = 0.0
    assert "deployments" not in pruned()
    assert pruned("--older-than", 399)["deployments"] == 1


def test_a_fetch_shows_where_a_phone_is_for_thirty_days(phone):
    for days in (1, 30, 40):
        FileFetch.objects.create(
            mac=phone.mac, file_name="x", sha256="", size=1, address="127.0.0.1", protocol="http",
            fetched_at=timezone.now() - timedelta(days=days),
        )  # fmt: skip
    assert pruned("--older-than", 1)["fetches"] == 1
    assert FileFetch.objects.count() == 2


def test_the_doctor_tells_when_nobody_prunes(phone):
    deployment(phone)
    found = {row["code"]: row["message"] for row in run("doctor", "--json").rows}
    assert found["not-pruned"] == "1 deployments are older than KEEP_DEPLOYMENTS_DAYS (365.0) says."
    pruned()
    assert "not-pruned" not in [row["code"] for row in run("doctor", "--json").rows]
