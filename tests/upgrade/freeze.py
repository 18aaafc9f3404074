"""`python -m tests.upgrade.freeze [name]`: keep a database of this version, from which tests/upgrade upgrades later.

Filled through commands and REST, by a running portal, so that each row is one that this version really writes. To be
run right before a version is released, with the version as its name (docs/releasing.md).
"""

import datetime
import sys
from typing import Any

from tests.commands import run
from tests.peers.http_receiver import Receiver
from tests.portal import OWNER, PASSWORD, SECONDS, Portal, with_portal
from tests.servers import wait_for
from tests.upgrade import dump

SECRET = "frozen password"


def bodies(portal: Portal) -> list[tuple[str, dict[str, Any]]]:
    """What to create: the URL and the body. The rows that need others are made by `fill`."""
    return [
        ("/api/v1/auth/login", {"username": OWNER, "password": PASSWORD}),
        ("/api/v1/extensions", {"number": 101, "name": "Reception"}),
        ("/api/v1/users", {"email": "second@example.org", "password": "tr0ub4dor & three"}),
        ("/api/v1/file-servers", {"name": "Own", "host": "192.0.2.1", "username": "u", "password": SECRET}),
        ("/api/v1/call-managers", {"name": "PBX", "kind": "sip", "host": "192.0.2.2", "password": SECRET}),
        ("/api/2.0/notification_contacts/", {"name": "Night shift", "email": "night@example.org"}),
        ("/rest/profile/messaging", {"name": "Messages", "callback_url": "https://example.org/in"}),
        ("/rest/profile/outbound_voice", {"name": "Calls"}),
        ("/backend/api/v1/myAccountCustomerProfiles/", {"name": "Portal"}),
    ]


def fill(portal: Portal) -> None:
    for url, body in bodies(portal):
        portal.post(url, body)
    with Receiver().running() as receiver:
        listen(portal, receiver.url)
        deploy(portal)
        run("emit_event", "call", "--account", portal.voip_id)
        wait_for(lambda: len(receiver.requests) > 1, SECONDS)
        run("load_demo")
        access = {"token": portal.token, "voip_id": portal.voip_id, "user": portal.owner, "secret": SECRET}
        dump.write(dump.FOLDER / f"{NAME}.json.xz", **access)


def listen(portal: Portal, url: str) -> None:
    """A callback that hears of everything, and its event profile."""
    base = f"/v4/accounts/{portal.voip_id}/integrations/events"
    profile = portal.post(f"{base}/profiles", {"name": "Events", "support_email": OWNER})
    body = {"name": "Receiver", "config": {"url": url}, "profile_id": profile["id"]}
    callback = portal.post(f"{base}/callbacks", body)
    listener = portal.post(f"{base}/listeners", {"callback_id": callback["id"]})
    below = f"{base}/listeners/{listener['id']}"
    for tag in ("call", "deployment"):
        portal.post(f"{below}/subscriptions", {":tags": [tag]})


def deploy(portal: Portal) -> None:
    """A confirmed switch, and a rollout of one phone that ends confirmed, too."""
    first, second = portal.macs
    profile = portal.profile_for(first)
    portal.post("/api/v1/phone-profiles/switch", {"profile_uuid": profile, "mac": first})
    wait_for(lambda: portal.is_confirmed(first), SECONDS)
    portal.post("/api/v1/rollouts", {"profile_uuid": portal.profile_for(second), "macs": [second]})
    wait_for(lambda: portal.is_confirmed(second), SECONDS)


NAME = sys.argv[1] if len(sys.argv) > 1 else datetime.date.today().isoformat()

if __name__ == "__main__":
    with_portal(fill, CALLBACK_NETWORKS="127.0.0.0/8", EMAIL_URL="dummymail://", **dump.KEYS)
