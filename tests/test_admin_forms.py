"""What a newcomer does at the web admin: leaves boxes empty, misspells, and reads what stands there."""

from typing import Any

import lxml.html
import pytest
from django.contrib import admin
from django.urls import reverse

from config import urls
from contacts_app.core.admin.base import PortalAdmin
from phones_app.inventory.models import Phone
from phones_app.shared_files.models import SharedFile
from profiles_app.events.models.setup import Callback
from tests.admin_people import at_desk

pytestmark = pytest.mark.django_db
assert urls.urlpatterns, "the pages are found when the URLs are read"

# What makes a form whole but for its account; tests of the models have the details.
WHOLE: dict[str, dict[str, Any]] = {
    "callback": {"name": "Mine", "url": "https://hooks.example.org/x"},
    "listener": {"subscriptions-TOTAL_FORMS": "1", "subscriptions-0-tags": ["call"]},
    "eventprofile": {"name": "Mine"},
    "phone": {"mac": "AABBCCDDEE01"},
    "apitoken": {"name": "Mine"},
}


def of_accounts() -> list[PortalAdmin]:
    """The admin of every model whose rows name an account."""
    return [
        pages
        for pages in admin.site._registry.values()
        if isinstance(pages, PortalAdmin) and any(field.name == "account" for field in pages.model._meta.fields)
    ]


def url_of(pages: PortalAdmin, page: str, *args: Any) -> str:
    return reverse(f"admin:{pages.opts.app_label}_{pages.opts.model_name}_{page}", args=args)


def values_of(html: bytes, form: str) -> dict[str, Any]:
    """What a browser would send of a form that was only looked at."""
    document = lxml.html.fromstring(html.decode())
    [found] = [one for one in document.forms if one.get("id") == form]
    return {name: value for name, value in found.form_values() if "__prefix__" not in name}


@pytest.mark.parametrize("pages", of_accounts(), ids=lambda pages: pages.opts.model_name)
@pytest.mark.parametrize("whole", [False, True], ids=["empty", "whole"])
def test_a_form_without_its_account_is_answered_by_the_form(root, acme, pages, whole):
    desk = at_desk(root)
    page = desk.get(url_of(pages, "add"))
    name = pages.opts.model_name
    if page.status_code == 403 or name == "rollout":
        pytest.skip("nobody adds these rows, or the page is no form of one")
    sent = values_of(page.content, f"{name}_form") | (WHOLE.get(name, {}) if whole else {}) | {"account": ""}
    if whole and name == "listener":
        sent["callback"] = Callback.objects.create(account=acme, config={"url": "https://hooks.example.org"}).pk
    answer = desk.post(url_of(pages, "add"), sent)
    # Where an account may be left out the row is the portal's.
    assert answer.status_code in (200, 302)
    if not pages.model._meta.get_field("account").null:
        assert "account" in answer.context["adminform"].form.errors


def test_requests_at_the_same_moment_share_no_field(root, rf):
    """What one person may choose is put into the fields of the form, and is not offered to somebody else."""
    request = rf.get("/")
    request.user = root
    for pages in of_accounts():
        if not pages.has_add_permission(request):
            continue
        one, other = (pages.get_form(request).base_fields for _ in range(2))
        assert not {id(field) for field in one.values()} & {id(field) for field in other.values()}, pages


@pytest.mark.parametrize("pages", of_accounts(), ids=lambda pages: pages.opts.model_name)
def test_a_page_on_which_something_is_added_says_so(root, pages):
    page = at_desk(root).get(url_of(pages, "add"))
    if page.status_code == 403:
        pytest.skip("nobody adds these rows")
    assert places_of(page)[-1] == "Add"


def places_of(page: Any) -> list[str]:
    [place] = lxml.html.fromstring(page.content.decode()).find_class("pb-place")
    return [" ".join(part.text_content().split()) for part in place]


def test_where_a_page_is_is_said_without_saying_it_twice(root, acme):
    phone = Phone.objects.create(mac="AABBCCDDEE01", account=acme, name="Lobby")
    desk = at_desk(root)
    assert places_of(desk.get(reverse("admin:phones_app_phone_change", args=[phone.pk]))) == ["Phones", str(phone)]
    file = SharedFile.objects.create(path="dialplan.xml", kind="dial-template", size=1, sha256="a" * 64)
    place = places_of(desk.get(reverse("admin:phones_app_sharedfile_change", args=[file.pk])))
    assert place == ["Phones", "Shared files", "dialplan.xml"], "phones ask for it in its own case"
    group = places_of(desk.get(reverse("admin:phones_app_phonegroup_changelist")))
    assert group == ["Phones", "Phone groups"]


@pytest.mark.parametrize("pages", of_accounts(), ids=lambda pages: pages.opts.model_name)
def test_an_address_that_names_no_row_is_not_found(root, pages):
    desk = at_desk(root)
    for key in ("no-key", "1/2", "9" * 30):
        assert desk.get(url_of(pages, "change", key), follow=True).status_code == 404


def test_one_entry_of_the_menu_is_that_of_the_page(root):
    desk = at_desk(root)
    for page, args, title in (("changelist", [], "Shared files"), ("editor", ["soft-keys"], "Soft keys")):
        shown = desk.get(reverse(f"admin:phones_app_sharedfile_{page}", args=args))
        sections = shown.context["sidebar_navigation"]
        assert [item["title"] for section in sections for item in section["items"] if item["active"]] == [title]


def test_that_a_phone_is_in_no_call_is_no_bad_news(root, acme):
    phone = Phone.objects.create(mac="AABBCCDDEE01", account=acme, in_call=False)
    page = at_desk(root).get(reverse("admin:phones_app_phone_change", args=[phone.pk])).content.decode()
    assert "close_small" not in page
    assert '<span class="pb-truth">no</span>' in page
