"""Settings given to many phones at once: at each phone's own layer, but not where a layer below has locked them."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from phones_app.configuration.models import Layer
from phones_app.inventory.models import Phone
from tests.admin_people import at_desk, clerk
from tests.phones_app.inventory.admin.test_bulk import keys_of, told, words_of

pytestmark = pytest.mark.django_db
PAGE = reverse("admin:phones_app_phone_bulk")


@pytest.fixture
def phones(new_phone):
    return [new_phone(f"0200000000{n:02X}", model="8845", location="Berlin" if n < 3 else "Munich") for n in (1, 2, 3)]


def test_settings_are_given_and_taken_at_the_phones_own_layers(root_desk, phones, acme):
    Layer.objects.create(kind="phone", account=acme, phone=phones[0], values={"ntp_servers": "10.0.0.9", "door": "7"})
    sent = {"phones": keys_of(phones), "setting_1": "ntp_servers", "value_1": "10.0.0.1,10.0.0.2"}
    page = root_desk.post(PAGE, sent)
    assert told(page)[0] == {
        ("NTP servers", "10.0.0.9", "10.0.0.1, 10.0.0.2"): 1, ("NTP servers", "–", "10.0.0.1, 10.0.0.2"): 2
    }  # fmt: skip
    assert "3 phones have a profile that is a file, or none" in words_of(page)
    assert Layer.objects.count() == 1

    root_desk.post(PAGE, sent | {"confirm": "yes", "_reason": "New clocks"})
    first = Layer.objects.get(phone=phones[0])
    assert first.values == {"ntp_servers": "10.0.0.1, 10.0.0.2", "door": "7"}
    assert first.history.first().history_change_reason == "New clocks"
    second = Layer.objects.get(phone=phones[1])
    assert (second.kind, second.account, second.values) == ("phone", acme, {"ntp_servers": "10.0.0.1, 10.0.0.2"})
    assert second.history.get().history_type == "+"
    assert told(root_desk.post(PAGE, sent)) == ({}, 3, 0)

    away = {"phones": keys_of(phones[:1]), "setting_1": "ntp_servers", "no_value_1": "on", "confirm": "yes"}
    assert root_desk.post(PAGE, away).status_code == 302
    first.refresh_from_db()
    assert first.values == {"door": "7"}


def test_what_a_layer_below_has_locked_is_refused_and_says_where(root_desk, phones, acme):
    Layer.objects.create(kind="location", account=acme, name="Berlin", values={}, locks=["ntp_servers"])
    sent = {"phones": keys_of(phones), "setting_1": "ntp_servers", "value_1": "10.0.0.1", "location": "Hall"}
    page = root_desk.post(PAGE, sent)
    assert told(page)[1:] == (0, 2)
    assert "NTP servers: locked at location Berlin" in words_of(page)
    root_desk.post(PAGE, sent | {"confirm": "yes"})
    assert Layer.objects.get(kind="phone").phone == phones[2]
    assert set(Phone.objects.filter(location="Hall")) == {phones[2]}


def test_what_cannot_be_meant_is_said_at_its_field(root_desk, phones):
    for sent, field in (
        ({"setting_1": "ntp_servers", "value_1": "not a host!"}, "value_1"),
        ({"value_2": "x"}, "setting_2"),
        ({"setting_1": "ntp_servers", "value_1": "10.0.0.1", "no_value_1": "on"}, "value_1"),
        ({"setting_1": "ntp_servers", "value_1": "a", "setting_3": "ntp_servers", "value_3": "b"}, "setting_3"),
        ({"setting_1": "settings_password", "value_1": "x"}, "setting_1"),
    ):
        page = root_desk.post(PAGE, {"phones": keys_of(phones)} | sent)
        assert list(page.context["form"].errors) == [field]


def test_settings_take_the_permission_to_change_layers(phones, acme):
    desk = at_desk(clerk(acme, without="add_layer"))
    page = desk.post(PAGE, {"phones": keys_of(phones), "setting_1": "ntp_servers", "value_1": "10.0.0.1"})
    assert list(page.context["form"].errors) == ["__all__"]
    assert "setting_1" not in page.context["form"].fields


def test_statements_do_not_grow_with_the_phones(root_desk, acme):
    def ask(number: int) -> int:
        Phone.objects.all().delete()
        made = Phone.objects.bulk_create(
            Phone(mac=f"02000000{n:04X}", account=acme, model="8845") for n in range(number)
        )
        with CaptureQueriesContext(connection) as asked:
            root_desk.post(PAGE, {"phones": keys_of(made), "setting_1": "ntp_servers", "value_1": "10.0.0.1"})
        return len(asked)

    ask(1)
    assert ask(60) == ask(20)
