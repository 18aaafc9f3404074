"""What looks have found is seen in the admin and over REST, and can be asked for there."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from contacts_app.core.work.queue import run_queue
from contacts_app.tokens.services import create_token
from phones_app.deployment.models import PhoneFile
from phones_app.inventory.models import Phone, Presence
from tests.admin_people import at_desk
from tests.phones_app.rest import Api
from tests.phones_app.site import sip_file
from tests.servers import wait_for

pytestmark = pytest.mark.django_db(transaction=True)
LIST = reverse("admin:phones_app_phone_changelist")


@pytest.fixture
def desk(root):
    return at_desk(root)


@pytest.fixture
def api(acme):
    return Api(create_token(account=acme)[1])


def macs_on(answer) -> list[str]:
    assert answer.status_code == 200
    return [phone.mac for phone in answer.context["cl"].result_list]


def test_the_list_tells_who_answers_and_filters_by_it(site, desk):
    here, away, other = site.phone(), site.phone(), site.phone()
    Phone.objects.filter(pk=here.pk).update(presence=Presence.REACHABLE, in_call=True, software_version="sip88xx.1")
    Phone.objects.filter(pk=away.pk).update(presence=Presence.UNREACHABLE, look_error="refuses connections")
    Phone.objects.filter(pk=other.pk).update(presence=Presence.ANOTHER, mac_there="0200AA000001")
    page = desk.get(LIST).content.decode()
    for words in ("In a call", "Unreachable", "Another phone there", "refuses connections", "sip88xx.1"):
        assert words in page
    assert macs_on(desk.get(LIST, {"presence__exact": "another"})) == [other.mac]
    assert macs_on(desk.get(LIST, {"in_call__exact": "1"})) == [here.mac]
    detail = desk.get(reverse("admin:phones_app_phone_change", args=[other.pk])).content.decode()
    assert "02:00:AA:00:00:01" in detail


def test_a_status_is_checked_only_when_confirmed(site, desk):
    phone = site.phone()
    url = reverse("admin:phones_app_phone_check_one", args=[phone.pk])
    with site.alive(phone):
        assert b"Check status now" in desk.get(url).content
        phone.refresh_from_db()
        assert phone.looked_at is None
        page = desk.post(url, follow=True).content.decode()
    assert "with load sip8845_65." in page
    phone.refresh_from_db()
    assert phone.presence == Presence.REACHABLE


def test_selected_phones_are_looked_at(site, desk):
    phone = site.phone()
    Phone.objects.filter(pk=phone.pk).update(next_check_at=timezone.now() + timedelta(hours=1))

    def reachable() -> bool:
        # While its fetch is written down somebody holds its row, and it stays due for the next sweep.
        run_queue("status-checks")
        phone.refresh_from_db()
        return phone.presence == Presence.REACHABLE

    with site.alive(phone):
        run_queue("status-checks")
        phone.refresh_from_db()
        assert phone.presence == Presence.NEVER
        desk.post(LIST, {"action": "check_selected", "_selected_action": [phone.pk]})
        wait_for(reachable)


def test_rest_looks_and_tells(site, api, charlie):
    phone = site.phone()
    with site.alive(phone) as fleet:
        fleet[phone.mac].fault = "in_call"
        record = api.post(f"phones/{phone.mac}/status-check").json()["data"]
    assert (record["presence"], record["in_call"], record["mac_there"]) == ("reachable", True, "")
    assert record["serial_number"] == f"FCH{phone.mac[-8:]}"
    assert api.post(f"phones/{phone.mac}/status-check").json()["data"]["look_error"]  # it is not played any more

    listed = api.get("phones", {"presence": "reachable", "in_call": "true"}).json()
    assert (listed["metadata"]["total"], api.get("phones", {"load": "none"}).json()["metadata"]["total"]) == (0, 0)
    assert api.get("phones", {"load": record["software_version"]}).json()["metadata"]["total"] == 1
    assert api.get("phones", {"presence": "lost"}).status_code == 400


def test_what_looks_find_cannot_be_written_and_strangers_cannot_look(site, api, other):
    phone = site.phone()
    answer = api.put(f"phones/{phone.mac}", {"presence": "reachable", "name": "Lobby"})
    assert (answer.status_code, answer.json()["data"]["presence"]) == (200, "never")
    stranger = Api(create_token(account=other)[1])
    assert stranger.post(f"phones/{phone.mac}/status-check").status_code == 404
    Phone.objects.filter(pk=phone.pk).update(phone_ip=None)
    for url in ("status-check", "look"):
        answer = api.post(f"phones/{phone.mac}/{url}")
        assert (answer.status_code, answer.json()["code"]) == (409, "no-address")


@pytest.fixture
def drifted(site):
    """A phone whose file somebody has changed on the server."""
    phone, profile = site.phone(), site.profile()
    now = timezone.now()
    PhoneFile.objects.create(
        phone=phone, server=site.file_server, revision=profile.revision, sha256=profile.revision.sha256,
        uploaded_at=now, state_since=now, next_check_at=now,
    )  # fmt: skip
    (site.folder / f"SEP{phone.mac}.cnf.xml").write_text(sip_file(label="Changed"))
    assert run_queue("drift-checks") == 1
    return phone


def test_a_drifted_file_is_filtered_shown_and_put_back_in_the_admin(site, desk, drifted):
    site.phone()
    assert macs_on(desk.get(LIST, {"file__state__exact": "changed"})) == [drifted.mac]
    assert desk.get(LIST).content.count(b"file changed elsewhere") == 1
    page = desk.get(reverse("admin:phones_app_phone_change", args=[drifted.pk])).content.decode()
    assert "Changed elsewhere" in page
    assert "very-secret" not in page
    assert "Put file back" in page
    url = reverse("admin:phones_app_phone_put_back_one", args=[drifted.pk])
    assert b"without a restart" in desk.get(url).content
    assert PhoneFile.objects.get().state == "changed"
    desk.post(url)
    assert b"Changed" not in site.file_of(drifted)
    assert PhoneFile.objects.get().state == "in_place"
    page = desk.get(reverse("admin:phones_app_phone_change", args=[drifted.pk])).content.decode()
    assert "Put file back" not in page


def test_a_drifted_file_is_adopted_in_the_admin(site, desk, drifted):
    desk.post(reverse("admin:phones_app_phone_adopt_one", args=[drifted.pk]))
    assert PhoneFile.objects.get().revision.number == 2


@pytest.mark.parametrize(("verb", "status", "number"), [("put-back", 202, 1), ("adopt", 200, 2)])
def test_rest_tells_of_drift_and_ends_it(site, api, other, drifted, verb, status, number):
    assert api.get("phones", {"drifted": "true"}).json()["metadata"]["total"] == 1
    file = api.get(f"phones/{drifted.mac}/file").json()["data"]
    assert file["state"] == "changed"
    assert "Changed" in file["diff"]
    assert "very-secret" not in file["diff"]
    stranger = Api(create_token(account=other)[1])
    assert stranger.post(f"phones/{drifted.mac}/file/{verb}").status_code == 404
    assert api.post(f"phones/{drifted.mac}/file/{verb}").status_code == status
    assert (PhoneFile.objects.get().state, PhoneFile.objects.get().revision.number) == ("in_place", number)
    assert api.post(f"phones/{drifted.mac}/file/{verb}").status_code == 409
    assert api.get("phones", {"drifted": "false"}).json()["metadata"]["total"] == 1
