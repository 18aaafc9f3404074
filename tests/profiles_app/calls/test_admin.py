"""Call records in the admin: staff see all, a tenant's clerk their own, and nobody writes them."""

import pytest
from django.urls import reverse

from profiles_app.calls.models import CallRecord
from profiles_app.calls.services import record_call
from tests.profiles_app.calls.test_record_call import CALL
from tests.profiles_app.visitors import grant

pytestmark = pytest.mark.django_db
LIST = "/admin/profiles_app/callrecord/"


@pytest.fixture
def calls(acme, other):
    mine, _ = record_call(account=acme, **CALL | {"caller": "+49201777", "site": "=Essen"})
    theirs, _ = record_call(account=other, **CALL | {"called": "+49201888", "site": "Berlin"})
    return mine, theirs


def exported(desk, keys) -> str:
    sent = {"action": "export_selected", "_selected_action": keys}
    return b"".join(desk.post(LIST, sent).streaming_content).decode("utf-8-sig")


def test_each_sees_what_is_theirs(root_desk, clerk_desk, calls):
    mine, theirs = calls
    everything = exported(root_desk, [mine.pk, theirs.pk])
    assert everything.count("1772357400.17") == 2
    assert "'=Essen" in everything
    own = exported(clerk_desk, [mine.pk, theirs.pk])
    assert own.count("1772357400.17") == 1
    assert "'+49201777" in own
    assert clerk_desk.get(f"{LIST}{theirs.pk}/change/").status_code == 404
    all_of_mine = b"".join(clerk_desk.get(reverse("admin:profiles_app_callrecord_export_all")).streaming_content)
    assert all_of_mine.count(b"1772357400.17") == 1


def test_a_number_is_found_in_any_spelling(root_desk, calls):
    shown = root_desk.get(LIST, {"q": "0049 201 888"}).content.decode()
    assert "+49201888" in shown
    assert "+49201777" not in shown


def test_the_operators_words_are_shown_to_a_tenants_clerk_by_the_flag(root_desk, clerk_desk, acme, calls):
    page = f"{LIST}{calls[0].pk}/change/"
    assert "=Essen" in root_desk.get(page).content.decode()
    grant(acme, "myCallsEnabled")
    assert "=Essen" not in clerk_desk.get(page).content.decode()
    grant(acme, "myCallsEnabled", "myCallsUseBackendDescriptions")
    assert "=Essen" in clerk_desk.get(page).content.decode()


def test_nobody_writes_them(root_desk, calls):
    assert root_desk.get(f"{LIST}add/").status_code == 403
    assert root_desk.post(f"{LIST}{calls[0].pk}/change/", {"caller": "1"}).status_code == 403
    assert CallRecord.objects.get(pk=calls[0].pk).caller == "+49201777"
