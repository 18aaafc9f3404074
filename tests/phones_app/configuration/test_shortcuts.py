"""Short ways through the admin: the layer of all phones, and a line that is added for a phone."""

import pytest
from django.urls import reverse

from phones_app.configuration.models import Layer
from profiles_app.phone.models import Line
from tests.admin_people import at_desk, clerk
from tests.phones_app.configuration import data

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_inline_work")]
WIDEST, ADD_LINE = reverse("admin:phones_app_layer_widest"), reverse("admin:profiles_app_line_add")


def test_the_layer_of_all_phones_is_one_click_away(root_desk, clerk_desk, acme):
    add = reverse("admin:phones_app_layer_add")
    assert root_desk.get(WIDEST)["Location"] == f"{add}?kind=portal"
    assert clerk_desk.get(WIDEST)["Location"] == f"{add}?kind=account&account={acme.pk}"
    for desk, layer in ((root_desk, data.layer(kind="portal")), (clerk_desk, data.layer(acme))):
        assert desk.get(WIDEST)["Location"] == reverse("admin:phones_app_layer_change", args=[layer.pk])


def test_a_line_is_added_for_a_phone_as_its_next_one(root_desk, acme, other, new_phone):
    phone, stranger = new_phone(), new_phone("AABBCCDDEE02", account=other)
    data.layer(acme, kind="phone", phone=phone, lines=[data.line(acme, "201")])
    line = {"account": acme.pk, "extension": "202", "new_secret": "pass-word-202", "_save": "1"}
    refused = root_desk.post(ADD_LINE, line | {"phone": stranger.pk}).content.decode()
    assert "belong to different accounts" in refused
    assert not Line.objects.filter(extension="202").exists()
    answer = root_desk.post(ADD_LINE, line | {"phone": phone.pk})
    assert answer["Location"] == reverse("admin:phones_app_phone_change", args=[phone.pk])
    layer = Layer.objects.get(phone=phone)
    placed = layer.line_uses.order_by("position").values_list("position", "line__extension")
    assert list(placed) == [(1, "201"), (2, "202")]
    change = reverse("admin:profiles_app_line_change", args=[Line.objects.get(extension="202").pk])
    assert 'name="phone"' not in root_desk.get(change).content.decode()


def test_who_may_not_change_layers_adds_a_line_for_no_phone(acme, new_phone):
    phone = new_phone()
    desk = at_desk(clerk(acme, without="change_layer"))
    assert 'name="phone"' not in desk.get(ADD_LINE).content.decode()
    desk.post(ADD_LINE, {"account": acme.pk, "extension": "203", "phone": phone.pk, "_save": "1"})
    assert Line.objects.get().extension == "203"
    assert not Layer.objects.exists()
