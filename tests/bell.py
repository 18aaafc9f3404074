"""The bell above the pages of the admin, as a person reads it."""

import lxml.html
from django.test import Client
from django.urls import reverse

BELL, HOME = reverse("admin:work"), reverse("admin:index")


def bell_of(desk: Client) -> str:
    page = lxml.html.fromstring(desk.get(HOME).text)
    return page.xpath("//details[contains(@class, 'pb-work')]/summary/@aria-label")[0]


def told(desk: Client) -> dict[str, tuple[str, str]]:
    """By its title what the opened bell says of each piece of work, and where it leads."""
    rows = lxml.html.fromstring(desk.get(BELL).text).xpath("//li/a")
    return {row.findtext("strong"): (" ".join(row.text_content().split()), row.get("href")) for row in rows}
