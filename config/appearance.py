"""How the admin looks: name, logo, colours and navigation. Nothing of it is loaded from elsewhere."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import get_script_prefix, reverse, reverse_lazy
from django.utils.functional import lazy

from contacts_app.core.tables import table


def _file(name: str) -> Callable[[HttpRequest], str]:
    return lambda request: static(f"patchbay/{name}")


def _list_of(model: str, title: str, icon: str, page: str = "changelist", *of: str) -> dict[str, object]:
    """A link to the list of a model ("app.model"), or to another page of its admin, for those who may see it."""
    app, name = model.split(".")
    link = lazy(lambda: _link(f"admin:{app}_{name}_{page}", of, get_script_prefix()), str)()
    return {
        "title": title,
        "icon": icon,
        "link": link,
        "active": lambda request: _nearest(request.path, get_script_prefix()) == str(link),
        "permission": lambda request: request.user.has_perm(f"{app}.view_{name}"),
    }


def _section(items: list[dict[str, object]], **said: object) -> dict[str, Any]:
    """With all that Unfold's template asks of each: to find that it lacks something takes five times as long."""
    whole = {"title": "", "separator": False, "collapsible": False, "badge": None} | said
    return whole | {"items": [{"link_callback": None, "badge": None} | item for item in items]}


@lru_cache(maxsize=1024)
def _link(page: str, of: tuple[str, ...], prefix: str) -> str:
    """Remembered: each page of the admin shows all of them, and asks each whether it is its own."""
    return reverse(page, args=of)


@lru_cache(maxsize=1024)
def _nearest(path: str, prefix: str) -> str:
    """The link of the navigation that leads closest to a page: several lead to pages of one model.

    Each link of a page asks the same, and what it is answered depends on where the portal is mounted alone.
    """
    links = (str(item["link"]) for section in NAVIGATION[1:] for item in section["items"])
    return max((link for link in links if path.startswith(link)), key=len, default="")


TABLES = table(__file__, "appearance.toml")
HELP = table(__file__, "help.toml")
NAVIGATION: list[dict[str, Any]] = [
    _section(
        [
            {"title": "Overview", "icon": "dashboard", "link": reverse_lazy("admin:index")},
            {
                "title": "Change log",
                "icon": "manage_history",
                "link": reverse_lazy("change_log"),
                "permission": "contacts_app.core.history.log_page.may_see_change_log",
            },
            {
                "title": "Doctor",
                "icon": "stethoscope",
                "link": reverse_lazy("doctor"),
                "permission": lambda request: request.user.is_superuser,
            },
        ]
    ),
    *(
        _section([_list_of(*each) for each in section["items"]], title=section["title"], separator=place > 0)
        for place, section in enumerate(TABLES["section"])
    ),
]


def _own_pages(request: HttpRequest) -> list[dict[str, Any]]:
    """The menu of the person who is logged in; somebody who comes by single sign-on has no password here.

    `words`: what Ctrl+K finds a page by beside its title.
    """
    pages = [
        {"title": "Time zone", "link": reverse_lazy("admin:time_zone"), "words": "timezone, clock"},
        {"title": "Second factor", "link": reverse_lazy("second_factor"), "words": "2FA, TOTP, authenticator"},
    ]
    if request.user.is_authenticated and request.user.has_usable_password():
        pages.append({"title": "Change password", "link": reverse_lazy("admin:password_change")})
    return pages


UNFOLD = {
    "SITE_TITLE": "Patchbay",
    "SITE_HEADER": "Patchbay",
    "SITE_SUBHEADER": "Phone provisioning",
    "SITE_ICON": _file("icon.svg"),
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": _file("icon.svg")}],
    "SITE_URL": None,
    "SHOW_VIEW_ON_SITE": False,
    "DASHBOARD_CALLBACK": "contacts_app.core.admin.overview.overview",
    "STYLES": [_file("admin.css")],
    "SCRIPTS": [_file("admin.js")],
    "ACCOUNT": {"navigation": _own_pages},
    "COLORS": {"primary": TABLES["primary"]},
    "SIDEBAR": {"navigation": NAVIGATION},
}
