"""What every kind of work gets: fairness, caps, rest after an error, and no harm from a lost lease.

The kind of work here sends no mail: it takes the rows of the table of mails, which have accounts and leases.
"""

import contextlib
import threading
import time
from collections import Counter
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import Error, connection, transaction
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from contacts_app.contacts.models.mail import Mail
from contacts_app.core.work import kind as kinds
from contacts_app.core.work.claim import Claims
from contacts_app.core.work.kind import Work, register
from contacts_app.core.work.lease import Fence, LeaseLost, lease_of, no_live_lease
from contacts_app.core.work.queue import PENALTY, run_queue
from contacts_app.core.work.wake import overdue, sweep
from tests.servers import wait_for

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("no_inline_work")]
QUEUE = "letters"


class Letters(Work):
    name = queue = QUEUE
    model = Mail
    account = "account"
    server = F("about")
    per_server = 2

    @classmethod
    def due(cls):
        # A state that real mail never has here, so that nothing else takes the rows.
        return Mail.objects.filter(no_live_lease(), state="letter", next_attempt_at__lte=timezone.now())

    @classmethod
    def threads(cls):
        return 4

    def do(self, keys):
        self.deliver(Mail.objects.get(pk=keys[0]))
        if not self.held(keys).update(state="done", lease_owner=""):
            raise LeaseLost


@pytest.fixture
def letters(monkeypatch):
    """Have letters delivered by a function: `letters(deliver)`."""
    monkeypatch.setattr(kinds, "_queues", dict(kinds._queues))

    def use(deliver):
        monkeypatch.setattr(Letters, "deliver", staticmethod(deliver), raising=False)
        register(Letters)

    return use


def write(account, number=1, server="", **fields) -> list[Mail]:
    due = {"state": "letter", "next_attempt_at": timezone.now()} | fields
    return Mail.objects.bulk_create(
        Mail(account=account, to="x@y.example", subject=str(index), about=server or f"{account}-{index}", **due)
        for index in range(number)
    )


@pytest.fixture
def in_background():
    stopping = threading.Event()

    def work():
        try:
            while not stopping.wait(0.05):
                run_queue(QUEUE, stopping.is_set)
        finally:
            connection.close()

    thread = threading.Thread(target=work)
    yield thread
    stopping.set()
    thread.join()


def test_where_looking_and_preparing_break_what_is_due_is_done(acme, letters, monkeypatch):
    def breaks(*_):
        raise RuntimeError("of one account's data")

    delivered = []
    letters(delivered.append)
    monkeypatch.setattr(Letters, "sweep", breaks)
    monkeypatch.setattr(Letters, "prepare", breaks)
    written = write(acme, 2)
    assert sweep() == 1, "the worker is nudged"
    assert run_queue(QUEUE) == 2
    assert {mail.pk for mail in delivered} == {mail.pk for mail in written}


def test_an_account_that_holds_every_thread_keeps_no_other_account_waiting(acme, other, letters, in_background):
    release, delivered = threading.Event(), []

    def deliver(mail):
        if mail.account_id == acme.pk:
            release.wait(180)
        delivered.append(mail.account_id)

    letters(deliver)
    write(acme, 20)
    in_background.start()
    try:
        wait_for(lambda: Mail.objects.filter(lease_owner__gt="").count() == Letters.threads())
        write(other, 3)
        wait_for(lambda: len(delivered) == 3)
        assert set(delivered) == {other.pk}
    finally:
        release.set()


def test_threads_are_shared_among_accounts_whoever_came_first(acme, other, letters):
    letters(lambda mail: None)
    write(acme, 10)
    write(other, 10)
    claims = Claims(Letters("worker"))
    while claims.take():
        pass
    held = Mail.objects.filter(lease_owner="worker")
    assert (held.filter(account=acme).count(), held.filter(account=other).count()) == (4, 1)
    # As threads of the first one end, the other one gets its half.
    for claim in list(claims._claims)[:2]:
        claims.take(after=claim)
    busy = [claim.accounts for claim in claims._claims]
    assert (busy.count(frozenset({acme.pk})), busy.count(frozenset({other.pk}))) == (2, 2)


