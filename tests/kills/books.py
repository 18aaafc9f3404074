"""What was asked for and acknowledged, while everything around it dies; and whether it is what came about."""

import hashlib
import json
import random
import threading
import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.db import Error, connection

from tests.kills.installation import PHONES, PROFILES, Client, Installation
from tests.peers.http_receiver import Receiver
from tests.phones_app.site import sip_file

PAUSE = 0.25
# So many of the last things that happened to a phone are told of one that is not as it should be.
NOTES = 30
SETTLE_SECONDS = 120.0
TRUE_ENDS = (("confirmed", ""), ("restart_acknowledged", "no-evidence"))


class Books:
    """The customers of one account: phones to deploy to, events to be told of, mails to be sent."""

    def __init__(self, installation: Installation, seed: int, stack: ExitStack) -> None:
        from contacts_app.accounts.services import create_account
        from contacts_app.core.actor import system
        from contacts_app.people.models import User
        from contacts_app.tokens.services import create_token
        from phones_app.inventory.models import Phone
        from phones_app.simulator.fleet import FleetThread
        from phones_app.simulator.phone import SimulatedPhone
        from phones_app.simulator.state import SimulatedPhoneConfig
        from profiles_app.phone.services import create_profile

        self.installation, self.seed = installation, seed
        self.notes: defaultdict[str, deque[str]] = defaultdict(lambda: deque(maxlen=NOTES))
        account = create_account(voip_id=1000001, name="Acme", email="office@acme.example")
        owner = User.objects.create_user("owner@acme.example", "correct horse", account=account, permission_level=0)
        self.client = Client(installation.url, create_token(account=account)[1])
        self.events_url = f"/v4/accounts/{account.voip_id}/integrations/events"
        self.contents: dict[str, bytes] = {}
        for number in range(PROFILES):
            # Large enough that its way to the server takes a while.
            text = sip_file(f"2{number:03}").replace("<fullConfig>", f"<!-- {str(number) * 40_000} --><fullConfig>")
            profile = create_profile(actor=system("kills"), user=owner, name=f"Profile {number}", content=text.encode())
            self.contents[str(profile.uuid)] = text.encode()
        self.folder = settings.PHONE_FILES_DIR
        self.folder.mkdir(parents=True, exist_ok=True)
        first = next(iter(self.contents.values()))
        phones = []
        for number in range(PHONES):
            mac = f"0200000000{number:02X}"
            (self.folder / f"SEP{mac}.cnf.xml").write_bytes(first)
            config = SimulatedPhoneConfig(
                mac=mac,
                config_url=f"http://127.0.0.1:{settings.FILE_SERVER_HTTP_PORT}",
                boot_seconds=0.2,
                retry_seconds=0.3,
            )
            phones.append(SimulatedPhone(config, self._note))
        self.fleet = stack.enter_context(FleetThread(phones))
        assert self.fleet.wait_until(lambda: all(phone.registered for phone in phones), 60)
        for phone in phones:
            Phone.objects.create(
                mac=phone.config.mac, account=account, model="8845", software_type="SIP", phone_ip="127.0.0.1",
                sip_port=phone.sip_port, web_port=phone.web_port,
            )  # fmt: skip
        self.macs = [phone.config.mac for phone in phones]
        self.wanted: dict[str, str] = {}
        self.receiver = stack.enter_context(Receiver().running())
        self.client.post(
            f"{self.events_url}/overview",
            {
                ":callback": {"config": {"url": self.receiver.url}},
                ":subscriptions": [{":tags": ["call"]}],
                ":filters": [],
            },
        )
        # A new callback is tried.
        self.receiver.requests.clear()
        self.events: list[str] = []
        self.mail_server = installation.mail_server
        self.mails: list[str] = []
        self.odd: set[str] = set()
        self.summary = "it did not come to rest"
        self._open, self._over = threading.Event(), threading.Event()
        self._pausing = threading.Barrier(4)
        self._open.set()
        for number, customer in enumerate((self._deploy, self._tell, self._write)):
            thread = threading.Thread(target=self._serve, args=(customer, random.Random(f"{seed}-{number}")))
            thread.start()
            stack.callback(thread.join)
        stack.callback(self._over.set)
        stack.callback(self._open.set)

    def _serve(self, customer: Callable[[random.Random], None], chance: random.Random) -> None:
        try:
            while not self._over.is_set():
                if not self._open.is_set():
                    self._pausing.wait()
                    self._open.wait()
                    continue
                customer(chance)
                time.sleep(chance.uniform(0, 2 * PAUSE))
        except threading.BrokenBarrierError:
            pass
        except Exception as error:
            self.odd.add(f"a customer gave up: {error!r}")
            self._pausing.abort()
        finally:
            connection.close()

    def _note(self, mac: str, text: str) -> None:
        self.notes[mac].append(f"{datetime.now(UTC):%T.%f} the phone {text}")

    def _deploy(self, chance: random.Random) -> None:
        macs, profile = chance.sample(self.macs, chance.randint(1, 3)), chance.choice(list(self.contents))
        answer = self.client.post("/api/v1/deployments", {"profile_uuid": profile, "macs": macs})
        assert len(answer["data"]["deployments"]) == len(macs), answer
        self.wanted |= dict.fromkeys(macs, profile)
        for mac in macs:
            # Nobody ever sees a half of a file.
            if self._file(mac) not in self.contents.values():
                self.odd.add(f"half a file of {mac}")

    def _tell(self, chance: random.Random) -> None:
        from tests.profiles_app.events.deliveries.events import call

        answer = self.client.post(
            f"{self.events_url}/ingest", {"events": [call() for _ in range(chance.randint(1, 5))]}
        )
        self.events += [item["uuid"] for item in answer["items"]]

    def _write(self, chance: random.Random) -> None:
        from contacts_app.contacts.mail import queue_mail

        address = f"person-{len(self.mails)}@acme.example"
        context = {"heading": "Something happened", "notices": [], "more": 0, "path": "/"}
        for _ in range(600):
            try:
                # Of one group there is one mail to an address, however often it is written.
                queue_mail(to=[address], template="contacts_app/contacts/mail/notices", context=context, group="kills")
                break
            except Error:
                connection.close()
                time.sleep(0.1)
        self.mails.append(address)

    def _file(self, mac: str) -> bytes:
        return (self.folder / f"SEP{mac}.cnf.xml").read_bytes()

    def _story(self, mac: str) -> str:
        """What happened to a phone lately, as itself and the rows tell it."""
        from phones_app.boot.models import FileFetch
        from phones_app.deployment.models import Deployment

        lines = list(self.notes[mac])
        for one in Deployment.objects.filter(mac=mac).order_by("-created_at")[:5]:
            lines.append(f"{one.created_at:%T.%f} asked for {one.sha256[:12]}: {one.state} {one.error_code}")
            for step in one.steps.all():
                end = step.finished_at.strftime("%T.%f") if step.finished_at else "?"
                lines.append(
                    f"{step.started_at:%T.%f} {step.kind} {step.state} until {end} {step.message} {step.detail}"
                )
        fetches = FileFetch.objects.filter(mac=mac).order_by("-fetched_at")[:5]
        lines += [f"{one.fetched_at:%T.%f} fetched {one.sha256[:12]}" for one in fetches]
        return "\n".join(f"    {line}" for line in sorted(lines))

    # --- Settling -----------------------------------------------------------------------------------------------------

    def settle(self) -> list[str]:
        """Let everything come to rest, with no customer and no killer at work; what is not as it should be."""
        self._open.clear()
        end = time.monotonic() + SETTLE_SECONDS
        # Customers come to their pause once they are answered.
        while self._pausing.n_waiting < 3 and not self._pausing.broken and time.monotonic() < end:
            self.installation.look_after()
            time.sleep(0.05)
        try:
            self._pausing.wait(1)
        except threading.BrokenBarrierError:
            return [*self.odd, "a customer was not answered in time"]
        end = time.monotonic() + SETTLE_SECONDS
        open_ones = ["not looked at"]
        while open_ones and time.monotonic() < end:
            self.installation.look_after()
            time.sleep(0.3)
            try:
                open_ones = self._open_ones()
            except Error as error:
                open_ones = [f"the database says: {error}"]
                connection.close()
        found = [f"not settled: {one}" for one in open_ones]
        if not open_ones:
            found += self._wrong()
        self._open.set()
        return found

    def _open_ones(self) -> list[str]:
        from contacts_app.contacts.models.mail import Mail
        from phones_app.deployment.models import Deployment
        from profiles_app.events.models.outbox import Delivery, Event

        rows: dict[str, Any] = {
            "deployments": Deployment.objects.filter(finished_at=None),
            "events": Event.objects.filter(matched_at=None),
            "deliveries": Delivery.objects.filter(state="pending"),
            "mails": Mail.objects.filter(state="queued"),
        }
        booting = [f"{mac} is not registered" for mac in self.macs if not self.fleet[mac].registered]
        return booting + [f"{name}: {list(some.values()[:3])}" for name, some in rows.items() if some.exists()]

    def _wrong(self) -> list[str]:
        from phones_app.deployment.models import Deployment, State
        from profiles_app.events.models.outbox import Delivery, DeliveryAttempt

        wrong = [*self.odd, *self.client.broken]
        self.odd, self.client.broken, self.unproven = set(), [], 0
        for mac, profile in self.wanted.items():
            if self._file(mac) != self.contents[profile]:
                wrong.append(f"lost: {mac} has not the file that was asked for last")
            newest = Deployment.objects.filter(mac=mac).order_by("-created_at", "-pk").first()
            runs = self.fleet[mac].device_file
            has_it = runs is not None and runs.sha256 == hashlib.sha256(self.contents[profile]).hexdigest()
            # A fetch that was served, and not written down as the file server was killed just then, confirms nothing.
            state = (newest.state, newest.error_code) if newest else ("", "")
            if state not in TRUE_ENDS:
                wrong.append(f"lost: {mac} {newest and (*state, newest.error)}")
            elif not has_it:
                wrong.append(f"untrue: {mac} is {state[0]} and runs another file\n{self._story(mac)}")
            self.unproven += state[0] != State.CONFIRMED
            told = Deployment.objects.filter(mac=mac).exclude(restarted_at=None).count()
            if self.fleet[mac].restarts > told:
                wrong.append(f"doubled: {mac} was restarted {self.fleet[mac].restarts} times by {told} deployments")
        heard = Counter(json.loads(request.body)["uuid"] for request in list(self.receiver.requests))
        wrong += [f"lost: event {uuid}" for uuid in self.events if not heard[uuid]]
        undelivered = Delivery.objects.exclude(state="delivered")
        wrong += [f"lost: delivery {one.state} {one.outcome}" for one in undelivered[:5]]
        per_delivery = Counter(DeliveryAttempt.objects.filter(ok=True).values_list("delivery", flat=True))
        wrong += [f"doubled: delivery {key}" for key, number in per_delivery.items() if number > 1]
        got = Counter(address for to in list(self.mail_server.recipients) for address in to)
        wrong += [f"lost: mail to {address}" for address in self.mails if not got[address]]
        wrong += [f"orphan: {path.name}" for path in self.folder.glob(".*")]
        self.summary = (
            f"{Deployment.objects.count()} deployments (the last of {self.unproven} phones without evidence), "
            f"{sum(self.fleet[mac].restarts for mac in self.macs)} restarts, "
            f"{len(self.events)} events ({sum(heard.values()) - len(heard)} sent again), {len(self.mails)} mails "
            f"({sum(got.values()) - len(got)} sent again), {self.client.busy} answers of 503"
        )
        return wrong
