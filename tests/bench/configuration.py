"""10,000 phones that are made from data, on PostgreSQL: what a change of a location would do, and the rollout after it.

A process of its own, as Django knows one database: on `DATABASE_URL` or, without it, on a server started for it. All
phones have lines of their own and one profile with the built-in template; half of them are in the location.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import tests.environment  # noqa: F401 - before Django reads its settings
from tests.bench.database import on_test_database
from tests.servers import postgres

PHONES = 10_000
TOGETHER = 2_000


def measure() -> Iterator[tuple[str, str]]:
    with postgres() as url:
        environment = os.environ | {"DATABASE_URL": url}
        command = [sys.executable, "-m", "tests.bench.configuration"]
        with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
            for line in process.stdout:
                what, figure = json.loads(line)
                yield what, figure
        if process.returncode:
            raise SystemExit(process.returncode)


def main() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    for row in on_test_database(_measure):
        print(json.dumps(row), flush=True)


def _measure() -> Iterator[tuple[str, str]]:
    from contacts_app.accounts.models import Account
    from contacts_app.core.work.queue import run_queue
    from phones_app.configuration.changes import CONFIGURATIONS, mark_due
    from phones_app.configuration.effect import what_changes
    from phones_app.configuration.models import Layer
    from phones_app.inventory.models import Phone
    from phones_app.inventory.services import Selection
    from phones_app.rollout.plan import make_plan

    account = Account.objects.create(voip_id=1, name="Fleet", email="fleet@example.com")
    _fleet(account)
    mark_due(Phone.objects.all())
    took = _timed(lambda: run_queue(CONFIGURATIONS))
    yield (
        f"what {PHONES:,} phones should run is worked out by a worker",
        f"{took[0]:.1f} s, {took[1]:.1f} s of processor",
    )
    layer = Layer.objects.get(kind="location")
    new = Layer(pk=layer.pk, uuid=layer.uuid, account=account, kind="location", name=layer.name)
    new.values = {"ntp_servers": "ntp.new.example"}
    took = _timed(lambda: what_changes(layer, new))
    yield (
        f"the change of a location with {PHONES // 2:,} phones, before it is saved",
        f"{took[0]:.1f} s, {took[1]:.1f} s of processor",
    )
    layer.values = new.values
    took = _timed(lambda: (layer.save(), run_queue(CONFIGURATIONS)))
    yield "saving it, and working out what these phones should run", f"{took[0]:.1f} s, {took[1]:.1f} s of processor"
    selection = Selection(Phone.objects.all())
    took = _timed(lambda: make_plan(selection=selection, profile=None))
    yield f"the dry run of a rollout to all {PHONES:,}", f"{took[0]:.1f} s, {took[1]:.1f} s of processor"
    mark_due(Phone.objects.all())
    took = _timed(lambda: make_plan(selection=selection, profile=None))
    yield "the same before a worker has got to any of them", f"{took[0]:.1f} s, {took[1]:.1f} s of processor"


def _timed(work: Callable[[], object]) -> tuple[float, float]:
    begun, used = time.monotonic(), time.process_time()
    work()
    return time.monotonic() - begun, time.process_time() - used


def _fleet(account) -> None:
    from contacts_app.people.models import User
    from phones_app.configuration.models import Layer, LayerLine
    from phones_app.inventory.models import Phone
    from phones_app.servers.models import FileServer
    from profiles_app.phone.models import Line, PhoneProfile, Source

    FileServer.objects.create(name="Files", host="127.0.0.1", is_default=True)
    owner = User.objects.create(email="ida@example.com", username="ida@example.com", account=account)
    profile = PhoneProfile.objects.create(user=owner, name="Desk", source=Source.BUILT_IN)
    Layer.objects.create(account=account, kind="account", values={"call_managers": "pbx.example.com"})
    Layer.objects.create(account=account, kind="location", name="Munich", values={"ntp_servers": "ntp.old.example"})
    for start in range(0, PHONES, TOGETHER):
        numbers = range(start, start + TOGETHER)
        phones = Phone.objects.bulk_create(
            [
                Phone(
                    account=account,
                    mac=f"0200000{number:05X}",
                    model="8845",
                    software_type="SIP",
                    current_profile=profile,
                    location="Munich" if number % 2 else "Berlin",
                )
                for number in numbers
            ]
        )
        lines = Line.objects.bulk_create(
            Line(account=account, extension=str(100_000 + number), auth_password=f"secret-{number}")
            for number in numbers
        )
        layers = Layer.objects.bulk_create(Layer(account=account, kind="phone", phone=phone) for phone in phones)
        LayerLine.objects.bulk_create(
            LayerLine(layer=layer, line=line) for layer, line in zip(layers, lines, strict=True)
        )


if __name__ == "__main__":
    main()
