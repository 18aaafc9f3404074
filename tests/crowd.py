"""`python -m tests.crowd`: many clients at once read and write over REST, while workers deploy and deliver.

Nobody may be answered by a 5xx, and no write may wait for 5 seconds, on a machine that has nothing else to do.
"""

import argparse
import http.client
import json
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

from tests.kills.installation import Installation, running
from tests.peers.http_receiver import Receiver
from tests.peers.mail import MailServer

LONGEST_WRITE = 5.0
PHONES = 100
READS = (
    "/api/v1/phones?page_size=20",
    "/api/v1/deployments?page_size=20",
    "/api/v1/phone-profiles",
    "/api/v1/phones/{mac}",
)


class Customers:
    """An account with phones that nothing answers for, two profiles, and a callback."""

    def __init__(self, installation: Installation, receiver: Receiver) -> None:
        from contacts_app.accounts.services import create_account
        from contacts_app.core.actor import system
        from contacts_app.people.models import User
        from contacts_app.tokens.services import create_token
        from phones_app.inventory.models import Phone
        from profiles_app.phone.services import create_profile
        from tests.phones_app.site import sip_file

        account = create_account(voip_id=1000001, name="Acme", email="office@acme.example")
        owner = User.objects.create_user("owner@acme.example", "correct horse", account=account, permission_level=0)
        self.port = int(installation.url.rpartition(":")[2])
        self.token = create_token(account=account)[1]
        self.events = f"/v4/accounts/{account.voip_id}/integrations/events"
        self.phones = [
            Phone.objects.create(mac=f"0200000001{number:02X}", account=account, model="8845", software_type="SIP")
            for number in range(PHONES)
        ]
        self.profiles = [
            create_profile(actor=system("crowd"), user=owner, name=line, content=sip_file(line).encode())
            for line in ("1001", "1002")
        ]
        self.statuses: Counter[int] = Counter()
        self.waits: list[float] = []
        self.odd: list[str] = []
        overview = {
            ":callback": {"config": {"url": receiver.url}},
            ":subscriptions": [{":tags": ["call"]}],
            ":filters": [],
        }
        self.ask(self.connection(), "POST", f"{self.events}/overview", overview)

    def connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)

    def ask(self, connection: http.client.HTTPConnection, method: str, path: str, body: Any = None) -> None:
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        started = time.monotonic()
        try:
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            said, status = answer.read(), answer.status
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            said, status = repr(error).encode(), 0
        self.statuses[status] += 1
        if method != "GET":
            self.waits.append(time.monotonic() - started)
        if not 200 <= status < 300:
            self.odd.append(f"{method} {path}: {status} {said[:200]!r}")

    def come(self, seed: int, end: float) -> None:
        from tests.profiles_app.events.deliveries.events import call

        chance, connection = random.Random(seed), self.connection()
        while time.monotonic() < end:
            phone = chance.choice(self.phones)
            what = chance.random()
            if what < 0.5:
                self.ask(connection, "GET", chance.choice(READS).format(mac=phone.mac))
            elif what < 0.75:
                self.ask(connection, "PATCH", f"/api/v1/phones/{phone.mac}", {"name": f"Desk {chance.random()}"})
            elif what < 0.9:
                self.ask(connection, "POST", f"{self.events}/ingest", {"events": [call()]})
            else:
                body = {"profile_uuid": str(chance.choice(self.profiles).uuid), "macs": [phone.mac]}
                self.ask(connection, "POST", "/api/v1/deployments", body)
        connection.close()


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.crowd", description=__doc__)
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--longest-write", type=float, default=LONGEST_WRITE, help="in seconds")
    parser.add_argument("--on", choices=["postgresql", "sqlite"], default="sqlite")
    options = parser.parse_args(arguments)
    mail_server = MailServer()
    with (
        tempfile.TemporaryDirectory(prefix="crowd-", ignore_cleanup_errors=True) as name,
        mail_server.running(),
        Receiver().running() as receiver,
        running(Path(name), options.on, mail_server, own=False) as installation,
    ):
        customers = Customers(installation, receiver)
        end = time.monotonic() + options.seconds
        crowd = [threading.Thread(target=customers.come, args=(seed, end)) for seed in range(options.clients)]
        for one in crowd:
            one.start()
        for one in crowd:
            one.join()
        waits = sorted(customers.waits)
        print(
            f"{options.clients} clients for {options.seconds:.0f} s on {options.on}: answers {dict(customers.statuses)}; "
            f"{len(waits)} writes waited {waits[len(waits) // 2]:.2f} s (median), {waits[len(waits) * 99 // 100]:.2f} s "
            f"(99 %), {waits[-1]:.2f} s (longest); {len(receiver.requests)} events delivered"
        )
        print(*customers.odd[:20], sep="\n")
        return int(bool(customers.odd) or waits[-1] > options.longest_write)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
