"""10,000 phones that are made from data, on PostgreSQL: what a change of a location would do, and the rollout after it.

All phones have lines of their own and one profile with the built-in template; half of them are in the location.
Processor time is ours for each of all phones.
"""

import time
from collections.abc import Callable, Iterator

from tests.bench.database import on_test_database
from tests.bench.figures import Figure
from tests.bench.sizes import size

PHONES = size("BENCH_PHONES", 10_000)
TOGETHER = min(2_000, PHONES)


def measure() -> Iterator[Figure]:
    yield from on_test_database(_measure)


def _measure() -> Iterator[Figure]:
    from celery import current_app

    from contacts_app.accounts.models import Account
    from phones_app.configuration.changes import mark_due
    from phones_app.configuration.effect import what_changes
    from phones_app.configuration.models import Layer
    from phones_app.inventory.models import Phone
    from phones_app.inventory.services import Selection
    from phones_app.rollout.plan import make_plan

    # What is due waits for the worker that is measured.
    current_app.conf.task_always_eager = False
    account = Account.objects.create(voip_id=1, name="Fleet", email="fleet@example.com")
    _fleet(account)
    mark_due(Phone.objects.all())
    yield _timed(f"what {PHONES:,} phones should run is worked out by a worker", _work_out)
    layer = Layer.objects.get(kind="location")
    new = Layer(pk=layer.pk, uuid=layer.uuid, account=account, kind="location", name=layer.name)
    new.values = {"ntp_servers": "ntp.new.example"}
    what = f"the change of a location with {PHONES // 2:,} phones, before it is saved"
    yield _timed(what, lambda: what_changes(layer, new), 10)
    layer.values = new.values
    what = "saving it, and working out what these phones should run"
    yield _timed(what, lambda: (layer.save(), _work_out()))
    selection = Selection(Phone.objects.all())
    what = f"the dry run of a rollout to all {PHONES:,}"
    yield _timed(what, lambda: make_plan(selection=selection, profile=None))
    mark_due(Phone.objects.all())
    what = "the same before a worker has got to any of them"
    yield _timed(what, lambda: make_plan(selection=selection, profile=None))


def _work_out() -> None:
    """To the end: a worker has other work after half a minute, and is told again by the sweep."""
    from contacts_app.core.work.queue import run_queue
    from phones_app.configuration.changes import CONFIGURATIONS
    from phones_app.configuration.models import PhoneConfiguration

    while PhoneConfiguration.objects.filter(due_at__isnull=False).exists():
        run_queue(CONFIGURATIONS)


def _timed(what: str, work: Callable[[], object], goal: float | None = None) -> Figure:
    begun, used = time.monotonic(), time.process_time()
    work()
    seconds, processor = time.monotonic() - begun, time.process_time() - used
    return Figure(what, [seconds], "s", processor=[1000 * processor / PHONES], goal=goal)


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
