"""The numbers of an account over REST."""

import pytest

from contacts_app.accounts.models import Extension
from tests.contacts_app.core.api.test_bad_input import is_our_error

pytestmark = pytest.mark.django_db


def test_extensions_are_made_renamed_and_deleted(api, acme):
    made = api.post("extensions", {"number": 101, "name": "Reception"})
    assert made.status_code == 201
    extension = made.json()["data"]
    assert (extension["account"], extension["number"]) == (acme.voip_id, 101)
    is_our_error(api.post("extensions", {"number": 101}), 409)
    second = api.post("extensions", {"number": 102}).json()["data"]
    is_our_error(api.put(f"extensions/{second['id']}", {"number": 101}), 409)
    renamed = api.put(f"extensions/{extension['id']}", {"name": "Lobby"}).json()["data"]
    assert (renamed["name"], renamed["number"]) == ("Lobby", 101)
    assert [row["number"] for row in api.get("extensions").json()["data"]] == [101, 102]
    assert api.delete(f"extensions/{extension['id']}").json()["data"] == {"number": "101", "name": "Lobby"}
    is_our_error(api.get(f"extensions/{extension['id']}"), 404)


@pytest.mark.parametrize("number", [0, -1, 2**63, "a", None, [], 1.5])
def test_an_extension_that_is_no_number(api, number):
    is_our_error(api.post("extensions", {"number": number}), 400)
    is_our_error(api.get(f"extensions/{2**70}"), 404)
    assert not Extension.objects.exists()
