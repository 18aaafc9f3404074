"""Bills, payments, tickets: places of the menu that lead to the operator's own systems, by flag (portal spec §2)."""

from collections.abc import Iterator

from django.conf import settings

from profiles_app.myaccount.access import grants
from profiles_app.myaccount.portal.pages import Link, Visitor, register_links


def operators_links(visitor: Visitor) -> Iterator[Link]:
    for flag, link in settings.PORTAL_LINKS.items():
        if grants(visitor.flags, flag):
            yield Link(link["label"], link["url"])


register_links(operators_links)
