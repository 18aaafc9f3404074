"""Portal profiles at the web admin: the same rules as over REST, and a column that says who gets what."""

import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from contacts_app.accounts.models import Account, AccountGroup
from profiles_app.myaccount.models import CustomerProfile, MyAccountProfile
from profiles_app.myaccount.services import preset_values, save_myaccount_profile
from tests.admin_people import at_desk, clerk

pytestmark = pytest.mark.django_db


def page(model: str, name: str, *args) -> str:
    app = "contacts_app" if model.startswith("account") else "profiles_app"
    return reverse(f"admin:{app}_{model}_{name}", args=args)


@pytest.fixture
def desk(root):
    return at_desk(root)


@pytest.fixture
def clerk_desk(acme):
    return at_desk(clerk(acme))


def form(**fields) -> dict:
    return {"name": "Business", "availability": "Standard", "description": ""} | fields


def test_a_profile_is_made_and_changed(desk, acme):
    gold = AccountGroup.objects.create(name="Gold")
    flag = preset_values()["myAccountFlags"][0]
    answer = desk.post(
        page("myaccountprofile", "add"),
        form(groups=[gold.pk], myaccount_flags=[flag], my_calls_enabled="on", customer=acme.pk),
    )
    assert answer.status_code == 302, answer.context["errors"]
    profile = MyAccountProfile.objects.get()
    assert (profile.myaccount_flags, profile.my_numbers, profile.my_calls_enabled) == ([flag], [], True)
    assert [link.group for link in profile.group_links.all()] == [gold]
    url = page("myaccountprofile", "change", profile.pk)
    assert flag in desk.get(url).content.decode()
    assert desk.post(url, form(name="Plain")).status_code == 302
    profile.refresh_from_db()
    assert (profile.name, profile.customer, profile.group_links.count()) == ("Plain", None, 0)


def test_the_order_of_groups_survives_other_changes(desk):
    profile = MyAccountProfile(name="Business")
    save_myaccount_profile(profile, groups=["Silver", "Gold"])
    groups = list(profile.group_links.values_list("group", flat=True))
    url = page("myaccountprofile", "change", profile.pk)
    assert desk.post(url, form(name="New", groups=sorted(groups, reverse=True))).status_code == 302
    assert [link.group.name for link in profile.group_links.all()] == ["Silver", "Gold"]


def test_another_owner_has_groups_of_its_own(desk, acme):
    profile = MyAccountProfile(name="Business")
    save_myaccount_profile(profile, groups=["Gold"])
    groups = list(profile.group_links.values_list("group", flat=True))
    url = page("myaccountprofile", "change", profile.pk)
    assert desk.post(url, form(account=acme.pk, groups=groups)).status_code == 302
    assert [link.group.account for link in profile.group_links.all()] == [acme]


def test_an_account_takes_its_profiles_and_groups_along(desk, acme, other):
    own = MyAccountProfile(name="Own", account=acme)
    save_myaccount_profile(own, groups=["Gold"])
    CustomerProfile.objects.create(customer=acme, profile=own)
    MyAccountProfile.objects.create(name="Restricted", customer=acme)
    general = MyAccountProfile.objects.create(name="General")
    desk.post(page("account", "delete", acme.pk), {"post": "yes"})
    assert list(Account.objects.all()) == [other]
    assert list(MyAccountProfile.objects.all()) == [general]
    assert not AccountGroup.objects.exists()


def test_a_name_is_used_once(desk):
    MyAccountProfile.objects.create(name="business")
    answer = desk.post(page("myaccountprofile", "add"), form())
    assert answer.status_code == 200
    assert "There is a profile of this name already." in answer.content.decode()
    assert MyAccountProfile.objects.count() == 1


