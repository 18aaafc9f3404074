"""The first page of the admin: every number is right, leads to as many rows, and is the reader's own."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from contacts_app.core.tally import service
from contacts_app.core.tally.models import Tally
from contacts_app.core.work import clock
from contacts_app.core.work.queue import run_queue
from contacts_app.people.models import User
from phones_app.deployment.models import Deployment, LastDeployment, PhoneFile
from phones_app.inventory.models import Phone
from phones_app.rollout.models import Rollout
from phones_app.tallies import DEPLOYMENTS, PHONES
from profiles_app.events.models.setup import Callback
from tests.admin_people import at_desk, clerk

pytestmark = pytest.mark.django_db
PAGE = "/admin/"
NUMBER = re.compile(r'<a href="([^"]+)"><span class="pb-dot[^>]*></span><strong>(\d+)</strong> <span>([^<]*)</span>')


@pytest.fixture
def fleet(acme, other):
    """Acme: 2 confirmed, 1 failed, 1 new phone, a paused rollout, a disabled callback. Other: 1 failed phone."""
    macs = iter(f"0200000000{number:02X}" for number in range(99))

    def phone(account, state: str = "", **fields) -> Phone:
        one = Phone.objects.create(mac=next(macs), account=account, **fields)
        if state:
            last = Deployment.objects.create(
                account=account, phone=one, mac=one.mac, state=state, requested_by="x", channel="x",
                next_attempt_at=timezone.now(), finished_at=timezone.now(),
                error_code="login" if state == "failed" else "",
            )  # fmt: skip
            LastDeployment.objects.create(phone=one, deployment=last)
        return one

    phones = [phone(acme, state, presence="reachable") for state in ("confirmed", "confirmed", "failed", "")]
    for one, state in zip(phones, ("in_place", "changed"), strict=False):
        now = timezone.now()
        PhoneFile.objects.create(
            phone=one, sha256="0" * 64, state=state, uploaded_at=now, state_since=now, next_check_at=now
        )
    phone(other, "failed", presence="unreachable")
    Rollout.objects.create(account=acme, name="Spring", state="paused", total=4, requested_by="x", channel="x")
    Callback.objects.create(account=acme, name="Dead", enabled=False, config={"url": "https://hooks.example.org"})


def numbers_on(desk) -> dict[str, tuple[int, str]]:
    html = desk.get(PAGE).content.decode()
    return {label: (int(count), url.replace("&amp;", "&")) for url, count, label in NUMBER.findall(html)}


def test_staff_of_an_account_see_their_own_fleet(acme, fleet):
    desk = at_desk(clerk(acme))
    told = numbers_on(desk)
    assert {label: count for label, (count, _) in told.items()} == {
        "confirmed": 2, "failed": 1, "not deployed": 1, "reachable": 4, "login": 1, "disabled": 1,
        "running or paused": 1, "failed in all": 1, "in place": 1, "changed elsewhere": 1,
    }  # fmt: skip
    html = desk.get(PAGE).content.decode()
    assert "Spring" in html
    assert "Paused, 0 of 4 phones" in html


def test_staff_of_the_portal_see_everything(root, fleet):
    told = numbers_on(at_desk(root))
    assert (told["failed"][0], told["unreachable"][0], told["login"][0]) == (2, 1, 2)


def test_each_number_leads_to_as_many_rows(root, fleet):
    desk = at_desk(root)
    told = numbers_on(desk)
    assert told
    for label, (count, url) in told.items():
        rows = desk.get(url).context["cl"].result_count
        assert rows == count, (label, url)


def test_the_chart_leads_to_the_list_of_its_day(root, fleet):
    desk = at_desk(root)
    columns = re.findall(r'<a href="([^"]+)" title="[^"]*: ([^"]*)"', desk.get(PAGE).content.decode())
    url, told = columns[-1]
    assert told == "2 confirmed, 2 failed"
    assert desk.get(url.replace("&amp;", "&")).context["cl"].result_count == 4
    assert [told for _, told in columns[:-1]] == ["nothing"] * 13


def test_numbers_and_lists_are_about_the_same_days_and_states(root, fleet):
    desk, rows = at_desk(root), Deployment.objects.filter(state="failed").order_by("pk")
    midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    first, second = rows.values_list("pk", flat=True)
    Deployment.objects.filter(state="confirmed").update(state="superseded")
    Deployment.objects.filter(pk=first).update(created_at=midnight - timedelta(days=6))
    Deployment.objects.filter(pk=second).update(created_at=midnight - timedelta(days=6, seconds=1))
    told = numbers_on(desk)
    assert (told["login"][0], told["failed in all"][0]) == (1, 1)
    assert desk.get(told["login"][1]).context["cl"].result_count == 1
    for url, label in re.findall(r'<a href="([^"]+)" title="[^"]*: ([^"]*)"', desk.get(PAGE).content.decode()):
        counted = sum(map(int, re.findall(r"\d+", label)))
        assert desk.get(url.replace("&amp;", "&")).context["cl"].result_count == counted, (url, label)


def test_more_rollouts_than_are_shown_are_counted(root, acme, fleet):
    Rollout.objects.bulk_create(
        Rollout(account=acme, name=f"No. {n}", total=1, requested_by="x", channel="x") for n in range(9)
    )
    desk = at_desk(root)
    count, url = numbers_on(desk)["running or paused"]
    assert (count, desk.get(url).context["cl"].result_count) == (10, 10)
    assert desk.get(PAGE).content.count(b"of 1 phones") == 5


def test_somebody_without_permissions_is_shown_nothing(acme, fleet):
    desk = at_desk(User.objects.create_user("new@acme.example", "correct horse", account=acme, is_staff=True))
    assert numbers_on(desk) == {}
    assert desk.get(PAGE).status_code == 200


def test_the_page_asks_the_database_as_often_for_many_rows_as_for_few(root, acme, fleet, django_assert_num_queries):
    desk = at_desk(root)
    clock.now()  # which is asked once a minute
    with CaptureQueriesContext(connection) as few:
        desk.get(PAGE)
    Phone.objects.bulk_create(Phone(mac=f"0400000000{n:02X}", account=acme) for n in range(50))
    with django_assert_num_queries(len(few)):
        desk.get(PAGE)


@pytest.fixture
def kept(monkeypatch, fleet):
    """However quickly rows are counted, workers count them, and have."""
    monkeypatch.setattr(service, "SLOW", -1.0)
    count_all()


def count_all() -> None:
    service.Tallies.sweep()
    Tally.objects.filter(account=service.ALL).update(due_at=clock.now())
    assert service.Tallies.sweep() == run_queue("tallies") == 3


@pytest.mark.django_db(transaction=True)
def test_what_takes_long_to_count_workers_have_counted(root, acme, other, kept, monkeypatch):
    """The same numbers as without, each reader's own, with their age, until they are counted again."""
    desks = {None: at_desk(root), acme: at_desk(clerk(acme)), other: at_desk(clerk(other, "clerk@other.example"))}
    then = {account: numbers_on(desk) for account, desk in desks.items()}
    assert then[acme]["confirmed"][0] == 2
    assert (then[None]["failed"][0], then[acme]["failed"][0], then[other]["failed"][0]) == (2, 1, 1)
    assert "confirmed" not in then[other]
    Tally.objects.update(counted_at=clock.now() - timedelta(minutes=5))
    assert "Counted <time" in desks[acme].get(PAGE).content.decode()
    Deployment.objects.filter(account=acme, state="failed").update(state="confirmed")
    assert {account: numbers_on(desk) for account, desk in desks.items()} == then
    count_all()
    assert numbers_on(desks[acme])["confirmed"][0] == numbers_on(desks[None])["confirmed"][0] == 3
    assert "failed" not in numbers_on(desks[acme])
    kept_ones = {account: numbers_on(desk) for account, desk in desks.items()}
    monkeypatch.setattr(service, "SLOW", 3600.0)
    assert {account: numbers_on(desk) for account, desk in desks.items()} == kept_ones
    assert "Counted <time" not in desks[acme].get(PAGE).content.decode()


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_dies_while_it_counts_leaves_the_numbers_as_they_were(root, acme, kept):
    desk = at_desk(root)
    then = numbers_on(desk)
    Deployment.objects.filter(state="failed").update(state="confirmed")
    Tally.objects.update(due_at=clock.now())

    def dies(execute, sql, params, many, context):
        if sql.startswith("INSERT"):
            raise KeyboardInterrupt
        return execute(sql, params, many, context)

    for counting in (PHONES, DEPLOYMENTS):
        with pytest.raises(KeyboardInterrupt), connection.execute_wrapper(dies):
            counting.count()
    assert numbers_on(desk) == then
    assert Tally.objects.filter(name="phones").count() == 3
    count_all()
    assert numbers_on(desk)["confirmed"][0] == 4


@pytest.mark.django_db(transaction=True)
def test_an_account_without_rows_has_no_numbers_left(root, acme, other, kept):
    Phone.objects.filter(account=other).delete()
    count_all()
    assert set(Tally.objects.filter(name="phones").values_list("account", flat=True)) == {service.ALL, acme.pk}
    assert numbers_on(at_desk(clerk(other, "clerk@other.example"))).keys() <= {"failed in all", "login"}


@pytest.mark.django_db(transaction=True)
def test_they_are_counted_so_seldom_that_it_takes_little_of_the_time(kept):
    assert service.Tallies.sweep() == run_queue("tallies") == 0
    [row] = Tally.objects.filter(name="phones", account=service.ALL)
    assert row.due_at - row.counted_at >= service.OFTENEST
