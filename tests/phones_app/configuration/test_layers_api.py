"""`/layers` over REST: written as a whole, secrets never read, looked at before they are saved, nobody else's."""

import pytest

from phones_app.configuration.models import Layer, LayerLine
from phones_app.inventory.models import PhoneGroup
from tests.phones_app.configuration.data import layer, line, made_profile, phone

pytestmark = pytest.mark.django_db


def made(api, **body) -> dict:
    answer = api.post("layers", body)
    assert answer.status_code == 201, answer.content
    return answer.json()["data"]


def refused(answer, field: str) -> str:
    assert answer.status_code == 400, answer.content
    return next(error["message"] for error in answer.json()["errors"] if error["field"] == field)


def test_a_layer_is_made_changed_and_deleted(api, acme):
    one = phone(acme, 1)
    for number in (1001, 1002):
        line(acme, str(number))
    fragment = {"path": "vendorConfig", "action": "insert", "xml": "<x>1</x>", "reason": "Asked for"}
    shown = made(
        api, kind="phone", phone=one.mac, values={"ntp_servers": "a.example b.example"}, lines=["1002", "1001"]
    )
    assert shown["phone"] == one.mac_with_colons
    assert shown["values"] == {"ntp_servers": "a.example, b.example"}
    path = f"layers/{shown['uuid']}"
    changed = api.patch(path, {"lines": ["1001"], "fragments": [fragment], "locks": ["ntp_servers"]}).json()["data"]
    assert (changed["lines"], changed["fragments"], changed["locks"]) == (["1001"], [fragment], ["ntp_servers"])
    assert api.put(path, changed).status_code == 200
    assert api.get(path).json()["data"]["values"] == shown["values"]
    assert LayerLine.objects.count() == 1
    assert api.get("layers").json()["data"][0]["lines"] == ["1001"]
    assert api.delete(path).status_code == 200
    assert not Layer.objects.exists()


def test_secrets_go_in_and_never_come_out(api, acme):
    shown = made(
        api, kind="account", values={"ssh_password": "very-secret", "door_code": "4711", "x": "1"}, secret=["door_code"]
    )
    assert shown["values"] == {"ssh_password": "********", "door_code": "********", "x": "1"}
    assert shown["secret"] == ["door_code", "ssh_password"]
    path = f"layers/{shown['uuid']}"
    again = api.patch(path, {"values": shown["values"] | {"x": "2"}})
    assert again.status_code == 200, again.content
    stored = Layer.objects.get()
    assert stored.secrets == {"ssh_password": "very-secret", "door_code": "4711"}
    assert stored.values == {"x": "2"}
    for answer in (again, api.get(path), api.get("layers")):
        assert "very-secret" not in answer.content.decode()
        assert "4711" not in answer.content.decode()


def test_a_mask_that_comes_back_is_never_stored_whatever_is_said_of_its_name(api, acme):
    path = f"layers/{made(api, kind='account', values={'door_code': '4711'}, secret=['door_code'])['uuid']}"
    for body in ({"secret": []}, {"secret": [], "values": {"door_code": "********"}}):
        assert api.patch(path, body).json()["data"]["secret"] == ["door_code"]
        assert (Layer.objects.get().values, Layer.objects.get().secrets) == ({}, {"door_code": "4711"})
    assert "mask" in refused(api.patch(path, {"values": {"ssh_password": "********"}}), "values")
    assert api.patch(path, {"secret": [], "values": {"door_code": "4712"}}).json()["data"]["secret"] == []
    assert (Layer.objects.get().values, Layer.objects.get().secrets) == ({"door_code": "4712"}, {})


def test_a_variable_that_is_called_like_a_password_is_one(api, acme):
    shown = made(api, kind="account", values={"wifi_password": "very-secret", "door_pin": "4711"})
    assert shown["secret"] == ["door_pin", "wifi_password"]
    assert Layer.objects.get().values == {}


def test_what_makes_no_layer_is_refused_with_the_field(api, acme, other):
    assert "no such family" in refused(api.post("layers", {"kind": "family", "name": "Nokia"}), "name")
    assert refused(api.post("layers", {"kind": "location"}), "name")
    assert refused(api.post("layers", {"kind": "group", "group": str(layer(acme).uuid)}), "group")
    assert refused(api.post("layers", {"kind": "phone", "phone": phone(other, 1).mac}), "phone")
    assert "ntp_servers" in refused(
        api.post("layers", {"kind": "location", "name": "M", "values": {"ntp_servers": "<&>"}}), "values"
    )
    assert refused(api.post("layers", {"kind": "location", "name": "M", "values": {"a b": "1"}}), "values")
    many = {f"v{number}": "" for number in range(501)}
    assert "500" in refused(api.post("layers", {"kind": "location", "name": "M", "values": many}), "values")
    assert refused(api.post("layers", {"kind": "location", "name": "M", "lines": ["1"]}), "lines")
    assert api.post("layers", {"kind": "account"}).status_code == 409
    path = f"layers/{Layer.objects.get().uuid}"
    assert "cannot be changed" in refused(api.patch(path, {"kind": "location"}), "kind")


def test_a_change_says_before_what_it_does(api, acme, alice):
    own = layer(acme, values={"pbx": "pbx.example", "ntp_servers": "old.example"})
    profile = made_profile(alice)
    phones = [phone(acme, number, profile) for number in (1, 2)]
    answer = api.post(f"layers/{own.uuid}/preview", {"values": {"pbx": "pbx.example", "ntp_servers": "new.example"}})
    effect = answer.json()["data"]
    assert (effect["phones"], effect["broken"], effect["looked_at"], effect["unseen"]) == (2, 0, 2, 0)
    assert effect["examples"][0]["mac"] == phones[0].mac_with_colons
    assert "new.example" in effect["examples"][0]["diff"]
    assert Layer.objects.get().values["ntp_servers"] == "old.example"


def test_layers_of_others_are_not_there_and_those_of_all_are_for_staff(api, stranger, staff, acme):
    shown = made(api, kind="location", name="Munich")
    portal = made(staff, kind="portal", values={"ntp_servers": "portal.example"})
    for caller_path in (f"layers/{shown['uuid']}", f"layers/{shown['uuid']}/preview"):
        assert (
            stranger.call("post" if "preview" in caller_path else "get", caller_path, {"locks": []}).status_code == 404
        )
    assert [row["kind"] for row in stranger.get("layers").json()["data"]] == ["portal"]
    assert api.patch(f"layers/{portal['uuid']}", {"locks": ["ntp_servers"]}).status_code == 403
    assert api.post(f"layers/{portal['uuid']}/preview", {"locks": ["ntp_servers"]}).status_code == 403


def test_the_layer_of_a_group_is_of_its_account(staff, acme):
    group = PhoneGroup.objects.create(account=acme, name="Pilot")
    assert made(staff, kind="group", group=str(group.uuid))["account"] == acme.voip_id
