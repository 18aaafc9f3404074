"""500 files of 6 skeletons adopted: a dry run, in earnest, and once more; the rate of the proof.

On SQLite, or on the database that DATABASE_URL names.
"""

import time
import tracemalloc
from collections.abc import Callable, Iterator
from typing import TypeVar

from tests.bench.database import on_test_database

FILES = 500
T = TypeVar("T")


def measure() -> Iterator[tuple[str, str]]:
    yield from on_test_database(_measure)


def _measure() -> Iterator[tuple[str, str]]:
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
    yield "templates and values found and proven, without a database", _seconds(lambda: plan(made))[1]
    yield f"{where}, dry run", _seconds(lambda: adopted(dry_run=True))[1]
    adoption, told = _seconds(adopted)
    assert adoption.outcomes.total() == adoption.outcomes["adopted"] == FILES, adoption.sentence  # type: ignore[index]
    yield f"{where}, adopted: {adoption.sentence}", told
    again, told = _seconds(adopted)
    assert again.outcomes.total() == again.outcomes["unchanged"] == FILES  # type: ignore[index]
    yield f"{where}, once more: unchanged", told
    tracemalloc.start()
    adopted()
    yield "most memory of that", f"{tracemalloc.get_traced_memory()[1] / 1e6:.1f} MB"
    tracemalloc.stop()


def _seconds(work: Callable[[], T]) -> tuple[T, str]:
    started, worked = time.monotonic(), time.process_time()
    done = work()
    seconds, cpu = time.monotonic() - started, time.process_time() - worked
    return done, f"{seconds:.1f} s, {cpu:.1f} s of our own processor time"
