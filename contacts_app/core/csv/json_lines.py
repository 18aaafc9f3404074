"""Rows as JSON, one object a line or an array of them, read as the CSV that they stand for: `--json` of an export."""

import json
from io import BytesIO
from typing import BinaryIO

from contacts_app.core.csv.text import as_csv, check_size
from contacts_app.core.errors import Refusal


def as_csv_file(file: BinaryIO) -> BinaryIO:
    """The file itself if it is CSV. Raises Refusal for what begins like JSON and is none."""
    check_size(file)
    file.seek(0)
    beginning = file.read(64).lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    file.seek(0)
    if beginning not in (b"{", b"["):
        return file
    rows = _rows(file.read().decode("utf-8-sig", errors="replace"), is_array=beginning == b"[")
    names = list(dict.fromkeys(name for row in rows for name in row))
    lines = ([_cell(row.get(name)) for name in names] for row in rows)
    return BytesIO("".join(as_csv([names, *lines])).encode())


def _rows(text: str, *, is_array: bool) -> list[dict[str, object]]:
    try:
        rows = json.loads(text) if is_array else [json.loads(line) for line in text.splitlines() if line.strip()]
    except ValueError as error:
        raise Refusal("no-json", f"The file begins like JSON and is none: {error}.") from None
    if not all(isinstance(row, dict) for row in rows):
        raise Refusal("no-json", "Each row must be an object.")
    return list(rows)


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
