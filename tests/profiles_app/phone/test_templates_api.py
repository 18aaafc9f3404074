"""`/templates` and `/key-layouts` over REST (configuration spec §1)."""

import pytest

from profiles_app.phone.models import KeyLayout, PhoneProfile, PhoneTemplate
from tests.apis.conftest import of

pytestmark = pytest.mark.django_db

TEXT = "<device><loadInformation>{{ load_name }}</loadInformation></device>"


@pytest.fixture
def owner(alice):
    return of(alice)


def test_a_template_is_made_changed_and_deleted_unless_a_profile_needs_it(owner, acme, alice):
    made = owner.make("/api/v1/templates", {"name": "Desk phones", "text": TEXT})["data"]
    url = f"/api/v1/templates/{made['uuid']}"
    assert (made["text"], made["account"]) == (TEXT, acme.voip_id)
    assert owner.send("patch", url, {"description": "All of them"}).json()["data"]["sha256"] == made["sha256"]
    profile = PhoneProfile.objects.create(
        user=alice, name="Desk", source="template", template=PhoneTemplate.objects.get(uuid=made["uuid"])
    )
    refused = owner.send("delete", url)
    assert (refused.status_code, refused.json()["message"]) == (409, "1 profile is made from this template")
    profile.delete()
    assert owner.send("delete", url).status_code == 200
    assert not PhoneTemplate.objects.exists()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("<device>\n{% if %}</device>", "line 2"),
        ("<device>{{ 1", "line 1"),
        ("<device>{% include name %}</device>", ""),
    ],
)
def test_a_text_that_nothing_can_be_made_of_is_refused_with_its_line(owner, text, told):
    refused = owner.send("post", "/api/v1/templates", {"name": "Broken", "text": text})
    assert refused.status_code == 400
    (error,) = refused.json()["errors"]
    assert error["field"] == "text"
    assert told in error["message"]
    assert not PhoneTemplate.objects.exists()


def test_a_template_of_everybody_is_seen_and_not_written_by_tenants(owner):
    row = PhoneTemplate.objects.create(name="Everybody's", text=TEXT)
    url = f"/api/v1/templates/{row.uuid}"
    assert owner.send("get", url).json()["data"]["account"] is None
    assert owner.send("patch", url, {"name": "Mine"}).status_code == 403
    assert owner.send("delete", url).status_code == 403


def test_keys_are_checked_one_by_one_and_kept_in_their_order(owner):
    keys = [
        {"position": 2, "kind": "speed-dial", "target": "555", "label": "Taxi"},
        {"position": 1, "kind": "line", "line": 1},
    ]
    made = owner.make("/api/v1/key-layouts", {"name": "Front desk", "keys": keys, "modules": ["bekem"]})["data"]
    shown = [(key["position"], key["kind"], key["label"]) for key in made["keys"]]
    assert shown == [(1, "line", ""), (2, "speed-dial", "Taxi")]
    assert made["modules"] == ["BEKEM"]
    assert KeyLayout.objects.get().keys == made["keys"]


@pytest.mark.parametrize(
    ("key", "field"),
    [
        ({"position": 0, "kind": "line"}, "position"),
        ({"position": 1, "kind": "espresso"}, "kind"),
        ({"position": 1, "kind": "speed-dial"}, "target"),
        ({"position": 1, "kind": "blf", "target": "301", "options": {"pickup": "perhaps"}}, "options"),
        ({"module": 4, "position": 1, "kind": "line"}, "module"),
    ],
)
def test_a_key_that_cannot_be_is_told_by_its_field(owner, key, field):
    refused = owner.send("post", "/api/v1/key-layouts", {"name": "Wrong", "keys": [key]})
    assert refused.status_code == 400
    assert field in str(refused.json()["errors"])


def test_two_keys_in_one_place_are_refused(owner):
    twice = [{"position": 1, "kind": "line"}, {"position": 1, "kind": "redial"}]
    refused = owner.send("post", "/api/v1/key-layouts", {"name": "Wrong", "keys": twice})
    assert refused.json()["errors"] == [{"field": "keys", "message": "Key 1 of module 0 is given twice."}]
