"""What a file of a PBX says about lines: the lines, what was left out with the reason, and what is wrong."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, order=True)
class Remark:
    """A sentence about one place of a file. `line` counts from 1, `section` is "" outside of all sections."""

    line: int
    section: str
    message: str

    def __str__(self) -> str:
        where = f"line {self.line}" + (f", section [{self.section}]" if self.section else "")
        return f"{where}: {self.message}"


@dataclass(frozen=True)
class FoundLine:
    """A line as a PBX knows it. `name` is the endpoint or peer; None is a number that the file does not give."""

    line: int
    section: str
    extension: str
    name: str = ""
    auth_name: str = ""
    auth_password: str = field(default="", repr=False)
    display_name: str = ""
    mailbox: str = ""
    max_calls: int | None = None
    busy_trigger: int | None = None


@dataclass
class FoundLines:
    """`remarks` are no errors: sections that are no lines of phones, files that are not followed."""

    lines: list[FoundLine] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)
    errors: list[Remark] = field(default_factory=list)


def number(values: Mapping[str, str], names: Iterable[str]) -> int | None:
    """The first of these values that is a count; 0, which PBXs read as no limit, and other texts are none."""
    for name in names:
        text = values.get(name, "").strip()
        if text.isascii() and text.isdecimal() and len(text) < 5 and int(text):
            return int(text)
    return None


def caller_id(text: str) -> tuple[str, str]:
    """Name and number of a caller ID: `"Reception" <301>`, `Reception <301>`, `<301>` or `301`."""
    text = text.strip()
    if not text.endswith(">") or "<" not in text:
        return ("", text) if is_extension(text) else (_unquoted(text), "")
    name, _, called = text[:-1].rpartition("<")
    return _unquoted(name.strip()), called.strip()


def _unquoted(text: str) -> str:
    if len(text) > 1 and text[0] == text[-1] == '"':
        text = text[1:-1]
    return text.replace('\\"', '"').replace("\\\\", "\\").strip()


def is_extension(text: str) -> bool:
    """Digits, as phones dial them."""
    return text.isascii() and text.isdecimal() and len(text) <= 20


def first_mailbox(mailboxes: str) -> str:
    """The first of several: `301@default,302@default` is 301@default."""
    return mailboxes.split(",")[0].strip()