def test_a_value_that_left_its_list_can_be_kept(desk):
    profile = MyAccountProfile.objects.create(name="Business", my_numbers=["Gone"])
    assert desk.post(page("myaccountprofile", "change", profile.pk), form(my_numbers=["Gone"])).status_code == 302
    unknown = desk.post(page("myaccountprofile", "change", profile.pk), form(my_numbers=["Never was"]))
    assert unknown.status_code == 200
    profile.refresh_from_db()
    assert profile.my_numbers == ["Gone"]


def test_accounts_show_the_profile_that_they_get(desk, acme, other):
    MyAccountProfile.objects.create(name="For everybody")
    MyAccountProfile.objects.create(name="Acme alone", customer=acme)
    listed = desk.get(page("account", "changelist")).content.decode()
    assert "Acme alone" in listed
    assert "For everybody" in listed
    assert "For everybody" in desk.get(page("account", "change", other.pk)).content.decode()
    assert desk.get(page("account", "add")).status_code == 200


@pytest.mark.parametrize("model", ["account", "myaccountprofile", "customerprofile", "accountgroup"])
def test_a_list_takes_as_many_queries_for_25_rows_as_for_5(desk, model):
    def grow(numbers) -> None:
        for number in numbers:
            group = AccountGroup.objects.create(name=f"Group {number}")
            account = Account.objects.create(voip_id=5000000 + number, name=f"A{number}", email="a@example.org")
            account.groups.add(group)
            profile = MyAccountProfile.objects.create(name=f"Profile {number}", customer=account)
            profile.group_links.create(group=group)
            CustomerProfile.objects.create(customer=account, profile=profile)

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert desk.get(page(model, "changelist")).status_code == 200
        return len(captured)

    grow(range(5))
    queries()
    few = queries()
    grow(range(5, 25))
    assert queries() == few


def test_lists_are_searched_and_filtered(desk, acme):
    gold = AccountGroup.objects.create(name="Gold")
    found = MyAccountProfile.objects.create(name="Business", customer=acme)
    found.group_links.create(group=gold)
    MyAccountProfile.objects.create(name="Residential", availability="Historic")
    for query in ("q=Acme", "q=1000001", "q=gold", f"customer_groups__id__exact={gold.pk}", "availability=Standard"):
        answer = desk.get(page("myaccountprofile", "changelist") + f"?{query}")
        assert [row.name for row in answer.context["cl"].result_list] == ["Business"], query


def test_a_profile_is_assigned_by_the_rules(desk, acme, other):
    mine = MyAccountProfile.objects.create(name="Acme alone", customer=acme)
    url = page("customerprofile", "add")
    wrong = desk.post(url, {"customer": other.pk, "profile": mine.pk})
    assert "restricted to another customer" in wrong.content.decode()
    assert desk.post(url, {"customer": acme.pk, "profile": mine.pk}).status_code == 302
    assigned = CustomerProfile.objects.get()
    change = page("customerprofile", "change", assigned.pk)
    old = MyAccountProfile.objects.create(name="Old", availability="Historic")
    assert "given to nobody else" in desk.post(change, {"profile": old.pk}).content.decode()
    general = MyAccountProfile.objects.create(name="General")
    assert desk.post(change, {"profile": general.pk}).status_code == 302
    assigned.refresh_from_db()
    assert assigned.profile == general


def test_a_profile_in_use_is_not_deleted(desk, acme):
    profile = MyAccountProfile.objects.create(name="General")
    CustomerProfile.objects.create(customer=acme, profile=profile)
    url = page("myaccountprofile", "delete", profile.pk)
    desk.post(url, {"post": "yes"})
    assert MyAccountProfile.objects.exists()
    CustomerProfile.objects.all().delete()
    desk.post(url, {"post": "yes"})
    assert not MyAccountProfile.objects.exists()


def test_actions_change_only_what_is_ones_own(clerk_desk, acme):
    own = MyAccountProfile.objects.create(name="Own", account=acme)
    shared = MyAccountProfile.objects.create(name="Shared")
    clerk_desk.post(
        page("myaccountprofile", "changelist"), {"action": "make_historic", "_selected_action": [own.pk, shared.pk]}
    )
    own.refresh_from_db()
    shared.refresh_from_db()
    assert (own.availability, shared.availability) == ("Historic", "Standard")


