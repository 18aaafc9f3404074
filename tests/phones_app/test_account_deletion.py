"""Deleting an account: the page says what goes and what is in the way, and the history stays."""

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.urls import reverse
from django.utils import timezone

from contacts_app.accounts import services
from contacts_app.accounts.models import Account, AccountGroup, Extension
from contacts_app.accounts.services import create_account
from contacts_app.people.models import User
from contacts_app.tokens.models import ApiToken
from contacts_app.tokens.services import create_token
from phones_app.deployment.models import Deployment, State
from phones_app.inventory.models import Phone
from profiles_app.myaccount.models import CustomerProfile, MyAccountProfile
from profiles_app.phone.models import PhoneProfile, ProfileRevision
from tests.admin_people import at_desk, clerk

pytestmark = pytest.mark.django_db
LIST = reverse("admin:contacts_app_account_changelist")


@pytest.fixture
def furnished(acme, alice, new_profile, new_phone):
    """Acme with something of most kinds, deeply linked."""
    Extension.objects.create(account=acme, number=7)
    create_token(account=acme)
    profile = new_profile()
    for number in range(1, 13):
        new_phone(f"AABBCCDDEE{number:02}", current_profile=profile)
    return acme


def delete_url(account: Account) -> str:
    return reverse("admin:contacts_app_account_delete", args=[account.pk])


def delete(desk, account: Account):
    return desk.post(delete_url(account), {"post": "yes", "_reason": "Moved away"}, follow=True)


def delete_many(desk, *accounts: Account, sure: bool = True):
    body = {"action": "delete_selected", "_selected_action": [account.pk for account in accounts]}
    return desk.post(LIST, body | ({"post": "yes"} if sure else {}), follow=True)


def deploying(phone: Phone, state: str = State.UPLOADING) -> Deployment:
    return Deployment.objects.create(
        account=phone.account, phone=phone, mac=phone.mac, state=state, requested_by="x", channel="admin",
        next_attempt_at=timezone.now(),
    )  # fmt: skip


def test_the_page_counts_and_names_what_goes(root_desk, furnished):
    page = root_desk.get(delete_url(furnished)).content.decode()
    assert "Phones: 12" in page
    assert "AA:BB:CC:DD:EE:01" in page
    assert "… and 2 more" in page
    assert "Phone profiles: 1" in page
    assert "Profile revisions: 1" in page
    assert "Users: 1" in page
    assert Account.objects.filter(pk=furnished.pk).exists()


def test_of_very_many_it_says_that_there_are_more(root_desk, furnished, monkeypatch):
    monkeypatch.setattr(services, "COUNTED", 11)
    page = root_desk.get(delete_url(furnished)).content.decode()
    assert "Phones: more than 11" in page
    assert "… and more than 1 more" in page


def test_the_account_goes_with_everything_and_the_history_stays(root_desk, furnished, other):
    key = furnished.pk
    answer = delete(root_desk, furnished)
    assert "deleted successfully" in answer.content.decode()
    assert set(Account.objects.all()) == {other}
    for model in (Phone, PhoneProfile, ProfileRevision, ApiToken, Extension):
        assert not model.objects.exists()
    gone = Phone.history.filter(history_type="-")
    assert gone.count() == 12
    assert {row.account_id for row in gone} == {key}
    assert {(row.history_actor, row.history_channel, row.history_change_reason) for row in gone} == {
        ("root@example.org", "admin", "Moved away")
    }
    assert Account.history.filter(id=key).first().history_type == "-"
    page = root_desk.get(reverse("admin:contacts_app_account_history", args=[key])).content.decode()
    assert "Moved away" in page


@pytest.mark.parametrize("way", [delete, delete_many])
def test_a_deployment_under_way_is_in_the_way(root_desk, furnished, way):
    deployment = deploying(Phone.objects.first())
    answer = way(root_desk, furnished)
    assert "cannot be deleted now" in answer.content.decode()
    assert "1 deployment is under way, to AA:BB:CC:DD:EE:01" in answer.content.decode()
    assert Account.objects.filter(pk=furnished.pk).exists()
    assert Phone.objects.count() == 12
    Deployment.objects.filter(pk=deployment.pk).update(finished_at=timezone.now())
    way(root_desk, furnished)
    assert not Account.objects.filter(pk=furnished.pk).exists()


def test_a_queued_deployment_goes_along(root_desk, furnished):
    deploying(Phone.objects.first(), State.QUEUED)
    delete(root_desk, furnished)
    assert not Deployment.objects.exists()


def test_what_others_need_is_in_the_way_and_named(root_desk, acme, other):
    profile = MyAccountProfile.objects.create(account=acme, name="Gold")
    CustomerProfile.objects.create(customer=other, profile=profile)
    page = delete(root_desk, acme).content.decode()
    assert "Gold for Other (1000002)" in page
    assert Account.objects.filter(pk=acme.pk).exists()
    # Its own customer profile goes along.
    CustomerProfile.objects.update(customer=acme)
    delete(root_desk, acme)
    assert not Account.objects.filter(pk=acme.pk).exists()


def test_customers_are_in_the_way_unless_they_go_too(root_desk, acme, other):
    Account.objects.filter(pk=acme.pk).update(parent=other)
    assert "Acme (1000001)" in delete(root_desk, other).content.decode()
    assert Account.objects.count() == 2
    delete_many(root_desk, acme, other)
    assert not Account.objects.exists()
    assert Account.history.filter(history_type="-").count() == 2


def test_many_are_asked_about_before_they_go(root_desk, furnished, other):
    page = delete_many(root_desk, furnished, other, sure=False).content.decode()
    assert "Accounts: 2" in page
    assert "Phones: 12" in page
    assert Account.objects.count() == 2
    delete_many(root_desk, furnished, other)
    assert not Account.objects.exists()


def test_of_many_none_goes_when_one_cannot(root_desk, furnished, other):
    deploying(Phone.objects.first())
    delete_many(root_desk, furnished, other)
    assert Account.objects.count() == 2


def test_whoever_may_not_delete_phones_may_not_by_way_of_the_account(furnished):
    novice = User.objects.create_user("h@example.org", "horse", is_staff=True, permission_level=0)
    novice.user_permissions.set(Permission.objects.exclude(codename="delete_phone"))
    answer = delete(at_desk(novice), furnished)
    assert answer.status_code == 403
    assert Account.objects.filter(pk=furnished.pk).exists()


def test_people_of_an_account_do_not_delete_it(acme, other):
    desk = at_desk(clerk(acme))
    assert delete(desk, acme).status_code == 403
    assert delete(desk, other).status_code == 403


def test_the_page_costs_as_many_queries_for_many_phones_as_for_few(root_desk, furnished, django_assert_max_num_queries):
    with django_assert_max_num_queries(140):
        root_desk.get(delete_url(furnished))


def test_an_account_without_anything_is_deleted(root_desk):
    AccountGroup.objects.create(name="Households")
    account = create_account(name="Empty", email="e@empty.example")
    delete(root_desk, account)
    assert not Account.objects.filter(pk=account.pk).exists()
    assert LogEntry.objects.filter(object_repr__startswith="Empty").exists()
