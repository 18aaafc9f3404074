"""The URLs below /my-account/: those before the log-in, then those of every page that subjects have declared.

Included last of all, by the roof, when the subjects above have declared theirs.
"""

from django.urls import path

from profiles_app.myaccount.portal import contacts, home, links, me, people
from profiles_app.myaccount.portal.forgotten import PAGES_FOR_PASSWORDS
from profiles_app.myaccount.portal.gate import guarded, nowhere
from profiles_app.myaccount.portal.login import PAGES_BEFORE
from profiles_app.myaccount.portal.operator import logo, look
from profiles_app.myaccount.portal.pages import PAGES

app_name = "portal"
urlpatterns = [
    *(path(f"{name}/", view, name=name) for name, view in PAGES_BEFORE.items()),
    *(path(route, view, name=name) for route, (name, view) in PAGES_FOR_PASSWORDS.items()),
    path("look.css", look, name="look"),
    path("logo", logo, name="logo"),
    *(path(url.route, guarded(url), name=url.name) for page in PAGES.values() for url in page.urls),
    # The rest says so in the portal's looks.
    path("<path:rest>", guarded(nowhere)),
]
__all__ = ["contacts", "home", "links", "me", "people", "urlpatterns"]
