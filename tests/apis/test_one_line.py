"""Line ends are refused where a value is stored that is sent in a line of a protocol later, whichever way it comes in."""

import pytest
from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import models

from contacts_app.core.values import one_line
from phones_app.inventory.models import Phone
from phones_app.servers.models import CallManager, FileServer
from tests.apis.routes import document, operations, url_of

APPS = ("contacts_app", "profiles_app", "phones_app")
BREAKS = ("a\r\nDELE b", "a\nb", "a\rb")
WRITES = ("put", "patch")


def lines() -> list[models.Field]:
    """All columns that hold one line each; history has copies of them, which nobody fills in."""
    kinds = [
        kind for app in APPS for kind in apps.get_app_config(app).get_models() if not hasattr(kind, "history_date")
    ]
    fields = [field for kind in kinds for field in kind._meta.local_fields]
    return [field for field in fields if isinstance(field, models.CharField) or field.name.endswith("password")]


@pytest.mark.parametrize("text", BREAKS)
def test_every_column_for_a_line_refuses_line_ends(text):
    assert len(lines()) > 100
    for field in lines():
        with pytest.raises(ValidationError):
            field.run_validators(text)
        assert one_line in field.validators, field


def broken_lines() -> list[str]:
    """Where a line end is stored."""
    return [
        f"{field.model.__name__}.{field.name}"
        for field in lines()
        for value in field.model._default_manager.values_list(field.name, flat=True)
        if value and ("\n" in value or "\r" in value)
    ]


def texts(said) -> list[str]:
    """The members of a body that are strings."""
    schema = said["requestBody"]["content"]["application/json"]["schema"]
    while "$ref" in schema:
        schema = document()["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    return sorted(name for name, member in schema.get("properties", {}).items() if member.get("type") == "string")


@pytest.mark.django_db
def test_no_rest_route_stores_one(owner, rows):
    for method, path, said in operations():
        if method in WRITES and "application/json" in said.get("requestBody", {}).get("content", {}):
            url = url_of(path, rows, voip_id=rows["voip_id"], user_uuid=rows["user"])
            for name in texts(said):
                response = owner.send(method, url, {name: BREAKS[0]})
                assert response.status_code < 500, (method, path, name)
    assert broken_lines() == []


SERVER = {"name": "F", "host": "127.0.0.1", "port": 2121}
MANAGER = {"name": "C", "kind": "ami", "host": "127.0.0.1"}
REFUSED = [
    ("file-servers", SERVER | {"username": BREAKS[0]}),
    ("file-servers", SERVER | {"password": BREAKS[0]}),
    ("file-servers", SERVER | {"directory": BREAKS[1]}),
    ("call-managers", MANAGER | {"username": BREAKS[0]}),
    ("call-managers", MANAGER | {"password": BREAKS[2]}),
    ("call-managers", MANAGER | {"host": BREAKS[0]}),
    ("phones", {"mac": "AABBCCDDEE77", "line_user": BREAKS[0]}),
    ("phones", {"mac": "AABBCCDDEE77", "phone_vlan": BREAKS[1]}),
    ("phones", {"mac": "AABBCCDDEE77", "web_password": BREAKS[1]}),
]


@pytest.mark.django_db
@pytest.mark.parametrize(("path", "body"), REFUSED)
def test_what_servers_and_phones_are_told_is_refused_over_rest(api, path, body):
    [wrong] = [name for name, value in body.items() if value in BREAKS]
    response = api.post(path, body)
    assert response.status_code == 400
    assert response.json()["errors"] == [{"field": wrong, "message": "Must be one line."}]
    assert api.post(path, body | {wrong: "a.b"}).status_code == 201


@pytest.mark.django_db
def test_texts_may_have_any_number_of_lines(api):
    text = "Left\r\nof the door"
    assert api.post("phones", {"mac": "AABBCCDDEE77", "description": text}).status_code == 201
    assert Phone.objects.get(mac="AABBCCDDEE77").description == text
    assert api.post("call-managers", MANAGER | {"stamps": "a=1\nb=2"}).status_code in (201, 400)


@pytest.mark.django_db
def test_the_admin_refuses_it_too(client, root, acme):
    client.force_login(root)
    server = FileServer.objects.create(name="F", host="127.0.0.1", port=21, account=acme)
    page = client.get(f"/admin/phones_app/fileserver/{server.pk}/change/")
    form = page.context["adminform"].form
    values = {name: "" if value is None else value for name, value in form.initial.items() if value is not False}
    for name in ("username", "directory"):
        answer = client.post(f"/admin/phones_app/fileserver/{server.pk}/change/", values | {name: BREAKS[0]})
        assert answer.status_code == 200
        assert answer.context["adminform"].form.errors == {name: ["Must be one line."]}
    server.refresh_from_db()
    assert (server.username, server.directory) == ("", "")
    assert CallManager.objects.count() == 0
