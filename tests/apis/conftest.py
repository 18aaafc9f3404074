"""One row of everything in Alice's account, and callers of all dialects."""

from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.utils import timezone

from contacts_app.contacts.models.contact import NotificationContact
from contacts_app.core.actor import system
from contacts_app.people.login import open_session
from contacts_app.people.models import User
from contacts_app.tokens.services import create_token
from phones_app.configuration.models import Layer
from phones_app.deployment.models import LeftFile
from phones_app.deployment.request import deploy
from phones_app.firmware.models import Firmware
from phones_app.inventory.models import Phone
from phones_app.inventory.services import Selection
from phones_app.mobility.enrolment import make_codes
from phones_app.mobility.models import DirectoryEntry, EnrolmentRequest, MobilitySession, SessionState
from phones_app.rollout import rollout as rollouts
from phones_app.rollout.models import Rollout
from phones_app.servers.models import CallManager, FileServer
from phones_app.shared_files import services as shared_files
from phones_app.shared_files import store
from profiles_app.calls.services import record_call
from profiles_app.messaging.models import NumberLease
from profiles_app.messaging.sending.models import MessageGateway
from profiles_app.messaging.services import save_number_lease
from profiles_app.phone.models import KeyLayout, PhoneProfile, PhoneTemplate
from tests.peers.http_receiver import Receiver
from tests.phones_app.site import sip_file

# What reading or being asked writes by itself.
RESTLESS = {"ApiToken", "LoginSession"}


class Caller:
    def __init__(self, token: str) -> None:
        self.http = Client(headers={"Authorization": f"Bearer {token}"}, raise_request_exception=False)

    def send(self, method: str, url: str, body: Any = None, content_type: str = "application/json") -> Any:
        extra = {} if body is None else {"data": body, "content_type": content_type}
        return getattr(self.http, method)(url, **extra)

    def make(self, url: str, body: Any) -> Any:
        response = self.send("post", url, body)
        assert response.status_code in (200, 201, 202), (url, response.content)
        return response.json()


def of(user: User) -> Caller:
    return Caller(open_session(user, "127.0.0.1").access)


@pytest.fixture
def owner(alice):
    return of(alice)


@pytest.fixture
def stranger(charlie):
    return of(charlie)


@pytest.fixture
def rows(owner, alice, bob, acme, settings, no_inline_work, tmp_path) -> dict[str, Any]:
    """What stands in URLs, by the names of tests/apis/routes.py."""
    settings.SHARED_FILES_DIR = tmp_path / "shared-files"
    settings.CALLBACK_NETWORKS = "127.0.0.0/8"
    with Receiver().running() as receiver:
        found = phone_rows(owner, alice) | profile_rows(owner, alice) | event_rows(owner, acme, receiver)
    return found | {
        "contact": NotificationContact.objects.get(account=acme).uuid,
        "voip_id": acme.voip_id,
        "account_email": acme.email,
        "user": alice.uuid,
        "token": create_token(account=acme, name="script", created_by=alice)[0].uuid,
    }


def phone_rows(owner: Caller, alice: User) -> dict[str, Any]:
    acme, actor = alice.account, alice.as_actor("rest")
    server = FileServer.objects.create(name="F", host="127.0.0.1", port=1, account=acme, is_default=True)
    manager = CallManager.objects.create(name="C", host="127.0.0.1", port=1, kind="sip", account=acme)
    line = owner.make("/api/v1/lines", {"extension": "7101", "label": "Line of Acme"})["data"]
    extension = owner.make("/api/v1/extensions", {"number": 101, "name": "Reception of Acme"})["data"]
    body = {"user_uuid": str(alice.uuid), "name": "Acme's", "cnf_xml": sip_file()}
    made = owner.make("/api/v1/phone-profiles", body)["data"]
    profile = PhoneProfile.objects.get(uuid=made["uuid"])
    phone = Phone.objects.create(mac="AABBCCDDEE01", account=acme, current_profile=profile)
    deployment = deploy(phone=phone, profile=profile, actor=actor)
    Phone.objects.create(mac="AABBCCDDEE02", account=acme)
    selection = Selection(Phone.objects.filter(mac="AABBCCDDEE02"))
    rollout = rollouts.start(selection=selection, profile=profile, actor=actor, pace=Rollout())
    left = LeftFile.objects.create(
        account=acme, mac="AABBCCDDEE03", server=server, reason="Acme's phone was deleted", left_at=timezone.now()
    )
    session = MobilitySession.objects.create(
        account=acme, phone=phone, mac=phone.mac, user=alice, person_name="Alice Archer", profile=profile,
        profile_name=profile.name, state=SessionState.LOGGED_IN, requested_by="test", channel="rest",
    )  # fmt: skip
    entry = DirectoryEntry.objects.create(user=alice, name="Dentist", number="+351 555 0199")
    template = PhoneTemplate.objects.create(account=acme, name="Acme's template", text=sip_file())
    layer = Layer.objects.create(account=acme, kind="location", name="Acme's place")
    layout = KeyLayout.objects.create(account=acme, name="Acme's keys")
    ends = timezone.now() + timedelta(days=1)
    [(code, _)] = make_codes(account=acme, profile=profile, expires_at=ends, actor=actor)
    asked = EnrolmentRequest.objects.create(account=acme, mac="AABBCCDDEE04", address="127.0.0.1", user=alice)
    return {
        "mobility_session": session.uuid,
        "template": template.uuid,
        "key_layout": layout.uuid,
        "layer": layer.uuid,
        "directory_entry": entry.uuid,
        "enrolment_code": code.uuid,
        "enrolment_request": asked.uuid,
        "file_server": server.uuid,
        "shared_file": shared_files.put("Ringlist.xml", store.store([b"<rings of='Acme'/>"]), account=acme).uuid,
        "firmware": Firmware.objects.create(account=acme, load="SIP42.9-4-2SR3-1S", size=1).uuid,
        "call_manager": manager.uuid,
        "extension": extension["id"],
        "line": line["uuid"],
        "line_label": line["label"],
        "extension_name": extension["name"],
        "phone_profile": profile.uuid,
        "phone_profile_name": profile.name,
        "revision": 1,
        "mac": phone.mac,
        "shown_mac": phone.mac_with_colons,
        "deployment": deployment.uuid,
        "left_file": left.pk,
        "left_reason": left.reason,
        "rollout": rollout.uuid,
    }