def test_rows_of_no_account_get_their_share_as_those_of_one_do(acme, other, letters):
    letters(lambda mail: None)
    write(None, 10)
    write(acme, 10)
    write(other, 10)
    claims = Claims(Letters("worker"))
    while claims.take():
        pass
    busy = Counter(account for claim in claims._claims for account in claim.accounts)
    assert busy == {None: 4, acme.pk: 1, other.pk: 1}


def test_a_server_is_capped_and_the_rows_behind_it_are_reached(acme, letters):
    letters(lambda mail: None)
    write(acme, 50, server="slow")
    [quick] = write(acme, server="quick")
    claims = Claims(Letters("worker"))
    taken = [claims.take() for _ in range(3)]
    assert [set(claim.servers) for claim in taken] == [{"slow"}, {"slow"}, {"quick"}]
    assert taken[2].keys == [quick.pk]
    assert claims.take() is None


@pytest.mark.parametrize("due", [10, 1000])
def test_a_claim_takes_the_same_few_queries_however_much_is_due(acme, other, letters, due):
    letters(lambda mail: None)
    write(acme, due, server="slow")
    write(other, due)
    claims = Claims(Letters("worker"))
    with CaptureQueriesContext(connection) as queries:
        for _ in range(4):
            assert claims.take()
    work = [query for query in queries if query["sql"].startswith(("SELECT", "UPDATE"))]
    assert len(work) <= 4 * 3


def test_after_an_unexpected_error_a_row_rests_and_the_others_are_done(acme, letters):
    def deliver(mail):
        if mail.subject == "1":
            raise ValueError("a mistake of ours")

    letters(deliver)
    rows = write(acme, 3)
    assert run_queue(QUEUE) == 3
    states = dict(Mail.objects.values_list("subject", "state"))
    assert states == {"0": "done", "1": "letter", "2": "done"}
    rows[1].refresh_from_db()
    assert rows[1].lease_owner == ""
    assert rows[1].next_attempt_at > timezone.now() + PENALTY / 2
    assert run_queue(QUEUE) == 0


def test_who_lost_its_lease_changes_nothing(acme, letters):
    def deliver(mail):
        later = timezone.now() + timedelta(minutes=5)
        Mail.objects.filter(pk=mail.pk).update(lease_owner="somebody", lease_until=later)

    letters(deliver)
    [row] = write(acme)
    run_queue(QUEUE)
    row.refresh_from_db()
    assert (row.state, row.lease_owner) == ("letter", "somebody")
    assert row.next_attempt_at <= timezone.now()


def test_a_lease_is_renewed_while_the_work_lasts_and_ends_with_its_worker(acme, letters, settings):
    settings.LEASE_SECONDS = 0.4
    until = []

    def deliver(mail):
        first = mail.lease_until
        wait_for(lambda: Mail.objects.get(pk=mail.pk).lease_until > first + timedelta(seconds=0.4))
        until.append(first)

    letters(deliver)
    write(acme, lease_owner="dead", lease_until=timezone.now() - timedelta(seconds=1))
    assert run_queue(QUEUE) == 1
    assert len(until) == 1


def test_what_no_worker_takes_is_counted(acme, letters):
    letters(lambda mail: None)
    write(acme, 2, next_attempt_at=timezone.now() - timedelta(minutes=3))
    assert overdue(timedelta(minutes=2))[QUEUE] == 2
    assert sweep() == 2


@pytest.mark.skipif(settings.DATABASES["default"]["ENGINE"].endswith("sqlite3"), reason="SQLite cannot go away")
@pytest.mark.parametrize("words_of_the_database", [True, False])
def test_after_a_lost_connection_a_row_rests_for_a_moment_only(acme, letters, words_of_the_database):
    """Also where the loss comes out as another error, as it does in a transaction that goes on."""
    calls = []

    def deliver(mail):
        calls.append(mail.pk)
        if len(calls) > 1:
            return
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            [backend] = cursor.fetchone()
        with transaction.atomic():
            with contextlib.closing(connection.copy()) as other, other.cursor() as cursor:
                cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [backend])
            with contextlib.nullcontext() if words_of_the_database else contextlib.suppress(Error):
                Mail.objects.count()
            Mail.objects.count()

    letters(deliver)
    [row] = write(acme)
    run_queue(QUEUE)
    row.refresh_from_db()
    assert (row.state, row.lease_owner) == ("letter", "")
    assert row.next_attempt_at < timezone.now() + PENALTY / 10
    wait_for(lambda: run_queue(QUEUE))
    row.refresh_from_db()
    assert row.state == "done"


