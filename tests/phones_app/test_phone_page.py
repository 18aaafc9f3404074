"""What the page of a phone says above its form, and that it says it in as many statements however much happened."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from phones_app.boot.models import FileFetch
from phones_app.deployment.models import Deployment, FileState, PhoneFile, State
from tests.admin_people import at_desk, clerk

pytestmark = pytest.mark.django_db


@pytest.fixture
def lobby(new_phone, new_profile):
    return new_phone(name="Lobby", current_profile=new_profile(name="Lobby phone"), phone_ip="192.0.2.7")


def happened(phone, state: State, **fields: object) -> Deployment:
    """A deployment that has ended, the newest one so far."""
    when = timezone.now()
    values = {"account": phone.account, "phone": phone, "mac": phone.mac, "requested_by": "Alice", "channel": "admin"}
    profile = phone.current_profile
    values |= {"profile": profile, "profile_name": profile.name, "revision": profile.revision}
    return Deployment.objects.create(**values, state=state, finished_at=when, created_at=when, **fields)


def uploaded(phone, **fields: object) -> PhoneFile:
    now = timezone.now()
    revision = phone.current_profile.revision
    times = {"uploaded_at": now, "state_since": now, "next_check_at": now}
    values = {"revision": revision, "sha256": revision.sha256} | times | fields
    return PhoneFile.objects.update_or_create(phone=phone, defaults=values)[0]


def page_of(desk, phone) -> str:
    return desk.get(reverse("admin:phones_app_phone_change", args=[phone.pk])).content.decode()


def test_it_says_which_file_the_phone_should_have_and_has(root_desk, lobby, new_profile):
    assert "Nothing was uploaded for it yet." in page_of(root_desk, lobby)
    uploaded(lobby)
    page = page_of(root_desk, lobby)
    assert "It has the file that it should have." in page
    assert "1001" in page, "the line of the file"
    uploaded(lobby, revision=new_profile(name="Older").revision, sha256="0" * 64)
    page = page_of(root_desk, lobby)
    assert "It has another file than it should have" in page
    assert "Older, revision 1" in page
    uploaded(lobby, state=FileState.CHANGED, found=b"<device/>")
    assert "On the server: changed elsewhere." in page_of(root_desk, lobby)
    lobby.current_profile = None
    lobby.save()
    assert "The phone has no profile" in page_of(root_desk, lobby)


def test_what_was_done_in_another_account_stays_there(lobby, other):
    happened(lobby, State.FAILED, error="The profile of Acme is refused.", error_code="refused")
    lobby.account, lobby.current_profile = other, None
    lobby.save()
    page = page_of(at_desk(clerk(other)), lobby)
    assert "The phone has no profile" in page
    assert "The profile of Acme" not in page


def test_a_failure_stands_there_with_what_to_do_until_something_newer_happened(root_desk, lobby):
    happened(lobby, State.FAILED, error="Could not connect to 192.0.2.1.", error_code="refused")
    page = page_of(root_desk, lobby)
    assert "Could not connect to 192.0.2.1." in page
    assert "What to do:" in page
    happened(lobby, State.SUPERSEDED)
    assert "Could not connect to 192.0.2.1." in page_of(root_desk, lobby)
    happened(lobby, State.CONFIRMED, evidence={"kind": "file-fetched"})
    page = page_of(root_desk, lobby)
    assert "Could not connect" not in page
    assert "The phone fetched this very file after the upload." in page


def test_statements_do_not_grow_with_what_happened(root_desk, lobby):
    def statements() -> int:
        with CaptureQueriesContext(connection) as asked:
            page_of(root_desk, lobby)
        return len(asked)

    uploaded(lobby)
    happened(lobby, State.CONFIRMED)
    page_of(root_desk, lobby)
    few = statements()
    now = timezone.now()
    for number in range(12):
        happened(lobby, State.CONFIRMED)
        when = now - timedelta(minutes=number)
        FileFetch.objects.create(
            mac=lobby.mac, file_name="a", sha256="", size=1, address="192.0.2.7", protocol="http", fetched_at=when
        )
    assert statements() <= few
    assert "All deployments of the phone" in page_of(root_desk, lobby)


def test_who_may_see_no_fetches_and_deploy_nothing_sees_neither(acme, lobby):
    FileFetch.objects.create(
        mac=lobby.mac,
        file_name="a",
        sha256="",
        size=1,
        address="192.0.2.99",
        protocol="http",
        fetched_at=timezone.now(),
    )
    everything = page_of(at_desk(clerk(acme)), lobby)
    assert "192.0.2.99" in everything
    assert "Restart…" in everything
    less = clerk(acme, "less@acme.example", without="view_filefetch")
    assert "192.0.2.99" not in page_of(at_desk(less), lobby)
    idle = clerk(acme, "idle@acme.example", without="add_deployment")
    page = page_of(at_desk(idle), lobby)
    assert "Restart…" not in page
    assert "Check status now" in page
