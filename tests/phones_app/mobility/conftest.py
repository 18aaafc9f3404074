"""Phones that people log in on: a site with base profiles, people with PINs, and their device profiles."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client
from lxml import etree

from contacts_app.core.work.queue import run_queue
from phones_app.deployment.request import DEPLOYMENTS
from phones_app.mobility import switch
from phones_app.mobility.timers import MOBILITY
from phones_app.simulator.objects import read_object
from profiles_app.phone.services import create_profile
from tests.phones_app.playing import play
from tests.phones_app.site import ACTOR, sip_file

PIN = "2580"


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """What phones do not notice on loopback takes no time here."""
    monkeypatch.setattr(switch, "ANSWER_FIRST", timedelta(seconds=0.2))


@pytest.fixture
def people(acme, alice, bob):
    """Alice and Bob have a PIN and a device profile each, by their first names: `people["Bob"]`."""
    for person in (alice, bob):
        person.set_pin(PIN)
        person.save()
    return {person.first_name: person for person in (alice, bob)}


@pytest.fixture
def device(people):
    """A device profile of a person, whose line is called after them."""

    def make(name: str, line: str = "", **fields: object):
        content = sip_file(line or f"7{len(name)}01", name).encode()
        return create_profile(actor=ACTOR, user=people[name], name=f"{name}'s", content=content, **fields)

    return make


@pytest.fixture
def mobile(site, people, root, no_inline_work):
    """A phone that takes part: its base profile belongs to the portal's staff."""
    base = create_profile(actor=ACTOR, user=root, name="Logged out", content=sip_file("1000", "Logged out").encode())

    def make(**fields: object):
        return site.phone(base_profile=base, first_file=base.cnf_xml, **fields)

    make.base = base
    return make


@pytest.fixture
def work():
    """Play the workers until what is asked for holds."""

    def until(holds, seconds: float = 180) -> None:
        def work() -> None:
            run_queue(DEPLOYMENTS)
            run_queue(MOBILITY)

        play(work, holds, seconds, lambda: "it did not come to this")

    return until


@dataclass
class Shown:
    """What a phone shows, and when it loads another page by itself."""

    root: Any
    body: bytes
    refresh: str

    @property
    def tag(self) -> str:
        return self.root.tag

    @property
    def words(self) -> str:
        assert self.tag == "CiscoIPPhoneText"
        return self.root.findtext("Text")

    @property
    def items(self) -> dict[str, str]:
        assert self.tag == "CiscoIPPhoneMenu"
        names, urls = (self.root.xpath(f"MenuItem/{part}/text()") for part in ("Name", "URL"))
        return dict(zip(names, map(_path, urls), strict=True))

    @property
    def url(self) -> str:
        return _path(self.root.findtext("URL"))

    def all(self, path: str) -> list[str]:
        return self.root.xpath(f"{path}/text()")


def _path(url: str) -> str:
    return url.removeprefix("http://testserver")


@pytest.fixture
def screen():
    """A phone looks at a page of the log-in service, or follows a path that it was shown."""

    def ask(view: str, phone=None, *, method: str = "get", address: str = "127.0.0.1", **query: str) -> Shown:
        path = view if view.startswith("/") else f"/cisco/services/{view}"
        named = {"device": f"SEP{phone.mac}"} if phone is not None else {}
        client = Client(REMOTE_ADDR=address, raise_request_exception=False)
        if method == "get" and "?" in path:
            # As phones do it, with what was typed behind what stands there.
            path, query = f"{path}&{urlencode(query)}" if query else path, {}
        response = getattr(client, method)(path, named | query)
        assert response.status_code == 200
        read_object(response.content, response["Content-Type"], "")  # within the limits of phones, or refused
        return Shown(etree.fromstring(response.content), response.content, response.headers.get("Refresh", ""))

    return ask
