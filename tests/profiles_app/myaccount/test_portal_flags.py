"""Every flag of a MyAccount profile opens exactly its pages of the portal, by every method (portal spec §6, case 2)."""

from contextlib import contextmanager
from typing import Any
from uuid import UUID

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.http import HttpResponse
from django.test import RequestFactory
from django.urls import get_resolver, resolve, reverse

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


# None, each alone, and all; a button needs the flag of its page as well, so those two together too.
BUTTONS = {
    each.strip()
    for row in NEEDED.values()
    for method in METHODS
    for each in row.get(method, "").split("|")
    if " + " in each
}
GRANTED = [(), *((flag,) for flag in FLAGS), *(tuple(both.split(" + ")) for both in sorted(BUTTONS)), tuple(FLAGS)]


def expected(flags: tuple[str, ...], methods: tuple[str, ...], *, manages: bool) -> dict[str, list[bool]]:
    return {
        name: [(manages or row["own"]) and opens(name, method, set(flags)) for method in methods]
        for name, row in NEEDED.items()
    }


def test_a_flag_opens_exactly_its_pages(acme, alice):
    """Straight through the gate, which costs a tenth of what a request with all middleware does."""
    session = SessionStore()
    with probes() as addresses:
        views = {name: resolve(address) for name, address in addresses.items()}

        def is_reached(name: str, method: str) -> bool:
            request = RequestFactory().generic(method, addresses[name])
            request.user, request.session = alice, session
            answer = views[name].func(request, **views[name].kwargs)
            assert answer.status_code in (REACHED, 404, 405), name
            return answer.status_code == REACHED

        for flags in GRANTED:
            grant(acme, *flags)
            for method in METHODS[:2]:
                # What a page does not have is asked for with no flag and with all.
                asked = [name for name in addresses if len(flags) in (0, len(FLAGS)) or method in NEEDED[name]]
                found = {name: is_reached(name, method) for name in asked}
                wanted = expected(flags, (method,), manages=True)
                assert found == {name: wanted[name][0] for name in asked}, (flags, method)


@pytest.mark.parametrize("flags", [(), ("View Services",), tuple(FLAGS)])
def test_level_and_flags_both_have_to_allow_a_page(acme, alice, bob, flags):
    """As browsers ask, with the menu (portal spec §6, cases 1 and 5)."""
    grant(acme, *flags)
    for person in (alice, bob):
        client = visit(person)
        with probes() as addresses:
            found = {
                name: [client.generic(method, address).status_code == REACHED for method in METHODS]
                for name, address in addresses.items()
            }
        assert found == expected(flags, METHODS, manages=person is alice)
        shown = client.get(reverse("portal:home")).content.decode()
        for page in PAGES.values():
            is_open = found[page.slug][0] and page.in_menu
            assert (f'<li><a href="{page.path}"' in shown) == is_open, page.slug


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
