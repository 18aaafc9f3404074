"""Reads the configuration language of Asterisk: sections, templates and comments (Asterisk spec §J).

`#include` and its like are told and not followed: only what was uploaded is read.
"""

import re
from dataclasses import dataclass, field

from profiles_app.phone.pbx.found import Remark

MAX_BYTES = 8 * 1024 * 1024
# Asterisk's own limit of a line; the others only stop a file that is not what it was meant to be.
LONGEST_LINE = 8191
MOST_SECTIONS = 50_000
MOST_OPTIONS = 1_000_000
MOST_ERRORS = 1_000

_HEADER = re.compile(r"\[([^\]]*)\]\s*(?:\(([^)]*)\))?\s*(.*)", re.DOTALL)
_OPTION = re.compile(r"([^=]*?)\s*(\+?=)>?\s*(.*)", re.DOTALL)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


@dataclass(frozen=True)
class Option:
    name: str
    value: str
    line: int


@dataclass
class ConfSection:
    """One section with what its templates gave it, in the order in which Asterisk reads it."""

    name: str
    line: int
    is_template: bool = False
    options: list[Option] = field(default_factory=list)

    def get(self, *names: str) -> str:
        """The last value of the first of these options that is there."""
        for name in names:
            if found := self.all(name):
                return found[-1]
        return ""

    def all(self, name: str) -> list[str]:
        return [option.value for option in self.options if option.name == name]


@dataclass
class Conf:
    sections: list[ConfSection] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)
    errors: list[Remark] = field(default_factory=list)


def read_conf(content: bytes) -> Conf:
    """All sections of a file, templates too; everything that is wrong with it stands in `errors`."""
    if len(content) > MAX_BYTES:
        return Conf(errors=[Remark(1, "", f"The file is larger than {MAX_BYTES // 1024**2} MB.")])
    reading = _Reading()
    for number, raw in enumerate(content.removeprefix(b"\xef\xbb\xbf").split(b"\n"), start=1):
        reading.read(number, raw)
        if len(reading.conf.errors) >= MOST_ERRORS or reading.stopped:
            break
    if reading.comments.depth:
        reading.error(reading.comments.line, "The comment that begins here with ;-- does not end.")
    return reading.conf


class Comments:
    """Takes the comments out of lines that come one after the other: from `;` to the end, and from `;--` to `--;`."""

    def __init__(self) -> None:
        self.depth = 0  # of comments that go over several lines, which nest
        self.line = 0  # in which the outermost of them began

    def without(self, number: int, text: str) -> str:
        """The rest of a line; `\\;` is a semicolon."""
        kept: list[str] = []
        position = 0
        while position < len(text):
            if self.depth:
                position = self._inside(text, position)
                continue
            sign = text.find(";", position)
            if sign < 0:
                kept.append(text[position:])
                break
            if sign > position and text[sign - 1] == "\\":
                kept.append(f"{text[position : sign - 1]};")
                position = sign + 1
                continue
            kept.append(text[position:sign])
            if _opening(text, sign) != sign:
                break
            self.depth, self.line, position = 1, number, sign + 3
        return "".join(kept)

    def _inside(self, text: str, position: int) -> int:
        """Where to read on: behind the next end or beginning of a comment, or at the end of the line."""
        opening, ending = _opening(text, position), text.find("--;", position)
        if opening < 0 and ending < 0:
            return len(text)
        if ending < 0 or 0 <= opening < ending:
            self.depth += 1
            return opening + 3
        self.depth -= 1
        return ending + 3


class _Reading:
    """One passage through a file."""

    def __init__(self) -> None:
        self.conf = Conf()
        self.by_name: dict[str, list[ConfSection]] = {}
        self.section: ConfSection | None = None
        self.comments = Comments()
        self.options = 0
        self.stopped = False
        # What stands below a header that could not be read belongs to no section.
        self.lost = False

    def error(self, line: int, message: str) -> None:
        self.conf.errors.append(Remark(line, self.section.name if self.section else "", message))

    def read(self, number: int, raw: bytes) -> None:
        if len(raw) > LONGEST_LINE:
            return self.error(number, f"A line has at most {LONGEST_LINE} bytes.")
        try:
            text = raw.decode().rstrip("\r")
        except UnicodeDecodeError:
            return self.error(number, "This line is not UTF-8.")
        if _CONTROL.search(text):
            return self.error(number, "There is a control character in this line.")
        text = self.comments.without(number, text).strip()
        if not text:
            return None
        if text.startswith("#"):
            self.conf.remarks.append(
                Remark(number, "", f"“{text[:80]}” is not followed; import that file too if it has lines.")
            )
        elif text.startswith("["):
            self._begin(number, text)
        else:
            self._option(number, text)
        return None

    def _begin(self, number: int, text: str) -> None:
        self.section, self.lost = None, True
        header = _HEADER.fullmatch(text)
        if header is None:
            return self.error(number, "The name of this section has no ] at its end.")
        name, flags = header[1].strip(), [flag.strip() for flag in (header[2] or "").split(",")]
        if header[3] or not name:
            return self.error(number, "After the name of a section only (!), (+) or its templates may stand.")
        self.section = ConfSection(name, number)
        if added := next((flag for flag in flags if flag.startswith("+")), ""):
            known = self._existing(name, added[1:])
            if known is None:
                return self.error(number, f"({added}) adds to a section [{name}] that is not above this line.")
            self.section = known
        elif len(self.conf.sections) >= MOST_SECTIONS:
            self.stopped = True
            return self.error(number, f"There are more than {MOST_SECTIONS} sections.")
        else:
            self.conf.sections.append(self.section)
            self.by_name.setdefault(name, []).append(self.section)
        self.lost = False
        for flag in flags:
            if flag == "!":
                self.section.is_template = True
            elif flag and not flag.startswith("+"):
                self._inherit(number, self.section, flag)
        return None

    def _existing(self, name: str, condition: str) -> ConfSection | None:
        """The section that `(+)` means: the first of the name, or the first that has what `(+type=aor)` says."""
        option, _, value = condition.partition("=")
        found = self.by_name.get(name, [])
        return next((one for one in found if not condition or one.get(option.strip()) == value.strip()), None)

    def _inherit(self, number: int, section: ConfSection, template: str) -> None:
        found = self.by_name.get(template, [])
        if not found or found[0] is section:
            return self.error(number, f"There is no template [{template}] above this line.")
        self._count(number, len(found[0].options))
        if not self.stopped:
            section.options += found[0].options
        return None

    def _option(self, number: int, text: str) -> None:
        option = _OPTION.fullmatch(text)
        if option is None or not option[1]:
            return self.error(number, "This is neither a section nor NAME = VALUE.")
        if self.section is None or self.lost:
            return None if self.lost else self.error(number, "An option stands before the first section.")
        self._count(number, 1)
        name, value = option[1].lower(), option[3].strip()
        if option[2] == "+=":
            value = f"{self.section.get(name)}{value}"
        self.section.options.append(Option(name, value, number))
        return None

    def _count(self, number: int, more: int) -> None:
        """Templates of templates could make a small file large."""
        self.options += more
        if self.options > MOST_OPTIONS and not self.stopped:
            self.stopped = True
            self.error(number, f"With its templates the file has more than {MOST_OPTIONS} options.")


def _opening(text: str, position: int) -> int:
    """Where `;--` begins a comment of several lines; `;---` is an ordinary one."""
    found = text.find(";--", position)
    while found >= 0 and text.startswith("-", found + 3):
        found = text.find(";--", found + 3)
    return found
