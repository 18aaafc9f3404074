"""10,000 phones as CSV: exported, imported into an empty portal, imported again, and with one column edited.

Every import checks all rows first and writes history with them.
"""

import io
import time
import tracemalloc
from collections.abc import Callable, Iterator

from tests.bench.database import on_test_database
from tests.bench.figures import Figure
from tests.bench.sizes import size

PHONES = size("BENCH_PHONES", 10_000)


def measure() -> Iterator[Figure]:
    yield from on_test_database(_measure)


def _measure() -> Iterator[Figure]:
    from django.db import connection

    from contacts_app.accounts.services import create_account
    from contacts_app.core.actor import system
    from contacts_app.core.csv.format import export_csv
    from contacts_app.core.csv.importing import import_csv
    from phones_app.inventory.csv import PhoneCsv

    create_account(name="Bench", email="bench@example.org")
    lines = ["mac,name,model,software_type,phone_ip,location,line_user"]
    lines += [
        f"0200{number:08X},Phone {number},8845,SIP,10.0.{number // 256}.{number % 256},Floor {number % 40},{number}"
        for number in range(PHONES)
    ]
    csv = "\n".join(lines).encode()

    def imported(content: bytes) -> None:
        report = import_csv(io.BytesIO(content), PhoneCsv(system("command")))
        assert report.stored, report.errors[:3]

    where = f"{PHONES} phones on {connection.vendor}"
    yield _rate(f"{where}, new", lambda: imported(csv), 2000)
    exported: list[str] = []
    yield _rate(f"{where}, exported", lambda: exported.extend(export_csv(PhoneCsv(system("command")))))
    whole = "".join(exported).encode()
    columns = len(exported[0].splitlines()[0].split(","))
    yield _rate(f"{where}, unedited, {columns} columns", lambda: imported(whole))
    yield _rate(f"{where}, one column edited", lambda: imported(whole.replace(b"Floor", b"Level")))
    tracemalloc.start()
    imported(whole)
    yield Figure("most memory of an import", [tracemalloc.get_traced_memory()[1] / 1e6], "MB")
    tracemalloc.stop()


def _rate(what: str, work: Callable[[], None], goal: float | None = None) -> Figure:
    started, worked = time.monotonic(), time.process_time()
    work()
    seconds, cpu = time.monotonic() - started, time.process_time() - worked
    return Figure(what, [PHONES / seconds], "rows/s", processor=[1000 * cpu / PHONES], goal=goal)