def profile_rows(owner: Caller, alice: User) -> dict[str, Any]:
    messaging = owner.make("/rest/profile/messaging", {"name": "Acme's"})["payload"]
    voice = owner.make("/rest/profile/outbound_voice", {"name": "Acme's"})["payload"]
    call = {"destination": "12025550123", "call_id": "call-1"}
    admitted = owner.make(f"/rest/profile/outbound_voice/{voice['uuid']}/admission", call)["payload"]
    lease = save_number_lease(NumberLease(account=alice.account, tn=12025550101), actor=system("test"))
    connection = owner.make("/rest/sip/connection", {"name": "Acme's"})["payload"]
    app = owner.make("/rest/sip/app", {"name": "Acme's"})["payload"]
    order = owner.make("/rest/tnorder", {"quantity": 1})["payload"]
    call, _ = record_call(
        account=alice.account, call_id="call-of-acme", direction="inbound", caller="+351555", called="101",
        started_at=timezone.now(),
    )  # fmt: skip
    MessageGateway.objects.create(name="Simulated", kind="simulated")
    message = owner.make("/rest/sms", {"to": "33100000001", "text": "From Acme", "from": str(lease.tn)})["payload"]
    portal = owner.make("/backend/api/v1/myAccountCustomerProfiles/", {"name": "Acme's portal"})
    return {
        "call": call.uuid,
        "call_id": call.call_id,
        "messaging_profile": messaging["uuid"],
        "voice_profile": voice["uuid"],
        "reservation": admitted["reservation"],
        "lease": lease.uuid,
        "sip_connection": connection["uuid"],
        "sip_app": app["uuid"],
        "number_order": order["uuid"],
        "message": message["uuid"],
        "myaccount_profile": portal["id"],
        "myaccount_name": portal["name"],
    }


def event_rows(owner: Caller, acme: Any, receiver: Receiver) -> dict[str, Any]:
    base = f"/v4/accounts/{acme.voip_id}/integrations/events"
    profile = owner.make(f"{base}/profiles", {"name": "Acme's events", "support_email": "a@acme.example"})
    body = {"name": "Acme's callback", "config": {"url": receiver.url}, "profile_id": profile["id"]}
    callback = owner.make(f"{base}/callbacks", body)
    listener = owner.make(f"{base}/listeners", {"callback_id": callback["id"]})
    below = f"{base}/listeners/{listener['id']}"
    return {
        "event_profile": profile["id"],
        "event_profile_name": profile["name"],
        "callback": callback["id"],
        "callback_name": callback["name"],
        "listener": listener["id"],
        "listens": f'"callback_id":{callback["id"]}',
        "subscription": owner.make(f"{below}/subscriptions", {":tags": ["call"]})["id"],
        "filter": owner.make(f"{below}/filters", {"filter_type": "number", "filter_value": {"eq": "+15551234567"}})[
            "id"
        ],
    }


def everything() -> dict[str, list[Any]]:
    """All rows of all our tables as they are stored, but for what is written when somebody asks."""
    models = [
        model
        for label in ("contacts_app", "profiles_app", "phones_app")
        for model in apps.get_app_config(label).get_models()
        if model.__name__ not in RESTLESS
    ]
    with connection.cursor() as cursor:
        return {model.__name__: _stored(cursor, model) for model in models}


def _stored(cursor: Any, model: type[Model]) -> list[Any]:
    """Read past Django's queries, which take nine times as long."""
    quote = connection.ops.quote_name
    key = quote(model._meta.pk.column)
    cursor.execute(f"SELECT * FROM {quote(model._meta.db_table)} ORDER BY {key}")
    return cursor.fetchall()