def test_a_fence_holds_while_the_lease_does(acme, settings):
    settings.LEASE_SECONDS = 0.8
    mine, other = write(acme, 2, lease_owner="me", lease_until=timezone.now() + timedelta(hours=1))
    fence = Fence(Mail.objects.filter(pk__in=[mine.pk, other.pk], lease_owner="me"))
    assert fence.holds(mine.pk)
    Mail.objects.filter(pk=mine.pk).update(lease_owner="somebody")
    wait_for(lambda: not fence.holds(mine.pk))
    assert fence.holds(other.pk)


def test_a_fence_asks_once_for_all_and_trusts_no_lease_that_ends_soon(acme, settings):
    settings.LEASE_SECONDS = 80
    mine, other = write(acme, **lease_of("me")) + write(
        acme, lease_owner="me", lease_until=timezone.now() + timedelta(seconds=5)
    )
    fence = Fence(Mail.objects.filter(pk__in=[mine.pk, other.pk], lease_owner="me"))
    assert fence.holds(mine.pk)
    with CaptureQueriesContext(connection) as queries:
        # Within the ten seconds for which the answer is good it would end.
        assert not fence.holds(other.pk)
    assert len(queries) == 0


def test_a_fence_knows_of_a_row_that_was_just_read(acme, settings):
    settings.LEASE_SECONDS = 80
    mine, ends_soon = write(acme, **lease_of("me")) + write(
        acme, lease_owner="me", lease_until=timezone.now() + timedelta(seconds=5)
    )
    held = Mail.objects.filter(lease_owner="me")
    fences = [Fence(held, row, time.monotonic()) for row in (mine, ends_soon)]
    with CaptureQueriesContext(connection) as queries:
        assert fences[0].holds(mine.pk)
    assert len(queries) == 0
    assert not fences[1].holds(ends_soon.pk)
    Mail.objects.filter(pk=mine.pk).update(lease_owner="somebody")
    assert not Fence(held, mine, time.monotonic() - settings.LEASE_SECONDS).holds(mine.pk), "long ago"


def test_a_long_look_that_found_nothing_is_not_repeated_at_once(acme, letters, monkeypatch):
    letters(lambda mail: None)
    monkeypatch.setattr("contacts_app.core.work.claim.QUICK", 0.0)
    monkeypatch.setattr("contacts_app.core.work.claim.SHARE", 1_000_000)
    claims = Claims(Letters("worker"))
    assert claims.take(may_rest=True) is None
    [late] = write(acme)
    assert claims.take(may_rest=True) is None
    assert claims.take().keys == [late.pk], "who has nothing else to do looks"


def test_a_worker_learns_which_rows_another_one_was_in_the_middle_of(acme, letters):
    letters(lambda mail: None)
    dead, fresh = write(acme, lease_owner="dead", lease_until=timezone.now() - timedelta(seconds=1)) + write(acme)
    claims = Claims(Letters("worker"))
    taken = [claims.take(), claims.take()]
    assert {key for claim in taken for key in claim.keys} == {dead.pk, fresh.pk}
    assert claims.work.taken_over == {dead.pk}
    for claim in taken:
        claims.end(claim)
    assert claims.work.taken_over == set()


@pytest.mark.parametrize("holder", ["worker", ""], ids=["lease run out", "done by another worker and due again"])
def test_what_a_thread_of_this_process_is_in_is_not_claimed_by_another_one(acme, letters, holder):
    """Of a process that was stopped for longer than its leases: the same owner holds no row in two threads."""
    letters(lambda mail: None)
    [first] = write(acme)
    claims = Claims(Letters("worker"))
    claim = claims.take()
    assert claim.keys == [first.pk]
    Mail.objects.update(lease_owner=holder, lease_until=timezone.now() - timedelta(seconds=1))
    assert claims.take() is None
    [second] = write(acme)
    assert claims.take().keys == [second.pk]
    assert claims.take(after=claim).keys == [first.pk]
