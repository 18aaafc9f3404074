"""Home: what the account has and what is wrong with it, from the pages that the visitor may open (portal spec §2)."""

from django.http import HttpResponse
from django.utils.translation import gettext_lazy as _

from profiles_app.myaccount.portal.pages import PANELS, Page, PortalRequest, show

HOME = Page("home", _("Home"), place=0, own=True, always=True, at="")


@HOME.url()
def home(request: PortalRequest) -> HttpResponse:
    """Without a profile, or with one that grants nothing, it shows the person's own details alone."""
    visitor = request.visitor
    panels = [
        {"page": panel.page, "facts": panel.facts(visitor), "template": panel.template, **panel.context(visitor)}
        for panel in sorted(PANELS, key=lambda panel: panel.page.place)
        if panel.page.is_open(visitor)
    ]
    return show(request, "profiles_app/myaccount/portal/home.html", {"panels": panels})
