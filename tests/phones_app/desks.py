"""Phones and profiles of two accounts, without any peer on the network."""

import pytest

from contacts_app.core.actor import system
from phones_app.inventory.models import Phone
from phones_app.servers.models import FileServer
from profiles_app.phone.models import PhoneProfile
from profiles_app.phone.services import create_profile
from tests.admin_people import at_desk, clerk
from tests.phones_app.site import sip_file


@pytest.fixture
def root_desk(root):
    return at_desk(root)


@pytest.fixture
def acme_clerk(acme):
    return clerk(acme)


@pytest.fixture
def clerk_desk(acme_clerk):
    return at_desk(acme_clerk)


@pytest.fixture
def new_phone(acme):
    """A phone of Acme, unless told otherwise."""

    def make(mac: str = "AABBCCDDEE01", **fields: object) -> Phone:
        return Phone.objects.create(mac=mac, **({"account": acme, "model": "8845", "software_type": "SIP"} | fields))

    return make


@pytest.fixture
def new_profile(alice):
    def make(name: str = "Reception", content: str = "", user=alice, **fields: object) -> PhoneProfile:
        return create_profile(
            actor=system("test"), user=user, name=name, content=(content or sip_file()).encode(), **fields
        )

    return make


@pytest.fixture
def shared_server(db):
    return FileServer.objects.create(name="Shared", host="127.0.0.1", port=1, is_default=True)
