"""500 files of 6 skeletons adopted: a dry run, in earnest, and once more; the rate of the proof.

Processor time is ours for each file.
"""

import time
import tracemalloc
from collections.abc import Callable, Iterator
from typing import TypeVar

from tests.bench.database import on_test_database
from tests.bench.figures import Figure
from tests.bench.sizes import size

FILES = size("BENCH_FILES", 500)
T = TypeVar("T")


def measure() -> Iterator[Figure]:
    yield from on_test_database(_measure)


def _measure() -> Iterator[Figure]:
    from django.db import connection

    from contacts_app.accounts.services import create_account
    from contacts_app.core.actor import system
    from contacts_app.core.uploads import NamedBytes
    from contacts_app.people.models import User
    from phones_app.configuration.adopting.adopt import AdoptTarget, adopt
    from phones_app.configuration.adopting.places import PhonePlace
    from phones_app.configuration.adopting.report import Adoption
    from profiles_app.phone.adopting import plan
    from tests.profiles_app.phone.adopting.fleet import fleet

    account = create_account(name="Bench", email="bench@example.org")
    User.objects.create_user("owner@example.org", "correct horse", account=account, permission_level=0)
    made = fleet(FILES)
    files = [NamedBytes(file.name, file.content) for file in made]
    target = AdoptTarget(account, places={file.mac: PhonePlace(file.location, file.model) for file in made})

    def adopted(*, dry_run: bool = False) -> Adoption:
        return adopt(files, target, actor=system("command"), dry_run=dry_run)

    where = f"{FILES} files on {connection.vendor}"
    yield _seconds("templates and values found and proven, without a database", lambda: plan(made))[1]
    yield _seconds(f"{where}, dry run", lambda: adopted(dry_run=True))[1]
    adoption, told = _seconds(f"{where}, adopted", adopted, 60)
    assert adoption.outcomes.total() == adoption.outcomes["adopted"] == FILES, adoption.sentence  # type: ignore[index]
    yield told
    again, told = _seconds(f"{where}, once more: unchanged", adopted)
    assert again.outcomes.total() == again.outcomes["unchanged"] == FILES  # type: ignore[index]
    yield told
    tracemalloc.start()
    adopted()
    yield Figure("most memory of that", [tracemalloc.get_traced_memory()[1] / 1e6], "MB")
    tracemalloc.stop()


def _seconds(what: str, work: Callable[[], T], goal: float | None = None) -> tuple[T, Figure]:
    started, worked = time.monotonic(), time.process_time()
    done = work()
    seconds, cpu = time.monotonic() - started, time.process_time() - worked
    return done, Figure(what, [seconds], "s", processor=[1000 * cpu / FILES], goal=goal)
