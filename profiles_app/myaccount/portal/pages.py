"""The pages of the portal: one declaration says a page's address, label and place, and every URL of it obeys that.

What a page and its buttons need stands in portal.toml, in the row of the page's slug. A page that the visitor may not
open is absent from the menu and 404 by every method.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotAllowed
from django.shortcuts import render
from django.urls import reverse
from django.utils.functional import Promise

from profiles_app.myaccount.portal.operator import operator
from profiles_app.myaccount.portal.visitor import PortalRequest, Visitor

View = Callable[..., HttpResponseBase]
# A button that needs nothing but its page.
OPEN = ""


@dataclass(frozen=True)
class PortalUrl:
    """One URL of a page: which button each method needs; a method that is not named is not allowed (405)."""

    page: "Page"
    route: str
    name: str
    buttons: Mapping[str, str]
    view: View

    def __call__(self, request: HttpRequest, **named: object) -> HttpResponseBase:
        method = "GET" if request.method == "HEAD" else str(request.method)
        visitor: Visitor = request.visitor  # type: ignore[attr-defined]
        if not self.page.is_open(visitor, self.buttons.get(method, OPEN)):
            raise Http404
        if method not in self.buttons:
            return HttpResponseNotAllowed([*self.buttons])
        request.portal_page = self.page  # type: ignore[attr-defined]
        return self.view(request, **named)


@dataclass
class Page:
    """A page: /my-account/<slug>/ and what is below it. `place` orders the menu.

    `own`: it shows people their own things, so that it is open at any level; others are for those who manage the
    account. `always`: it needs no flag. `at`: where its URLs are, if not below its slug. `in_menu`: other pages lead to
    the rest.
    """

    slug: str
    label: str | Promise
    place: int
    own: bool = False
    always: bool = False
    at: str | None = None
    in_menu: bool = True
    urls: list[PortalUrl] = field(default_factory=list, repr=False)

    def __post_init__(self) -> None:
        if self.slug in PAGES:
            raise ValueError(f"There are two pages {self.slug!r}.")
        PAGES[self.slug] = self

    def is_open(self, visitor: Visitor, button: str = OPEN) -> bool:
        """Whether this person may open the page now, and use this button of it."""
        return self.always or visitor.may(self.slug, button, for_all=self.own)

    def require(self, visitor: Visitor, button: str) -> None:
        """Raise Http404 where the visitor may not use the button; for a form that does several things."""
        if not self.is_open(visitor, button):
            raise Http404

    def url(
        self, route: str = "", name: str = "", *, get: str | None = OPEN, post: str | None = None
    ) -> Callable[[View], View]:
        """Make a view of it: `get` and `post` name the button that the method needs, None refuses the method.

        The URL is named `portal:<slug>`, or `portal:<slug>-<name>`.
        """
        asked = {"GET": get, "POST": post}
        buttons = {method: button for method, button in asked.items() if button is not None}

        def declare(view: View) -> View:
            full = f"{self.slug}-{name}" if name else self.slug
            base = f"{self.slug}/" if self.at is None else self.at
            self.urls.append(PortalUrl(self, f"{base}{route}", full, buttons, view))
            return view

        return declare

    @property
    def path(self) -> str:
        return reverse(f"portal:{self.slug}")


PAGES: dict[str, Page] = {}


@dataclass(frozen=True)
class Link:
    """A place of the menu that leads to a system of the operator's own."""

    label: str
    path: str


_links: list[Callable[[Visitor], Iterator[Link]]] = []


def register_links(links: Callable[[Visitor], Iterator[Link]]) -> None:
    """Have `links` add to the end of the menu."""
    _links.append(links)


def menu(visitor: Visitor) -> list[Page | Link]:
    """What this person may open, in order."""
    pages = sorted(PAGES.values(), key=lambda page: page.place)
    mine: list[Page | Link] = [page for page in pages if page.in_menu and page.is_open(visitor)]
    return mine + [link for links in _links for link in links(visitor)]


def frame(request: HttpRequest) -> dict[str, object]:
    """What base.html shows around a page: the operator, the menu of a visitor, languages."""
    visitor = getattr(request, "visitor", None)
    return {
        "visitor": visitor,
        "page": getattr(request, "portal_page", None),
        "menu": menu(visitor) if visitor else [],
        "operator": operator(),
        "languages": settings.LANGUAGES,
    }


def show(
    request: HttpRequest, template: str, context: Mapping[str, object] | None = None, *, status: int = 200
) -> HttpResponse:
    """Render a page for a visitor, with the menu around it. Templates extend `…/portal/base.html`."""
    return render(request, template, frame(request) | dict(context or {}), status=status)


@dataclass(frozen=True)
class Fact:
    """What Home says about a page's subject: a number, and where it is read in full."""

    label: str | Promise
    value: object
    path: str = ""
    is_trouble: bool = False


@dataclass(frozen=True)
class HomePanel:
    """A part of Home, shown to those who may open the page: facts, and rows of its own template if it has one."""

    page: Page
    facts: Callable[[Visitor], list[Fact]]
    template: str = ""
    context: Callable[[Visitor], Mapping[str, object]] = lambda visitor: {}


PANELS: list[HomePanel] = []


def register_panel(panel: HomePanel) -> None:
    PANELS.append(panel)


__all__ = ["OPEN", "Fact", "HomePanel", "Page", "PortalRequest", "Visitor", "register_panel", "show"]
