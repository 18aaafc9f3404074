"""The inventory's list: found in any spelling, filtered by what happened last, and as cheap for 100 rows as for 25."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from phones_app.deployment.models import Deployment, LastDeployment

LIST = reverse("admin:phones_app_phone_changelist")
pytestmark = pytest.mark.django_db


def macs_on(answer) -> list[str]:
    assert answer.status_code == 200
    return [phone.mac for phone in answer.context["cl"].result_list]


@pytest.mark.parametrize(
    "spelling",
    [
        "aabb.ccdd.ee01", "AA:BB:CC:DD:EE:01", "aa-bb-cc-dd-ee-01", "aa bb cc dd ee 01", "SEPAABBCCDDEE01",
        "sepaabbccddee01", "SEPAABBCCDDEE01.cnf.xml", "AABBCCDDEE01", "ee:01", "DD:EE:01", "ccdd.ee", "SEPAABB",
    ],
)  # fmt: skip
def test_a_mac_is_found_in_any_spelling_whole_or_in_part(root_desk, new_phone, spelling):
    new_phone("AABBCCDDEE01")
    new_phone("001122334455")
    assert macs_on(root_desk.get(LIST, {"q": spelling})) == ["AABBCCDDEE01"]


@pytest.mark.parametrize("word", ["Lobby", "10.0.0.12", "cellar", "Reception", "2001"])
def test_a_phone_is_found_by_what_else_is_known_about_it(root_desk, new_phone, new_profile, word):
    new_phone(
        name="Lobby bar",
        phone_ip="10.0.0.12",
        location="In the cellar",
        line_user="2001",
        current_profile=new_profile(),
    )
    new_phone("001122334455", name="Kitchen", phone_ip="10.0.0.99")
    assert macs_on(root_desk.get(LIST, {"q": word})) == ["AABBCCDDEE01"]


def test_every_word_of_a_search_must_fit(root_desk, new_phone):
    new_phone("AABBCCDDEE01", name="Lobby")
    new_phone("AABBCCDDEE02", name="Kitchen")
    assert macs_on(root_desk.get(LIST, {"q": "aa:bb kitchen"})) == ["AABBCCDDEE02"]


def test_phones_are_filtered_by_the_state_of_their_last_deployment(root_desk, acme, new_phone):
    broken, fine = new_phone("AABBCCDDEE01"), new_phone("AABBCCDDEE02")
    for phone, state in ((broken, "failed"), (fine, "confirmed")):
        last = Deployment.objects.create(
            account=acme, phone=phone, mac=phone.mac, state=state, requested_by="test", channel="test",
            next_attempt_at=timezone.now(), finished_at=timezone.now(),
        )  # fmt: skip
        LastDeployment.objects.create(phone=phone, deployment=last)
    assert macs_on(root_desk.get(LIST, {"last_deployment__state__exact": "failed"})) == ["AABBCCDDEE01"]


def test_the_list_shows_the_mac_with_colons_and_the_last_state(root_desk, acme, new_phone):
    phone = new_phone(name="Lobby")
    last = Deployment.objects.create(
        account=acme, phone=phone, mac=phone.mac, state="confirmed", requested_by="x", channel="x",
        next_attempt_at=timezone.now(), finished_at=timezone.now(),
    )  # fmt: skip
    LastDeployment.objects.create(phone=phone, deployment=last)
    page = root_desk.get(LIST).content.decode()
    assert "AA:BB:CC:DD:EE:01" in page
    assert "Confirmed" in page
    assert reverse("admin:phones_app_deployment_change", args=[last.pk]) in page


def queries_of(desk, url: str) -> list[str]:
    with CaptureQueriesContext(connection) as queries:
        assert desk.get(url).status_code == 200
    return [query["sql"] for query in queries]


def test_a_longer_page_takes_no_more_queries(root_desk, acme, new_phone, new_profile):
    profile = new_profile()

    def fill(numbers: range) -> None:
        for number in numbers:
            phone = new_phone(f"0200000{number:05X}", current_profile=profile)
            last = Deployment.objects.create(
                account=acme, phone=phone, mac=phone.mac, profile=profile, state="failed", requested_by="x", channel="x",
                next_attempt_at=timezone.now(), finished_at=timezone.now(),
            )  # fmt: skip
            LastDeployment.objects.create(phone=phone, deployment=last)

    pages = [
        LIST,
        reverse("admin:phones_app_deployment_changelist"),
        reverse("admin:profiles_app_phoneprofile_changelist"),
    ]
    fill(range(10))
    root_desk.get(LIST)
    few = [len(queries_of(root_desk, f"{page}?all=")) for page in pages]
    fill(range(10, 40))
    assert [len(queries_of(root_desk, f"{page}?all=")) for page in pages] == few


def test_an_unfiltered_list_counts_its_rows_once(root_desk, new_phone):
    new_phone()
    counts = [sql for sql in queries_of(root_desk, LIST) if "COUNT(" in sql and "phones_app_phone" in sql]
    assert len(counts) == 1, counts
