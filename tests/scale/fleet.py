"""What a fleet takes in PostgreSQL: a site of a few phones does everything once through the product's own ways, then all
the rows that this has left are copied until there is a fleet, and the tables are measured.

Copies keep what belongs together: keys of a copy and references to them are moved by the same distance. Indexes stand
while rows come in, as they do in an installation, so that their pages are as full as there.
"""

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Phones of the site, and the size of a phone's file: that of an 8845 with two lines from the built-in template and more.
SITE, FILE_BYTES = 8, 10_000
APART = 100_000
# What is done once for each phone, in this order.
STAGES = ("phone", "deployment", "call")
# Columns of text of which each row has another one.
VARIED = {"call_id", "caller", "called", "description", "extension", "file_name", "name", "profile_name"}


@dataclass
class Table:
    """Of one table: rows that each stage adds for one phone, and bytes of one row."""

    name: str
    rows: dict[str, float]
    data: float = 0.0
    indexes: float = 0.0

    def bytes_of(self, stage: str) -> float:
        return self.rows.get(stage, 0.0) * (self.data + self.indexes)


@dataclass
class Fleet:
    phones: int
    tables: list[Table]
    seconds: float

    def bytes_of(self, stage: str) -> float:
        return sum(table.bytes_of(stage) for table in self.tables)

    def indexes_of(self, stage: str) -> float:
        return sum(table.rows.get(stage, 0.0) * table.indexes for table in self.tables)


def measured(sizes: list[int]) -> list[Fleet]:
    """The fleet at each of these numbers of phones, which grow."""
    from tests.bench.database import on_test_database

    os.environ["CALLBACK_NETWORKS"] = "127.0.0.0/8"
    return list(on_test_database(lambda: _measure(sizes)))


