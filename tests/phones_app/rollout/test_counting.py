"""Large rollouts: their numbers are kept for a while, their pages stay quick, and counting does not grow out of hand."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from contacts_app.core.database import hash_joins
from contacts_app.core.work import clock
from phones_app.deployment.models import Deployment, State
from phones_app.inventory.models import Phone
from phones_app.rollout import counting, planning
from phones_app.rollout import rollout as rollouts
from phones_app.rollout.models import Rollout, RolloutCount, RolloutMember
from phones_app.rollout.progress import progress_of
from tests.admin_people import at_desk

pytestmark = pytest.mark.django_db
PHONES = 60
MANY = 600
COUNTS = 'COUNT("phones_app_deployment"."id") FILTER'
MEMBERS = '"phones_app_rolloutmember"'


@pytest.fixture
def rollout(acme, monkeypatch):
    """A large one, as it were, in two waves: of the first are ten confirmed, two failed and the rest under way."""
    monkeypatch.setattr(counting, "FEW", 0)
    rows = Phone.objects.bulk_create(Phone(mac=f"02{n:010X}", account=acme) for n in range(PHONES))
    made = Rollout.objects.create(account=acme, total=PHONES, wave=1, waves=2, requested_by="x", channel="x")
    now = clock.now()
    ended = {**dict.fromkeys(range(10), "confirmed"), **dict.fromkeys(range(10, 12), "failed")}
    deployments = Deployment.objects.bulk_create(
        Deployment(
            account=acme, phone=phone, mac=phone.mac, state=ended.get(n, State.UPLOADING if n < 30 else State.QUEUED),
            requested_by="x", channel="x", finished_at=now if n in ended else None,
            next_attempt_at=now if n < 30 else None, error_code="login" if n in (10, 11) else "", started_at=now,
        )
        for n, phone in enumerate(rows)
    )  # fmt: skip
    RolloutMember.objects.bulk_create(
        RolloutMember(rollout=made, deployment=row, wave=1 if n < 30 else 2) for n, row in enumerate(deployments)
    )
    return made


def rows_on(desk, page) -> int:
    return desk.get(page).content.decode().partition('class="pb-rows"')[2].partition("</ul>")[0].count("<li>")


def counted(queries) -> int:
    return sum(COUNTS in query["sql"] and MEMBERS in query["sql"] for query in queries)


def test_workers_count_a_large_rollout_once_in_a_while(rollout):
    with CaptureQueriesContext(connection) as queries:
        for _ in range(5):
            rollouts.advance(rollout.pk)
    assert counted(queries) == 1
    RolloutCount.objects.update(next_at=clock.now())
    with CaptureQueriesContext(connection) as queries:
        rollouts.advance(rollout.pk)
    assert counted(queries) == 1


def test_a_small_one_is_counted_whenever_somebody_asks(rollout, monkeypatch):
    monkeypatch.setattr(counting, "FEW", PHONES)
    assert progress_of(rollout).counted_at is None
    Deployment.objects.filter(state="failed").update(state="confirmed")
    assert (progress_of(rollout).parts["failed"], RolloutCount.objects.count()) == (0, 0)


def test_how_long_it_takes_is_not_said_while_an_upload_is_tried_again(rollout):
    assert progress_of(rollout).remaining is not None
    away = Deployment.objects.filter(state=State.UPLOADING)
    Deployment.objects.filter(pk=away.earliest("pk").pk).update(waiting_for="the file server: refused")
    assert progress_of(rollout).remaining is not None, "as it was counted before"
    RolloutCount.objects.all().delete()
    assert progress_of(rollout).remaining is None
    away.update(waiting_for="")
    RolloutCount.objects.all().delete()
    assert progress_of(rollout).remaining is not None


def test_numbers_of_a_wave_before_are_not_those_of_the_present_one(rollout):
    Deployment.objects.filter(state=State.UPLOADING).update(state="confirmed", finished_at=clock.now())
    rollouts.advance(rollout.pk)
    rollout.refresh_from_db()
    assert rollout.wave == 2
    rollouts.advance(rollout.pk)
    assert not Deployment.objects.filter(finished_at=None, next_attempt_at=None).exists()
    rollout.refresh_from_db()
    assert rollout.is_open
    Deployment.objects.filter(state=State.QUEUED).update(state="confirmed", finished_at=clock.now())
    RolloutCount.objects.update(next_at=clock.now())
    rollouts.advance(rollout.pk)
    rollout.refresh_from_db()
    assert (rollout.state, progress_of(rollout).parts["confirmed"]) == ("finished", 58)


def test_its_page_tells_the_age_and_counts_nothing(root, rollout):
    desk, page = at_desk(root), f"/admin/phones_app/rollout/{rollout.pk}/change/"
    assert progress_of(rollout).counted_at is None, "the first one to ask counts"
    RolloutCount.objects.update(counted_at=clock.now() - timedelta(minutes=3))
    with CaptureQueriesContext(connection) as queries:
        html = desk.get(page).content.decode()
    assert counted(queries) == 0
    assert "counted <time" in html
    assert "3\xa0minutes ago" in html
    assert rows_on(desk, f"{page}?page=3") == 10, "the last of the third page"
    for narrowed, phones in (("part=failed", 2), ("code=login", 2), ("part=confirmed", 10), ("part=held_back", 25)):
        assert rows_on(desk, f"{page}?{narrowed}") == phones, narrowed


def test_where_nobody_counts_the_page_does(root, rollout):
    progress_of(rollout)
    Deployment.objects.filter(state="failed").update(state="confirmed")
    assert progress_of(rollout).parts["failed"] == 2
    RolloutCount.objects.update(next_at=clock.now() - 2 * counting.NOBODY)
    assert progress_of(rollout).parts["failed"] == 0


def test_the_sweep_counts_those_that_nobody_moves_on(rollout):
    rollouts.pause(rollout)
    progress_of(rollout)
    Deployment.objects.filter(state="failed").update(state="confirmed")
    RolloutCount.objects.update(next_at=clock.now())
    planning.RolloutPlannings.sweep()
    assert progress_of(rollout).parts["confirmed"] == 12
    rollouts.cancel(rollout)
    assert RolloutCount.objects.get().next_at <= clock.now(), "its numbers are others at once"


@pytest.mark.skipif(connection.vendor != "postgresql", reason="is about PostgreSQL's plans")
def test_rows_without_statistics_are_not_compared_each_with_each(rollout):
    rows = rollout.deployments_to_count().filter(in_rollout__wave=1)
    with hash_joins():
        assert "Nested Loop" not in rows.explain()
    with connection.cursor() as cursor:
        cursor.execute("SHOW enable_nestloop")
        assert cursor.fetchone() == ("on",)


@pytest.mark.skipif(connection.vendor != "postgresql", reason="is about PostgreSQL's plans")
@pytest.mark.parametrize("move", ["let go", "let go within limits", "hold back", "end"])
def test_moving_all_phones_compares_none_with_each(rollout, acme, move):
    """Also where statistics are of a time when nothing was open, and know nothing of this rollout."""
    made = Rollout.objects.create(account=acme, total=MANY, wave=1, waves=1, requested_by="x", channel="x")
    with connection.cursor() as cursor:
        Deployment.objects.update(state=State.CONFIRMED, finished_at=clock.now())
        cursor.execute("ANALYZE phones_app_deployment, phones_app_rolloutmember")
        due = None if move.startswith("let go") else clock.now()
        if move.endswith("limits"):
            made.server_limit = MANY
            made.save()
        rows = Phone.objects.bulk_create(Phone(mac=f"04{n:010X}", account=acme) for n in range(MANY))
        deployments = Deployment.objects.bulk_create(
            Deployment(account=acme, phone=phone, mac=phone.mac, next_attempt_at=due) for phone in rows
        )
        RolloutMember.objects.bulk_create(RolloutMember(rollout=made, deployment=row, wave=1) for row in deployments)
        before = members_read(cursor)
        if move == "hold back":
            rollouts.pause(made)
        elif move == "end":
            rollouts.cancel(made)
        else:
            rollouts.advance(made.pk)
        assert members_read(cursor) - before < 20 * MANY
    moved = {"hold back": {"next_attempt_at": None}, "end": {"state": State.CANCELLED}}
    assert made.deployments.filter(**moved.get(move, {"next_attempt_at__isnull": False})).count() == MANY


def members_read(cursor) -> int:
    """How many entries of the members of rollouts this transaction has read, in the table and in its indexes."""
    cursor.execute(
        "SELECT sum(pg_stat_get_xact_tuples_returned(oid)) FROM pg_class WHERE relname LIKE '%%rolloutmember%%' "
        "OR relname LIKE 'rollout_member%%'"
    )
    return int(cursor.fetchone()[0])
