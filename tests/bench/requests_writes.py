"""What `requests` writes: one row with each request, as a client would; and the same row in bare WSGI.

Ours checks the body and the rights, and writes history and what follows for other rows. Bare writes the row alone,
with all its columns, by one prepared statement, and answers with it.
"""

import itertools
import json
import os
import threading
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

FACTS = json.loads(os.environ.get("BENCH_FACTS", "{}"))
_number = itertools.count(int.from_bytes(os.urandom(4)) << 8)
_local = threading.local()


@dataclass(frozen=True)
class Write:
    """`body` is made of a number that no other request has.

    `named_by`: the column of the row that the URL ends with. Rows are written in turn (`names`), as people edit one each.
    """

    method: str
    path: str
    body: Callable[[int], dict[str, Any]]
    table: str
    named_by: str = ""
    names: tuple[str, ...] = ("",)

    def request(self, token: str) -> bytes:
        from tests.bench.web import request_of

        number = next(_number)
        path = self.path.format(self.names[number % len(self.names)])
        return request_of(path, token, self.body(number), self.method)


def _phone(number: int) -> dict[str, Any]:
    place = {"location": f"Floor {number % 50}", "phone_ip": "10.1.0.9"}
    return {"name": f"Phone {number}", "model": "8845", "software_type": "SIP", **place}


def _line(number: int) -> dict[str, Any]:
    return {"display_name": f"Line {number}", "label": f"Desk {number}"}


def _contact(number: int) -> dict[str, Any]:
    return {"name": f"Contact {number}", "email": f"contact{number}@acme.example"}


def writes(facts: dict[str, Any]) -> dict[str, Write]:
    """By what they are called in the table."""
    contacts, phones, lines = "/api/2.0/notification_contacts/", "/api/v1/phones", "/api/v1/lines"
    tables = ("phones_app_phone", "profiles_app_line", "contacts_app_notificationcontact")

    def rows(of: str) -> tuple[str, ...]:
        return tuple(facts[of])

    def new_phone(number: int) -> dict[str, Any]:
        return {"mac": f"{0x0A0000000000 + number % 2**40:012X}", **_phone(number)}

    def new_line(number: int) -> dict[str, Any]:
        return {"extension": str(number), "auth_password": "kq81-vv0x-27ra", **_line(number)}

    return {
        "a new phone": Write("POST", phones, new_phone, tables[0]),
        "a phone, two members of it": Write("PATCH", f"{phones}/{{}}", _moved, tables[0], "mac", rows("macs")),
        "a new line": Write("POST", lines, new_line, tables[1]),
        "a line, two members of it": Write("PATCH", f"{lines}/{{}}", _line, tables[1], "uuid", rows("lines")),
        "a new contact": Write("POST", contacts, _contact, tables[2]),
        "a contact": Write("PUT", f"{contacts}{{}}/", _contact, tables[2], "uuid", rows("contacts")),
    }


def _moved(number: int) -> dict[str, Any]:
    return {"name": f"Phone {number}", "location": f"Floor {number % 50}"}


@cache
def _by_request() -> dict[tuple[str, str], Write]:
    return {(write.method, write.path.format(name)): write for write in writes(FACTS).values() for name in write.names}


def bare(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """No credential, no check: the members of the body are columns, and the others are those of a row that is there."""
    import orjson
    import psycopg
    from psycopg.rows import dict_row

    if not hasattr(_local, "connection"):
        _local.connection = psycopg.connect(os.environ["DATABASE_URL"], autocommit=True, row_factory=dict_row)
        _local.rows = {}
    write = _by_request()[environ["REQUEST_METHOD"], environ["PATH_INFO"]]
    body = orjson.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
    if write.named_by:
        sets = ", ".join(f"{name} = %({name})s" for name in body)
        statement = (
            f"UPDATE {write.table} SET {sets}, updated_at = now() WHERE {write.named_by} = %(named)s RETURNING *"
        )
        values = body | {"named": environ["PATH_INFO"].rstrip("/").rpartition("/")[2]}
    else:
        values = _a_row(write.table) | body | {"uuid": uuid.uuid4()}
        places = ", ".join(f"%({name})s" for name in values)
        statement = f"INSERT INTO {write.table} ({', '.join(values)}) VALUES ({places}) RETURNING *"
    row = _local.connection.execute(statement, values, prepare=True).fetchone()
    answer = orjson.dumps({"data": row}, default=str)
    status = "200 OK" if write.named_by else "201 Created"
    start_response(status, [("Content-Type", "application/json"), ("Content-Length", str(len(answer)))])
    return [answer]


def _a_row(table: str) -> dict[str, Any]:
    if table not in _local.rows:
        row = _local.connection.execute(f"SELECT * FROM {table} ORDER BY id DESC LIMIT 1").fetchone()
        _local.rows[table] = {name: value for name, value in row.items() if name != "id"} | {
            name: False for name in ("main",) if name in row
        }
    return dict(_local.rows[table])
