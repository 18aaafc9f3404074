"""Which kind of file lines come in, by its content, and the lines in it (Asterisk spec §J).

Here is also the extensions CSV that FreePBX's Bulk Handler exports.
"""

import csv
import io
import re

from profiles_app.phone.pbx.conf import MAX_BYTES, read_conf
from profiles_app.phone.pbx.conf_lines import pjsip_lines, sip_lines
from profiles_app.phone.pbx.found import FoundLine, FoundLines, Remark, caller_id, first_mailbox, is_extension, number

# `csv` is our own, which is read where all CSV files are.
FORMATS = ("csv", "bulk-handler", "pjsip", "sip")
_SECTION = re.compile(rb"(?m)^\s*\[[^\]\[{}\"\r\n]+\]\s*(?:\([^)\r\n]*\))?\s*(?:;.*)?\r?$")
_PJSIP = re.compile(rb"(?mi)^\s*(?:type\s*=>?\s*(?:endpoint|auth|aor)|aors\s*=>?.*)\s*(?:;.*)?\r?$")
_HEAD = 64 * 1024
# Columns of FreePBX that our own CSV does not have; the last one is of its former module, Bulk Extensions.
_SIGNS = {"tech", "secret", "devinfo_secret"}
_REGISTERED = ("pjsip", "sip", "")
_LONGEST_CELL = 4096


def format_of(content: bytes) -> str:
    """One of FORMATS."""
    if _SECTION.search(content[:_HEAD]):
        return "pjsip" if _PJSIP.search(content) else "sip"
    first = re.split(r"[\r\n]", content[:_HEAD].decode("utf-8-sig", "replace"), maxsplit=1)[0]
    header = next(csv.reader([first]), [])
    return "bulk-handler" if _is_bulk_handler([cell.strip().lower() for cell in header]) else "csv"


def lines_in(content: bytes, kind: str) -> FoundLines:
    """The lines of a file of one of FORMATS other than `csv`."""
    if kind == "bulk-handler":
        return _bulk_handler_lines(content)
    conf = read_conf(content)
    return pjsip_lines(conf) if kind == "pjsip" else sip_lines(conf)


def _is_bulk_handler(header: list[str]) -> bool:
    return "extension" in header and not _SIGNS.isdisjoint(header)


def _bulk_handler_lines(content: bytes) -> FoundLines:
    """One line for each extension of the technology pjsip or sip; `line` is the row, the header being row 1."""
    found = FoundLines()
    if len(content) > MAX_BYTES:
        found.errors.append(Remark(1, "", f"The file is larger than {MAX_BYTES // 1024**2} MB."))
        return found
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        found.errors.append(Remark(line, "", "This line is not UTF-8."))
        return found
    row = 0
    try:
        for row, cells in enumerate(csv.reader(io.StringIO(text, newline=""), strict=True), start=1):
            if row == 1:
                header = [cell.strip().lower() for cell in cells]
            elif any(map(str.strip, cells)):
                _extension(row, header, cells, found)
    except csv.Error as error:
        found.errors.append(Remark(row + 1, "", f"This is not CSV: {error}."))
    return found


def _extension(row: int, header: list[str], cells: list[str], found: FoundLines) -> None:
    values = {name: cell.strip() for name, cell in zip(header, cells, strict=False)}
    extension = values.get("extension", "")
    if len(cells) != len(header):
        message = f"This row has {len(cells)} cells, the header has {len(header)}."
        found.errors.append(Remark(row, extension[:20], message))
    elif not is_extension(extension):
        found.errors.append(Remark(row, extension[:20], "The extension must be digits."))
    elif any(len(cell) > _LONGEST_CELL for cell in cells):
        found.errors.append(Remark(row, extension, f"A cell has more than {_LONGEST_CELL} characters."))
    elif (tech := values.get("tech", "").lower()) not in _REGISTERED:
        found.remarks.append(Remark(row, extension, f"Left out: no phone registers with the technology “{tech[:20]}”."))
    else:
        found.lines.append(_line(row, values))


def _line(row: int, values: dict[str, str]) -> FoundLine:
    shown, _ = caller_id(values.get("callerid", ""))
    extension, name = values["extension"], values.get("id", "")
    has_box = values.get("voicemail_enable", "").lower() in ("yes", "1", "true")
    box = first_mailbox(values.get("mailbox", "")) or extension if has_box else ""
    return FoundLine(
        line=row,
        section=extension,
        extension=extension,
        name=name or extension,
        auth_name=values.get("username") or name or extension,
        auth_password=values.get("secret") or values.get("devinfo_secret", ""),
        display_name=values.get("name") or values.get("description") or shown,
        mailbox=box,
        max_calls=number(values, ("call_limit",)),
        busy_trigger=number(values, ("device_state_busy_at", "busylevel")),
    )
