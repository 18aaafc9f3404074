"""Where phones are and of which model, as a CSV file beside their files says: `mac,location[,model]`."""

from dataclasses import dataclass
from typing import BinaryIO

from contacts_app.core.csv.text import UnreadableCsv, check_size, column_name, read_lines
from contacts_app.core.errors import Refusal
from profiles_app.phone.sep import parse_mac

COLUMNS = ("mac", "location", "model")
LONGEST = {"location": 255, "model": 64}


@dataclass(frozen=True)
class PhonePlace:
    """What the CSV file says of a phone; "" where nothing."""

    location: str = ""
    model: str = ""


def read_places(file: BinaryIO) -> dict[str, PhonePlace]:
    """The phones of a CSV file by their MAC addresses. Raises Refusal with the row that cannot be read."""
    check_size(file)
    found: dict[str, PhonePlace] = {}
    header: list[str] = []
    try:
        for number, cells in read_lines(file, COLUMNS):
            if not header:
                header = _header(cells)
            elif any(map(str.strip, cells)):
                row = dict(zip(header, map(str.strip, cells), strict=False))
                found[_mac(row, number)] = _place(row, number)
    except UnreadableCsv as error:
        raise _refused(error.row, error.message) from None
    return found


def _header(cells: list[str]) -> list[str]:
    header = list(map(column_name, cells))
    if "mac" not in header or not {"location", "model"} & set(header):
        raise _refused(1, "The columns are mac, location and model; mac and one of the others are needed.")
    return header


def _mac(row: dict[str, str], number: int) -> str:
    try:
        return parse_mac(row.get("mac", ""))
    except ValueError as error:
        raise _refused(number, str(error)) from None


def _place(row: dict[str, str], number: int) -> PhonePlace:
    values = {name: row.get(name, "") for name in LONGEST}
    for name, value in values.items():
        if len(value) > LONGEST[name] or not (value.isprintable() or not value):
            raise _refused(number, f"The {name} is one line of {LONGEST[name]} characters at most.")
    return PhonePlace(**values)


def _refused(row: int, message: str) -> Refusal:
    return Refusal("bad-places", f"Row {row} of the CSV file of places: {message}")