def test_a_clerk_meets_nothing_of_another_account(clerk_desk, acme, other):
    strange = MyAccountProfile.objects.create(name="Strange", account=other)
    for_other = MyAccountProfile.objects.create(name="Restricted", customer=other)
    group = AccountGroup.objects.create(name="Strange group", account=other)
    assigned = CustomerProfile.objects.create(customer=other, profile=strange)
    assert "Strange" not in clerk_desk.get(page("myaccountprofile", "changelist")).content.decode()
    for model, row in (
        ("myaccountprofile", strange),
        ("myaccountprofile", for_other),
        ("accountgroup", group),
        ("customerprofile", assigned),
    ):
        assert clerk_desk.get(page(model, "change", row.pk)).status_code == 404
    stolen = clerk_desk.post(page("myaccountprofile", "add"), form(account=acme.pk, groups=[group.pk]))
    assert stolen.status_code == 200
    query = {"app_label": "profiles_app", "model_name": "myaccountprofile", "field_name": "customer_groups"}
    found = clerk_desk.get(reverse("admin:autocomplete"), query | {"term": "Strange"})
    assert json.loads(found.content)["results"] == []
    assert clerk_desk.post(page("myaccountprofile", "add"), form(account=acme.pk)).status_code == 302
    assert MyAccountProfile.objects.get(name="Business").account == acme


def test_a_clerk_sees_and_does_not_change_what_is_shared(clerk_desk):
    shared = MyAccountProfile.objects.create(name="Shared", my_numbers=["View Numbers"])
    url = page("myaccountprofile", "change", shared.pk)
    assert "Shared" in clerk_desk.get(url).content.decode()
    assert clerk_desk.post(url, form()).status_code == 403


def test_nobody_grants_their_own_account_anything(clerk_desk, acme, other):
    gold = AccountGroup.objects.create(name="Gold", account=acme)
    sent = {"name": "New", "email": "a@example.org", "time_zone": "UTC", "parent": other.pk, "groups": [gold.pk]}
    assert clerk_desk.post(page("account", "change", acme.pk), sent).status_code == 302
    acme.refresh_from_db()
    assert (acme.name, acme.parent, acme.groups.count()) == ("New", None, 0)


def test_a_clerk_does_not_free_the_own_account(clerk_desk, acme):
    chosen = MyAccountProfile.objects.create(name="Chosen")
    own = MyAccountProfile.objects.create(name="Own", account=acme)
    assigned = CustomerProfile.objects.create(customer=acme, profile=chosen)
    change = page("customerprofile", "change", assigned.pk)
    for profile in (own, chosen):
        assert clerk_desk.post(change, {"profile": profile.pk}).status_code == 403
    assert clerk_desk.post(page("customerprofile", "delete", assigned.pk), {"post": "yes"}).status_code == 403
    picked = {"action": "delete_selected", "_selected_action": [assigned.pk], "post": "yes"}
    clerk_desk.post(page("customerprofile", "changelist"), picked)
    assigned.refresh_from_db()
    assert assigned.profile == chosen
    assigned.delete()
    refused = clerk_desk.post(page("customerprofile", "add"), {"customer": acme.pk, "profile": chosen.pk})
    assert "customer" in refused.context["adminform"].form.errors
    assert not CustomerProfile.objects.exists()


def test_a_clerk_decides_for_the_customers_of_the_account(clerk_desk, acme):
    customer = Account.objects.create(voip_id=2000001, name="C", email="c@example.org", parent=acme)
    own = MyAccountProfile.objects.create(name="Own", account=acme)
    asked = {"customer": customer.pk, "profile": own.pk}
    assert clerk_desk.post(page("customerprofile", "add"), asked).status_code == 302
    assert CustomerProfile.objects.get().customer == customer