def _measure(sizes: list[int]) -> Iterator[Fleet]:
    rows = _site()
    copied = 1
    for size in sizes:
        began = time.monotonic()
        wanted = max(2, size // SITE)
        for name, keys in rows.items():
            _copy(name, keys, rows, copied, wanted)
        copied = wanted
        yield _fleet(copied, rows, time.monotonic() - began)


Keys = dict[str, list[int]]


def _site() -> dict[str, Keys]:
    """For each table the keys of the rows that each stage has added."""
    from celery import current_app

    current_app.conf.task_always_eager = False
    found: dict[str, Keys] = {}
    with ExitStack() as stack:
        stages = _stages(stack)
        next(stages)
        before = _all_keys()
        for stage, _ in zip(STAGES, stages, strict=True):
            after = _all_keys()
            for name, keys in after.items():
                new = sorted(keys - before[name])
                # A rollout is there once for all phones.
                if len(new) >= SITE:
                    found.setdefault(name, {})[stage] = new
            before = after
    return found


def _stages(stack: ExitStack) -> Iterator[None]:
    """First what there is once for an account, then each stage."""
    from django.test import Client

    from contacts_app.accounts.models import Account
    from contacts_app.core.history.records import create_recorded
    from contacts_app.core.work.queue import run_queue
    from contacts_app.people.models import User
    from contacts_app.tokens.services import create_token
    from phones_app.deployment.models import Deployment
    from phones_app.deployment.request import DEPLOYMENTS
    from phones_app.inventory.models import Phone
    from phones_app.inventory.services import Selection
    from phones_app.rollout import rollout as rollouts
    from phones_app.rollout.models import Rollout
    from profiles_app.events.matching import match_new
    from profiles_app.events.models.setup import Callback, Listener, Subscription
    from profiles_app.events.outbox import DELIVERIES
    from tests.bench.receiver import receiver
    from tests.phones_app.site import ACTOR, Site

    account = Account.objects.create(voip_id=1, name="Campus", email="campus@example.org")
    owner = User.objects.create_user("campus@example.org", account=account)
    site = Site(Path(stack.enter_context(tempfile.TemporaryDirectory())), account, owner)
    site.add_file_server()
    stack.callback(site.files.stop)
    callback = Callback(account=account, target="127.0.0.1")
    callback.config = {"url": f"http://127.0.0.1:{stack.enter_context(receiver())}/", "method": "POST"}
    callback.save()
    listener = Listener.objects.create(account=account, callback=callback)
    Subscription.objects.create(listener=listener, tags=["deployment"])
    client = Client(headers={"Authorization": f"Bearer {create_token(account=account)[1]}"})
    yield

    phones = [_phone(site, number) for number in range(SITE)]
    create_recorded(phones)
    yield

    with site.alive(*phones):
        rollouts.start(selection=Selection(Phone.objects.all()), profile=None, actor=ACTOR, pace=Rollout())
        while not Deployment.objects.exists() or Deployment.objects.filter(finished_at=None).exists():
            run_queue(DEPLOYMENTS)
            time.sleep(0.1)
        assert set(Deployment.objects.values_list("state", flat=True)) == {"confirmed"}
    match_new()
    run_queue(DELIVERIES)
    yield

    call = {
        "direction": "inbound", "caller": "+4920155512345", "called": "+4930123456", "extension": "201",
        "started_at": "2026-05-01T09:30:00Z", "ended_at": "2026-05-01T09:31:00Z",
    }  # fmt: skip
    calls = [call | {"call_id": f"1a2b3c4d-{number:08}@pbx.example.org"} for number in range(SITE)]
    answer = client.post("/api/v1/calls/batch", {"calls": calls}, content_type="application/json")
    assert answer.status_code == 200, answer.content[:300]
    yield


def _phone(site: Any, number: int) -> Any:
    """Not stored yet; with a profile of its own, whose file is new to it."""
    from phones_app.inventory.models import Phone
    from tests.phones_app.site import sip_file

    mac = f"02{number:010X}"
    content = sip_file("1002", label=mac)
    content = content.replace("</device>", f"<!--{'.' * (FILE_BYTES - len(content) - 7)}--></device>")
    (site.folder / f"SEP{mac}.cnf.xml").write_text(sip_file())
    return Phone(
        mac=mac, account=site.account, model="8845", software_type="SIP", software_version="sip8845.14-2-1",
        name=f"Reception {number}", description="Third floor, next to the stairs", location="Berlin, house 2",
        phone_ip="127.0.0.1", current_profile=site.profile(f"Desk {number}", content),
    )  # fmt: skip


def _tables() -> dict[str, Any]:
    """Tables of our models by name, with the models; those of packages hold next to nothing."""
    from django.apps import apps

    return {
        model._meta.db_table: model
        for app in ("contacts_app", "profiles_app", "phones_app")
        for model in apps.get_app_config(app).get_models(include_auto_created=True)
    }


def _all_keys() -> dict[str, set[int]]:
    return {name: set(model._base_manager.values_list("pk", flat=True)) for name, model in _tables().items()}


def _copy(name: str, keys: Keys, rows: dict[str, Keys], start: int, end: int) -> None:
    """Copies `start` to `end` of these rows; the first one is the site's own."""
    from django.db import connection, transaction

    model = _tables()[name]
    columns, values = [], []
    for field in model._meta.concrete_fields:
        columns.append(f'"{field.column}"')
        values.append(_value(field, rows))
    every = ", ".join(str(key) for some in keys.values() for key in some)
    with transaction.atomic(), connection.cursor() as cursor:
        # References are right by construction; checking them would take most of the time.
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(
            f'INSERT INTO "{name}" ({", ".join(columns)}) SELECT {", ".join(values)} FROM "{name}" AS t, '
            f'generate_series({start}, {end - 1}) AS g WHERE t."{model._meta.pk.column}" IN ({every})'
        )


def _value(field: Any, rows: dict[str, Keys]) -> str:
    """What a copy has in this column: the texts of no two phones are alike, nor are times and addresses."""
    from django.db import models

    column, name = f't."{field.column}"', field.name
    if of := _referred(field):
        moved = ", ".join(str(key) for some in rows.get(of, {}).values() for key in some)
        if moved:
            return f"CASE WHEN {column} IN ({moved}) THEN {column} + g * {APART} ELSE {column} END"
        return f"{column} + g * {APART}" if field.primary_key else column
    if isinstance(field, models.UUIDField) and (field.unique or name == "uuid"):
        return "gen_random_uuid()"
    if name == "mac":
        return f"CASE {column} WHEN '' THEN '' ELSE '02' || lpad(upper(to_hex(g)), 8, '0') || right({column}, 2) END"
    if isinstance(field, models.DateTimeField):
        return f"{column} + g * interval '1 second'"
    if isinstance(field, models.GenericIPAddressField):
        return f"CASE WHEN {column} IS NULL THEN NULL ELSE '10.0.0.0'::inet + g * {SITE} END"
    if name == "sha256":
        return f"CASE {column} WHEN '' THEN '' ELSE md5(g || {column}) || md5({column} || g) END"
    if name == "location":
        return f"replace({column}, '2', (g % 50)::text)"
    if name in VARIED:
        return f"CASE {column} WHEN '' THEN '' ELSE left({column}, {(field.max_length or 99) - 8}) || g END"
    return column


def _referred(field: Any) -> str:
    """The table whose key stands there; in a historical row also that of the row whose past it is."""
    model = field.model
    if field.is_relation:
        return str(field.related_model._meta.db_table)
    if field.primary_key:
        return str(model._meta.db_table)
    now = getattr(model, "instance_type", None)
    return str(now._meta.db_table) if now is not None and field.name == now._meta.pk.name else ""


def _fleet(copies: int, rows: dict[str, Keys], seconds: float) -> Fleet:
    from django.db import connection

    tables = []
    with connection.cursor() as cursor:
        for name, keys in rows.items():
            cursor.execute(f'VACUUM ANALYZE "{name}"')
            cursor.execute("SELECT pg_table_size(%s), pg_indexes_size(%s)", [name, name])
            data, indexes = cursor.fetchone()
            cursor.execute(f'SELECT count(*) FROM "{name}"')
            [number] = cursor.fetchone()
            added = {stage: len(some) // SITE for stage, some in keys.items()}
            tables.append(Table(name, added, data / number, indexes / number))
    return Fleet(copies * SITE, tables, seconds)
