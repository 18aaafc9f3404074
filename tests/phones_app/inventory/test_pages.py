"""What looks have found is seen in the admin and over REST, and can be asked for there."""

import pytest
from django.urls import reverse

from contacts_app.services.token import create_token
from phones_app.models import Phone, Presence
from tests.admin_people import at_desk
from tests.phones_app.api.conftest import Api

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
    Phone.objects.filter(pk=here.pk).update(
        presence=Presence.REACHABLE, in_call=True, software_version="sip88xx.1"
    )
    Phone.objects.filter(pk=away.pk).update(presence=Presence.UNREACHABLE, look_error="refuses connections")
    Phone.objects.filter(pk=other.pk).update(presence=Presence.ANOTHER, mac_there="0200AA000001")
    page = desk.get(LIST).content.decode()
    for words in ("In a call", "Unreachable", "Another phone there", "refuses connections", "sip88xx.1"):
        assert words in page
    assert macs_on(desk.get(LIST, {"presence__exact": "another"})) == [other.mac]
    assert macs_on(desk.get(LIST, {"in_call__exact": "1"})) == [here.mac]
    detail = desk.get(reverse("admin:phones_app_phone_change", args=[other.pk])).content.decode()
    assert "02:00:AA:00:00:01" in detail


def test_look_now_looks_only_when_confirmed(site, desk):
    phone = site.phone()
    url = reverse("admin:phones_app_phone_look_one", args=[phone.pk])
    with site.alive(phone):
        assert b"Look now" in desk.get(url).content
        phone.refresh_from_db()
        assert phone.looked_at is None
        page = desk.post(url, follow=True).content.decode()
    assert "with load sip8845_65." in page
    phone.refresh_from_db()
    assert phone.presence == Presence.REACHABLE


def test_selected_phones_are_looked_at(site, desk):
    phone = site.phone()
    with site.alive(phone):
        desk.post(LIST, {"action": "look_selected", "_selected_action": [phone.pk]})
    phone.refresh_from_db()
    assert phone.presence == Presence.REACHABLE  # in tests whoever nudges plays the worker


def test_rest_looks_and_tells(site, api, charlie):
    phone = site.phone()
    with site.alive(phone) as fleet:
        fleet[phone.mac].fault = "in_call"
        record = api.post(f"phones/{phone.mac}/look").json()["data"]
    assert (record["presence"], record["in_call"], record["mac_there"]) == ("reachable", True, "")
    assert record["serial_number"] == f"FCH{phone.mac[-8:]}"
    assert api.post(f"phones/{phone.mac}/look").json()["data"]["look_error"]  # it is not played any more

    listed = api.get("phones", {"presence": "reachable", "in_call": "true"}).json()
    assert (listed["metadata"]["total"], api.get("phones", {"load": "none"}).json()["metadata"]["total"]) == (
        0,
        0,
    )
    assert api.get("phones", {"load": record["software_version"]}).json()["metadata"]["total"] == 1
    assert api.get("phones", {"presence": "lost"}).status_code == 400


def test_what_looks_find_cannot_be_written_and_strangers_cannot_look(site, api, other):
    phone = site.phone()
    answer = api.put(f"phones/{phone.mac}", {"presence": "reachable", "name": "Lobby"})
    assert (answer.status_code, answer.json()["data"]["presence"]) == (200, "never")
    stranger = Api(create_token(account=other)[1])
    assert stranger.post(f"phones/{phone.mac}/look").status_code == 404
    Phone.objects.filter(pk=phone.pk).update(phone_ip=None)
    assert api.post(f"phones/{phone.mac}/look").status_code == 409
