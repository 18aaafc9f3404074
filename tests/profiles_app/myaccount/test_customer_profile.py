"""Which profile a customer gets (MyAccount spec §5)."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from contacts_app.accounts.models import Account, AccountGroup
from contacts_app.people.login import open_session
from profiles_app.myaccount.models import MyAccountProfile
from profiles_app.myaccount.services import resolve_profile, resolve_profiles
from tests.profiles_app.myaccount.conftest import PROFILES, Key, key_of, refused

pytestmark = pytest.mark.django_db


@pytest.fixture
def gold(acme):
    group = AccountGroup.objects.create(name="Gold")
    acme.groups.add(group)
    return group


def route(account: Account) -> str:
    return f"customers/{account.voip_id}/myAccountProfile"


def outcome(key, account: Account) -> tuple[str, str | None]:
    answer = key.get(route(account))
    assert answer.status_code == 200, answer.content
    body = answer.json()
    assert body.keys() == {"customerID", "reason", "profile"}
    assert body["customerID"] == str(account.voip_id)
    return body["reason"], body["profile"] and body["profile"]["name"]


def test_own_then_group_then_general(staff, acme, gold):
    assert outcome(staff, acme) == ("none", None)
    staff.create("General")
    assert outcome(staff, acme) == ("general", "General")
    staff.create("Group", customerGroups=["Silver", "Gold"])
    assert outcome(staff, acme) == ("group", "Group")
    own = staff.create("Own", customerID=str(acme.voip_id))
    assert outcome(staff, acme) == ("customer", "Own")
    assert staff.get(f"{route(acme)}/").json()["profile"] == own


def test_a_headline_one_does_not_jump_the_queue(staff, acme, gold):
    staff.create("General", availability="Headline")
    staff.create("Group", customerGroups=["Gold"])
    assert outcome(staff, acme) == ("group", "Group")


@pytest.mark.parametrize("members", [{}, {"customerGroups": ["Gold"]}, {"customerID": "1000001"}])
def test_headline_then_standard_then_the_lowest_id_and_never_historic(staff, acme, gold, members):
    staff.create("Historic", availability="Historic", **members)
    assert outcome(staff, acme)[1] is None
    staff.create("First", **members)
    second = staff.create("Second", **members)
    assert outcome(staff, acme)[1] == "First"
    staff.create("Headline", availability="Headline", **members)
    assert outcome(staff, acme)[1] == "Headline"
    staff.change(second, availability="Headline")
    assert outcome(staff, acme)[1] == "Second"


def test_others_profiles_and_groups_do_not_count(staff, acme_key, acme, other, gold):
    staff.create("Restricted", customerID=str(acme.voip_id))
    staff.create("Both", customerID=str(acme.voip_id), customerGroups=["Gold"])
    staff.create("Group", customerGroups=["Gold"])
    acme_key.create("Acme's own")
    assert outcome(staff, other) == ("none", None)
    other.groups.add(gold)
    assert outcome(staff, other) == ("group", "Group")


def test_an_account_decides_for_its_customers(acme_key, other_key, acme, customer_of):
    customer = customer_of()
    acme_key.create("Households", customerGroups=["Households"])
    assert outcome(acme_key, customer) == ("none", None)
    customer.groups.add(AccountGroup.objects.get(account=acme, name="Households"))
    assert outcome(acme_key, customer) == ("group", "Households")
    refused(other_key.get(route(customer)), 404, "not_found")
    refused(acme_key.get("customers/abc/myAccountProfile"), 404, "not_found")
    refused(acme_key.get("customers/1/myAccountProfile"), 404, "not_found")


def test_an_assigned_profile_stays_when_it_becomes_historic(staff, acme):
    staff.create("Own", customerID=str(acme.voip_id))
    old = staff.create("Old")
    answer = staff.send("put", route(acme), {"profileID": old["id"]})
    assert answer.status_code == 200
    assert answer.json() == {"customerID": str(acme.voip_id), "reason": "assigned", "profile": old}
    staff.change(old, availability="Historic")
    assert outcome(staff, acme) == ("assigned", "Old")
    assert staff.send("put", route(acme), {"profileID": int(old["id"])}).status_code == 200
    refused(staff.delete(old), 409, "in_use")
    assert staff.get(PROFILES + old["id"]).status_code == 200
    assert staff.send("delete", route(acme)).status_code == 204
    assert outcome(staff, acme) == ("customer", "Own")
    refused(staff.send("put", route(acme), {"profileID": old["id"]}), 409, "historic")
    assert staff.delete(old).status_code == 204


def test_only_what_a_customer_may_have_is_assigned(staff, acme_key, acme, other):
    restricted = staff.create("Restricted", customerID=str(acme.voip_id))
    refused(staff.send("put", route(other), {"profileID": restricted["id"]}), 409, "restricted")
    foreign = acme_key.create("Acme's own")
    refused(staff.send("put", route(other), {"profileID": foreign["id"]}), 409, "foreign")
    for body in ({}, {"profileID": "999"}, {"profileID": None}, {"profileID": True}, {"profileID": "x"}, []):
        refused(staff.send("put", route(other), body), 400)
    assert outcome(staff, other) == ("none", None)


def test_an_assigned_profile_that_goes_to_another_customer_is_not_theirs_any_more(staff, acme, other):
    profile = staff.create("General")
    staff.send("put", route(other), {"profileID": profile["id"]})
    staff.change(profile, customerID=str(acme.voip_id))
    assert outcome(staff, other) == ("none", None)


def test_many_customers_are_resolved_in_two_queries(customer_of):
    MyAccountProfile.objects.create(name="General")
    few = [customer_of(3000000 + number) for number in range(5)]
    many = [*few, *(customer_of(4000000 + number) for number in range(30))]
    for accounts in (few, many):
        with CaptureQueriesContext(connection) as captured:
            found = resolve_profiles(accounts)
        assert len(captured) == 2
        assert {resolution.profile.name for resolution in found.values()} == {"General"}
    assert resolve_profile(few[0]) == found[few[0].pk]


@pytest.fixture
def chosen(staff, acme):
    """Acme has the profile that the portal's staff gave it."""
    profile = staff.create("Chosen", myNumbers=[])
    assert staff.send("put", route(acme), {"profileID": profile["id"]}).status_code == 200
    return profile


