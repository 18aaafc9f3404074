"""Every flag of a MyAccount profile opens exactly its pages of the portal, by every method (portal spec §6, case 2)."""

from contextlib import contextmanager
from typing import Any
from uuid import UUID

import pytest
from django.http import HttpResponse
from django.urls import get_resolver, reverse

from profiles_app.myaccount.portal.pages import PAGES
from tests.profiles_app.visitors import FLAGS, NEEDED, grant, visit

pytestmark = pytest.mark.django_db
REACHED = 299
METHODS = ("GET", "POST", "PUT")
SOMETHING: dict[str, Any] = {"int": 1, "uuid": UUID(int=1), "str": "x", "slug": "x", "path": "x"}


def urls():
    get_resolver().url_patterns  # noqa: B018 -- subjects declare their pages when the URLs are read
    return [url for page in PAGES.values() for url in page.urls]


def address(url) -> str:
    ((_, _, _, converters),) = get_resolver("profiles_app.myaccount.portal.urls").reverse_dict.getlist(url.name)
    named = {
        name: SOMETHING[type(one).__name__.removesuffix("Converter").lower().replace("string", "str")]
        for name, one in converters.items()
    }
    return reverse(f"portal:{url.name}", kwargs=named)


@contextmanager
def probes():
    """In the place of each view something that says that it was reached: what is tested is who gets there."""
    views = [(url, url.view) for url in urls()]
    try:
        for url, _ in views:
            object.__setattr__(url, "view", lambda request, **named: HttpResponse(status=REACHED))
        yield {url.name: address(url) for url, _ in views}
    finally:
        for url, view in views:
            object.__setattr__(url, "view", view)


def opens(name: str, method: str, flags: set[str]) -> bool:
    needed = NEEDED[name].get(method)
    return needed is not None and (
        not needed or any(set(each.strip().split(" + ")) <= flags for each in needed.split("|"))
    )


def test_every_url_says_here_what_it_needs():
    assert {url.name for url in urls()} == NEEDED.keys()
    said = {
        flag
        for row in NEEDED.values()
        for method in METHODS
        for each in row.get(method, "").split("|")
        for flag in each.strip().split(" + ")
        if flag
    }
    assert said <= FLAGS.keys()


def reached(client, address: str) -> list[bool]:
    statuses = [client.generic(method, address).status_code for method in METHODS]
    assert set(statuses) <= {REACHED, 404, 405}, (address, statuses)
    return [status == REACHED for status in statuses]


# None, each alone, and all; a button needs the flag of its page as well, so those two together too.
BUTTONS = sorted(
    {
        each.strip()
        for row in NEEDED.values()
        for method in METHODS
        for each in row.get(method, "").split("|")
        if " + " in each
    }
)


@pytest.mark.parametrize(
    "flags", [(), *((flag,) for flag in FLAGS), *(both.split(" + ") for both in BUTTONS), [*FLAGS]]
)
def test_a_flag_opens_exactly_its_pages(acme, alice, bob, flags):
    grant(acme, *flags)
    for person in (alice, bob):
        client = visit(person)
        with probes() as addresses:
            found = {name: reached(client, each) for name, each in addresses.items()}
        may = {name for name in found if person is alice or NEEDED[name]["own"]}
        expected = {name: [name in may and opens(name, method, set(flags)) for method in METHODS] for name in found}
        assert found == expected
        shown = client.get(reverse("portal:home")).content.decode()
        for page in PAGES.values():
            is_open = page.slug in may and opens(page.slug, "GET", set(flags))
            assert (f'<li><a href="{page.path}"' in shown) == (is_open and page.in_menu), page.slug


def test_with_all_flags_every_page_is_shown(acme, alice):
    grant(acme, *FLAGS)
    client = visit(alice)
    for url in urls():
        if "<" not in url.route and "GET" in url.buttons:
            answer = client.get(reverse(f"portal:{url.name}"))
            assert answer.status_code == 200, url.name


def test_strangers_are_sent_to_the_log_in(db, client):
    for url in urls():
        for method in METHODS:
            answer = client.generic(method, address(url))
            assert (answer.status_code, answer["Location"].partition("?")[0]) == (302, reverse("portal:login"))
