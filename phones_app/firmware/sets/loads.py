"""The text of a `.loads` file: which files a phone fetches for a load, in each form that families have.

Names one per line (79xx, 69xx, 894x); `NAME size DIGEST` with conditional lines (792x); INI by hardware (78xx, 88xx). One
reader takes all of them, because no form means in another one something else (boot server spec §2.2).
"""

import re
from dataclasses import dataclass

from contacts_app.core.tables import table

_SECTION = re.compile(r"\[([\w. -]+)\]")
_KEY = re.compile(r"[\w.\s-]+=\s*(.*)")
# The phone puts the name behind its server's address: a plain name, and nothing that leads anywhere else.
_NAME = re.compile(r"[A-Za-z0-9_][\w.+-]*", re.ASCII)
_SIZE = re.compile(r"\d{1,10}")
DIGEST_LENGTH = 32
_CONDITION, _CONDITIONAL, _COMMENT = "#?", "#+", "#"
# More than any load has; what is longer is no list of files.
MOST_COMPONENTS = 500
LONGEST_LOADS = 65536


class DamagedLoads(ValueError):
    """The text is no list of components. The message says why, for people."""


@dataclass(frozen=True)
class Component:
    """One file of a load. `platform` is the section it stands in, `condition` the hardware that a 792x asks for."""

    name: str
    platform: str = ""
    condition: str = ""
    size: int | None = None
    digest: bytes | None = None


def read_loads(payload: bytes) -> tuple[Component, ...]:
    """The components in the order of the file. Raises DamagedLoads."""
    try:
        text = payload.rstrip(b"\0\x1a").decode("ascii")
    except UnicodeDecodeError:
        raise DamagedLoads("it holds bytes that are no text") from None
    found: list[Component] = []
    platform, conditions, was_condition = "", list[str](), False
    for number, raw in enumerate(text.splitlines(), start=1):
        line = raw.strip()
        if line.startswith(_CONDITION):
            conditions = [*(conditions if was_condition else ()), line.removeprefix(_CONDITION).strip()]
            was_condition = True
            continue
        was_condition = False
        if line.startswith(_CONDITIONAL):
            listed = line.removeprefix(_CONDITIONAL).strip()
            found.append(_component(listed, number, platform, ", ".join(conditions)))
        elif not line or line.startswith((_COMMENT, ";")):
            continue
        elif section := _SECTION.fullmatch(line):
            platform, conditions = section[1].strip(), []
        elif (pair := _KEY.fullmatch(line)) is None:
            found.append(_component(line, number, platform, ""))
        elif _names_a_file(pair[1]):
            found.append(_component(pair[1], number, platform, ""))
        if len(found) > MOST_COMPONENTS:
            raise DamagedLoads(f"it names more than {MOST_COMPONENTS} files")
    if not found:
        raise DamagedLoads("it names no files")
    return tuple(found)


def _component(line: str, number: int, platform: str, condition: str) -> Component:
    name, *rest = line.split()
    size, digest = (*rest, None, None)[:2]
    if len(rest) > 2 or not _NAME.fullmatch(name) or (size is not None and not _SIZE.fullmatch(size)):
        raise DamagedLoads(f"line {number} is not understood: “{line[:60]}”")
    if digest is not None and len(digest) != DIGEST_LENGTH:
        raise DamagedLoads(f"the digest in line {number} does not have {DIGEST_LENGTH} characters")
    return Component(
        name, platform, condition, None if size is None else int(size), None if digest is None else digest.encode()
    )


def _names_a_file(value: str) -> bool:
    """`LA_VERSION=PAS30831` says something about the load, `rootfs=rootfs78xx.14-2-1.sbn` names a file of it."""
    first = value.split()[:1]
    return bool(first) and first[0].lower().endswith(tuple(table(__file__, "firmware.toml")["component_endings"]))