def free_oneself(key, account: Account, profile: str) -> None:
    refused(key.send("put", route(account), {"profileID": profile}), 403, "forbidden")
    refused(key.send("delete", route(account)), 403, "forbidden")


def test_a_customer_does_not_free_itself(staff, acme_key, alice, acme, chosen):
    own = acme_key.create("All I want", availability="Headline", customerID=str(acme.voip_id))
    other = staff.create("Another of the portal's")
    for profile in (own, other):
        free_oneself(acme_key, acme, profile["id"])
        free_oneself(Key(f"Bearer {open_session(alice, None).access}"), acme, profile["id"])
    assert outcome(acme_key, acme) == ("assigned", "Chosen")
    refused(acme_key.patch(chosen, {"myCallsEnabled": True}), 403)
    refused(acme_key.delete(chosen), 403)


def test_profiles_that_an_account_made_are_for_its_customers_alone(staff, acme_key, acme, customer_of):
    customer = customer_of()
    acme_key.create("Own", customerID=str(acme.voip_id))
    acme_key.create("General of Acme", availability="Headline")
    assert outcome(staff, acme) == ("none", None)
    assert outcome(acme_key, customer) == ("general", "General of Acme")
    refused(staff.send("put", route(acme), {"profileID": str(MyAccountProfile.objects.first().pk)}), 409, "foreign")


def test_the_parent_decides_for_its_customer_who_does_not(acme_key, acme, customer_of):
    customer = customer_of()
    profile = acme_key.create("Households")
    assert acme_key.send("put", route(customer), {"profileID": profile["id"]}).status_code == 200
    theirs = key_of(customer)
    free_oneself(theirs, customer, profile["id"])
    assert outcome(theirs, customer) == ("assigned", "Households")
