"""Lists cost the same few queries whatever their length, and show no secret."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from phones_app.deployment.models import Deployment, LastDeployment
from phones_app.inventory.models import Phone
from phones_app.servers.models import CallManager, FileServer
from profiles_app.phone.models import PhoneProfile
from profiles_app.phone.services import create_profile
from tests.phones_app.site import ACTOR, sip_file

pytestmark = pytest.mark.django_db
LISTS = ["phone-profiles", "phones", "deployments", "file-servers", "call-managers", "me/phones"]
SECRET = "must-not-be-seen"


def fill(alice, start: int, end: int) -> None:
    account = alice.account
    for n in range(start, end):
        server = FileServer.objects.create(name=f"F{n}", host="h", account=account, password=SECRET)
        manager = CallManager.objects.create(
            name=f"C{n}", host="h", port=5038, kind="ami", account=account, password=SECRET
        )
        profile = create_profile(actor=ACTOR, user=alice, name=f"P{n}", content=sip_file(str(n)).encode())
        phone = Phone.objects.create(
            mac=f"0200000000{n:02X}", account=account, file_server=server, call_manager=manager,
            current_profile=profile, web_password=SECRET,
        )  # fmt: skip
        last = Deployment.objects.create(
            account=account, phone=phone, mac=phone.mac, profile=profile, revision=profile.revision,
            next_attempt_at=timezone.now(), finished_at=timezone.now(), state="failed",
        )  # fmt: skip
        LastDeployment.objects.create(phone=phone, deployment=last)


def queries(api, path: str, expected: int) -> int:
    numbers = []
    # A token is remembered for a few seconds, and forgotten when its row is written, as it is once a minute.
    for _ in range(3):
        with CaptureQueriesContext(connection) as captured:
            response = api.get(path)
        assert len(response.json()["data"]) == expected
        assert SECRET not in response.content.decode()
        numbers.append(len(captured))
    return min(numbers)


def test_a_list_of_40_asks_the_database_as_often_as_one_of_10(api, alice):
    fill(alice, 0, 10)
    few = {path: queries(api, path, 10) for path in LISTS}
    fill(alice, 10, 40)
    assert {path: queries(api, path, 40) for path in LISTS} == few
    # PostgreSQL is asked twice what it reckons before rows are counted that one index does not find.
    assert max(few.values()) <= (5 if connection.vendor == "postgresql" else 3), few


def test_profiles_come_in_the_order_in_which_they_were_made(api, alice):
    fill(alice, 0, 3)
    first = PhoneProfile.objects.get(name="P0")
    api.put(f"phone-profiles/{first.uuid}", {"description": "changed"})
    assert [row["name"] for row in api.get("phone-profiles").json()["data"]] == ["P0", "P1", "P2"]
