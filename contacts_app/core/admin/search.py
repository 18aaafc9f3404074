"""The search over everything (Ctrl+K): pages by their names, rows as their own lists find them, and what apps add.

A row is looked for in the columns of its own table alone: who looks for an account by its name looks for the account,
not for everything that it owns, and each list costs one query. What Patchbay writes down itself, by the million, is
left to its own lists but for deployments and rollouts. The theme has the same with a cache, in which names
would outlive the right to see them for five minutes.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from copy import copy
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.contrib.admin import ModelAdmin
from django.http import HttpRequest
from django.utils.http import urlencode

from contacts_app.core.admin.base import PortalAdmin, ReadOnlyAdmin
from contacts_app.core.admin.frame import actor_of
from contacts_app.core.admin.links import help_url, list_title, list_url, page_of
from contacts_app.core.secrets import EncryptedBinaryField, EncryptedTextField
from contacts_app.templatetags.moments import exact

# Who looks for more of a kind uses its list, to which its title leads.
MOST_OF_A_KIND = 5
SHORTEST, LONGEST = 2, 100


@dataclass
class Hit:
    """`place` counts over all kinds, as the arrow keys do."""

    title: str
    url: str
    note: str = ""
    place: int = 0


@dataclass
class Hits:
    """What was found of a kind, one more than is shown where there is more of it; `more` is where that is."""

    title: str
    icon: str
    found: list[Hit] = field(default_factory=list)
    more: str = ""


# An entry of the menu, and the pages of each model by where its list is.
Entry = dict[str, Any]
Lists = dict[str, "ModelAdmin[Any]"]
# What is found besides pages and rows.
_sources: list[Callable[[HttpRequest, str], Hits]] = []


def register(source: Callable[[HttpRequest, str], Hits]) -> None:
    """Add what an app finds for a text in small letters. Called from its `admin`."""
    _sources.append(source)


def search_everything(request: HttpRequest, term: str) -> list[Hits]:
    """What this person may see of it, by kinds in the order of the menu; pages come first."""
    term = term.replace("\0", "").strip()[:LONGEST]
    if len(term) < SHORTEST:
        return []
    menu, lists = _menu(request), {list_url(model): pages for model, pages in admin.site._registry.items()}
    of_apps = (source(request, term.lower()) for source in _sources)
    kinds = [kind for kind in (_pages(menu, lists, term), *_rows(request, menu, lists, term), *of_apps) if kind.found]
    for kind in kinds:
        if len(kind.found) > MOST_OF_A_KIND:
            rest = [Hit(f"More {kind.title[:1].lower()}{kind.title[1:]}…", kind.more)] if kind.more else []
            kind.found = [*kind.found[:MOST_OF_A_KIND], *rest]
    for place, hit in enumerate((hit for kind in kinds for hit in kind.found), 1):
        hit.place = place
    return kinds


def named(words: str, *texts: str) -> bool:
    """Whether one of the texts has each of the words: a short one where a word begins, a longer one anywhere."""

    def is_in(word: str, text: str) -> bool:
        return word in text if len(word) > SHORTEST else re.search(rf"(?<![^\W_]){re.escape(word)}", text) is not None

    small = [text.lower() for text in texts]
    return all(any(is_in(word, text) for text in small) for word in words.lower().split())


def _menu(request: HttpRequest) -> list[Entry]:
    """The entries of the menus that the person sees, each with the title of its section: that of the admin, and that
    of the person.
    """
    sections = admin.site.get_sidebar_list(request)  # type: ignore[attr-defined]
    unfold: dict[str, Any] = settings.UNFOLD
    of_person = unfold["ACCOUNT"]["navigation"](request)
    return [
        *(
            item | {"section": section.get("title", "")}
            for section in sections
            for item in section["items"]
            if item["has_permission"]
        ),
        *(item | {"section": "Your own"} for item in of_person),
        {"title": "Help", "link": help_url(), "section": "", "words": "documentation, manual"},
    ]


def _pages(menu: Iterable[Entry], lists: Lists, term: str) -> Hits:
    found = [item for item in menu if named(term, item["title"], item["section"], _words(item, lists))]
    # The page that is called so before those of a section that is.
    found.sort(key=lambda item: not named(term, item["title"]))
    return Hits("Pages", "web_asset", [Hit(item["title"], str(item["link"]), item["section"]) for item in found])


def _words(item: Entry, lists: Lists) -> str:
    """What people call a page who do not know its title."""
    if "words" in item:
        return str(item["words"])
    pages = lists.get(str(item["link"]))
    row = settings.HELP.get(f"{pages.opts.app_label}_{pages.opts.model_name}", {}) if pages else {}
    return str(row.get("words", ""))


def _rows(request: HttpRequest, menu: list[Entry], lists: Lists, term: str) -> Iterator[Hits]:
    places = {str(item["link"]): place for place, item in reversed(list(enumerate(menu)))}
    for url, pages in sorted(lists.items(), key=lambda each: places.get(each[0], len(menu))):
        # `in_search` of a list says it where the rule does not.
        looked_in = getattr(pages, "in_search", not isinstance(pages, ReadOnlyAdmin))
        if not isinstance(pages, PortalAdmin) or not looked_in:
            continue
        if pages.get_search_fields(request) and pages.has_view_permission(request):
            icon = menu[places[url]]["icon"] if url in places else "list"
            hits = [_hit(request, row) for row in _rows_of(pages, request, term)]
            yield Hits(list_title(pages.model), icon, hits, f"{url}?{urlencode({'q': term})}")


def _rows_of(pages: PortalAdmin, request: HttpRequest, term: str) -> Any:
    own: Any = copy(pages)
    columns = {field.name for field in pages.model._meta.concrete_fields if not field.is_relation}
    paths = pages.get_search_fields(request)
    own.search_fields = [path for path in paths if path.lstrip("=").split("__")[0] in columns]
    rows, _ = own.get_search_results(request, own.tenant_rows(request), term)
    # Found first and read then: most lists have none, and what is not read costs nothing.
    keys = list(rows.values_list("pk", flat=True)[: MOST_OF_A_KIND + 1])
    if not keys:
        return []
    # What the names of rows are made of, and whose they are.
    beside = set(pages.list_select_related) if isinstance(pages.list_select_related, tuple | list) else set()
    fields = pages.model._meta.concrete_fields
    beside |= {field.name for field in fields if field.name == "account"}
    secrets = [field.name for field in fields if isinstance(field, EncryptedTextField | EncryptedBinaryField)]
    found = own.tenant_rows(request).filter(pk__in=keys).defer(*secrets)
    return found.select_related(*beside) if beside else found


def _hit(request: HttpRequest, row: Any) -> Hit:
    account = getattr(row, "account", None) if actor_of(request).is_staff else None
    # Many rows of such a list have the same name; the time shows which is which.
    when = exact(row.created_at) if (row._meta.ordering or [""])[0] == "-created_at" else ""
    return Hit(str(row), page_of(row), " · ".join(str(part) for part in (account, when) if part))
