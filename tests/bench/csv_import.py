"""10,000 phones as CSV: exported, imported into an empty portal, imported again, and with one column edited.

On SQLite, or on the database that DATABASE_URL names. Every import checks all rows first and writes history with them.
"""

import io
import time
import tracemalloc
from collections.abc import Callable, Iterator

from tests.bench.database import on_test_database

PHONES = 10_000


def measure() -> Iterator[tuple[str, str]]:
    yield from on_test_database(_measure)


def _measure() -> Iterator[tuple[str, str]]:
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
    yield f"{where}, new", _rate(lambda: imported(csv))
    exported: list[str] = []
    yield f"{where}, exported", _rate(lambda: exported.extend(export_csv(PhoneCsv(system("command")))))
    whole = "".join(exported).encode()
    yield (f"{where}, unedited, {len(exported[0].splitlines()[0].split(','))} columns", _rate(lambda: imported(whole)))
    yield f"{where}, one column edited", _rate(lambda: imported(whole.replace(b"Floor", b"Level")))
    tracemalloc.start()
    imported(whole)
    yield "most memory of an import", f"{tracemalloc.get_traced_memory()[1] / 1e6:.1f} MB"
    tracemalloc.stop()


def _rate(work: Callable[[], None]) -> str:
    started, worked = time.monotonic(), time.process_time()
    work()
    seconds, cpu = time.monotonic() - started, time.process_time() - worked
    return f"{PHONES / seconds:,.0f} rows/s, {PHONES / cpu:,.0f} per second of our own processor time"
