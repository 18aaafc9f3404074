"""The history page: what changed, who did it, how and why; masked, read only, and there when the record is gone."""

import pytest
from django.urls import reverse

from contacts_app.accounts.models import Account, AccountGroup, Extension
from contacts_app.tokens.services import create_token
from tests.admin_people import at_desk, clerk

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(root):
    return at_desk(root)


def history_url(row, key: object = None) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_history", args=[row.pk if key is None else key])


def rename(desk, extension: Extension, name: str, **more: object) -> None:
    url = reverse("admin:contacts_app_extension_change", args=[extension.pk])
    answer = desk.post(url, {"account": extension.account_id, "number": extension.number, "name": name} | more)
    assert answer.status_code == 302


@pytest.fixture
def extension(acme):
    return Extension.objects.create(account=acme, number=7, name="Desk")


def test_a_change_is_shown_with_before_and_after_and_who_and_why(desk, extension):
    rename(desk, extension, "Lobby", _reason="The desk moved")
    page = desk.get(history_url(extension)).content.decode()
    assert "<del>Desk</del>" in page
    assert "<ins>Lobby</ins>" in page
    assert "root@example.org" in page
    assert "“The desk moved”" in page
    assert page.index("Changed") < page.index("Created")


def test_a_password_is_shown_as_changed_and_nothing_more(desk, alice):
    before = alice.password
    alice.set_password("another correct horse")
    alice.save()
    page = desk.get(history_url(alice)).content.decode()
    assert "******** <em>(changed)</em>" in page
    assert before not in page
    assert alice.password not in page


def test_a_new_owner_does_not_see_what_was_before(acme, other, extension):
    Extension.objects.filter(pk=extension.pk).update(account=other)
    extension.refresh_from_db()
    extension.name = "Theirs"
    extension.save()
    stranger, former = at_desk(clerk(other, "clerk@other.example")), at_desk(clerk(acme))
    page = stranger.get(history_url(extension)).content.decode()
    assert "Theirs" in page
    assert "Began as" not in page
    assert former.get(history_url(extension)).status_code == 404


def test_what_was_deleted_is_found_by_the_portals_staff_alone(desk, acme, extension):
    key = extension.pk
    acme_desk = at_desk(clerk(acme))
    desk.post(reverse("admin:contacts_app_extension_delete", args=[key]), {"post": "yes", "_reason": "Unused"})
    deleted = reverse("admin:contacts_app_extension_deleted_records")
    listed = desk.get(deleted).content.decode()
    assert history_url(extension, key) in listed
    assert "Unused" in listed
    page = desk.get(history_url(extension, key))
    assert "(deleted)" in page.content.decode()
    assert "Was at the end" in page.content.decode()
    assert acme_desk.get(history_url(extension, key)).status_code == 404
    assert acme_desk.get(deleted).status_code == 403


@pytest.mark.parametrize("key", ["0", "999", "x", "9" * 30, "%00"])
def test_what_never_was_has_no_history(desk, extension, key):
    assert desk.get(history_url(extension).replace(f"/{extension.pk}/", f"/{key}/")).status_code == 404


@pytest.mark.parametrize("page", ["0", "-1", "x", "²", "9" * 30])
def test_any_page_number_is_answered(desk, extension, page):
    assert desk.get(history_url(extension), {"page": page}).status_code == 200


def test_a_long_history_has_pages(desk, extension):
    for number in range(60):
        extension.name = f"Name {number}"
        extension.save()
    first, second = (desk.get(history_url(extension), {"page": page}) for page in (1, 2))
    assert [len(answer.context["entries"]) for answer in (first, second)] == [50, 11]
    assert "?page=2" in first.content.decode()
    assert "Began as" in second.content.decode()


def test_the_page_costs_as_many_queries_for_many_changes_as_for_few(desk, extension, django_assert_max_num_queries):
    for number in range(40):
        extension.name = f"Name {number}"
        extension.save()
    with django_assert_max_num_queries(10):
        desk.get(history_url(extension))


def test_nothing_is_brought_back_by_the_history_page(desk, extension):
    rename(desk, extension, "Lobby")
    assert "<form" not in desk.get(history_url(extension)).content.decode().split("pb-history", 1)[1]
    desk.post(history_url(extension), {"name": "Desk"})
    extension.refresh_from_db()
    assert extension.name == "Lobby"


def test_groups_and_tokens_have_a_page_too(desk, acme):
    group = AccountGroup.objects.create(name="Households")
    acme.groups.add(group)
    token, text = create_token(account=acme)
    assert "Households" in desk.get(history_url(Account.objects.get(pk=acme.pk))).content.decode()
    assert desk.get(history_url(group)).status_code == 200
    assert text.split("_", 2)[2] not in desk.get(history_url(token)).content.decode()


def test_forms_ask_for_the_reason(desk, extension):
    for name in ("change", "delete"):
        page = desk.get(reverse(f"admin:contacts_app_extension_{name}", args=[extension.pk])).content.decode()
        assert 'name="_reason"' in page
