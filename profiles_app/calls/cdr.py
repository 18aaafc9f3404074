"""One line of Asterisk's call detail records as a call: which side is the account's line, and what its words mean."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, tzinfo

from django.core.exceptions import ValidationError

from contacts_app.accounts.models import Account
from contacts_app.core.csv.text import has_control_characters
from contacts_app.core.tables import table
from profiles_app.calls.models import CallRecord
from profiles_app.calls.services import completed

_TABLE = table(__file__, "cdr.toml")
MASTER: list[str] = _TABLE["master"]
FEWEST: int = _TABLE["fewest"]
NEEDED: list[str] = _TABLE["needed"]
ALSO: dict[str, str] = _TABLE["also"]
DISPOSITIONS: dict[str, str] = _TABLE["dispositions"]
Cells = Mapping[str, str]
# Extensions and service codes; whatever is longer, or international, is outside.
_INSIDE = re.compile(r"^[*#]?\d{1,6}$")
# The line in the name of a channel: PJSIP/201-0000001a, Local/201@from-internal-00000002;1.
_LINE = re.compile(r"^[A-Za-z0-9_]+/(\d{1,6})[@-]")
_UNIQUE_ID = re.compile(r"^(?:.+-)?\d+\.\d+$")


def header_of(cells: Sequence[str]) -> list[str] | None:
    """The columns that a first line names; None where it is a call already. Raises ValidationError if one is missing."""
    names = [cell.strip().lower() for cell in cells]
    names = [ALSO.get(name, name) for name in names]
    if not {"src", "dst"}.intersection(names):
        return None
    if missing := [name for name in (*NEEDED, "start") if name not in names]:
        raise ValidationError(f"There is no column {', '.join(missing)}.")
    return names


def named(cells: Sequence[str], header: Sequence[str] | None) -> dict[str, str]:
    """The cells by their columns. Raises ValidationError for a line of another length than the file's."""
    if header is not None:
        if len(cells) != len(header):
            raise ValidationError(f"This line has {len(cells)} cells, the header has {len(header)}.")
        return {name: cell.strip() for name, cell in zip(header, cells, strict=True)}
    if not FEWEST <= len(cells) <= len(MASTER):
        raise ValidationError(f"This line has {len(cells)} cells; Asterisk writes {FEWEST} to {len(MASTER)}.")
    found = {name: cell.strip() for name, cell in zip(MASTER, cells, strict=False)}
    if len(cells) == FEWEST + 1 and not _UNIQUE_ID.match(found["uniqueid"]):
        # With `loguserfield` alone the one column more is the other one.
        found["userfield"] = found.pop("uniqueid")
    return found


def call_of(cells: Cells, account: Account, zone: tzinfo) -> CallRecord:
    """The call that a line tells of. Times without an offset are of `zone`. Raises ValidationError by column."""
    wrong: dict[str, list[str]] = {}
    start, answer, end = (_moment(cells, name, zone, wrong) for name in ("start", "answer", "end"))
    duration, seconds = (_count(cells, name, wrong) for name in ("duration", "billsec"))
    disposition = DISPOSITIONS.get(cells["disposition"].upper(), "")
    if not disposition:
        wrong["disposition"] = [f"Must be one of {', '.join(DISPOSITIONS)}."]
    if start is None:
        wrong.setdefault("start", ["This must be given."])
    if has_control_characters(cells.get("uniqueid", "")):
        wrong["uniqueid"] = ["There is a control character in it."]
    if wrong or start is None:
        raise ValidationError(wrong)
    if end is None and duration is not None:
        end = start + timedelta(seconds=duration)
    if answer is None and end is not None and seconds:
        answer = end - timedelta(seconds=seconds)
    row = CallRecord(
        account=account,
        call_id=cells.get("uniqueid") or _made_id(cells),
        started_at=start,
        answered_at=answer,
        ended_at=end,
        disposition=disposition,
        **_sides(cells),
    )
    row = completed(row, seconds)
    row.clean_fields(exclude=["account"])
    return row


def _sides(cells: Cells) -> dict[str, str]:
    """Direction, both numbers, and the account's line: a channel's name says which line it is, else its number does."""
    caller, called = cells["src"], cells.get("did") or cells["dst"]
    line, line_called = _line(cells, "channel", caller), _line(cells, "dstchannel", cells["dst"])
    if line:
        direction = CallRecord.Direction.INTERNAL if _INSIDE.match(cells["dst"]) else CallRecord.Direction.OUTBOUND
    else:
        direction = CallRecord.Direction.INBOUND
    return {"direction": direction, "caller": caller, "called": called, "extension": line or line_called}


def _line(cells: Cells, channel: str, number: str) -> str:
    if found := _LINE.match(cells.get(channel, "")):
        return found[1]
    return number if _INSIDE.match(number) and number.isdecimal() else ""


def _moment(cells: Cells, name: str, zone: tzinfo, wrong: dict[str, list[str]]) -> datetime | None:
    text = cells.get(name, "")
    if not text or text.startswith("0000-"):
        return None
    try:
        moment = datetime.fromisoformat(text)
        return moment if moment.tzinfo else moment.replace(tzinfo=zone)
    except ValueError:
        wrong[name] = ["Must be a time such as 2026-03-01 09:30:00."]
        return None


def _count(cells: Cells, name: str, wrong: dict[str, list[str]]) -> int | None:
    text = cells.get(name, "")
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        wrong[name] = ["Must be a whole number of seconds."]
        return None
    return int(text)


def _made_id(cells: Cells) -> str:
    """Of a file without unique ids: the same line is the same call."""
    told = "\0".join(
        cells.get(name, "") for name in ("accountcode", "src", "dst", "channel", "start", "end", "duration")
    )
    return f"cdr-{hashlib.sha256(told.encode()).hexdigest()[:32]}"
