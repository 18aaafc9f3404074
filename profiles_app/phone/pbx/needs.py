"""What a PBX must have for a phone, read from the phone's own file, whatever made that file (Asterisk spec §J).

The file alone says which names the phone registers and which keys it wants to see; what it need not say (the mailbox, the
secret of a second line) is added from the lines that are known, by their names.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from profiles_app.phone import sep
from profiles_app.phone.sep.device_facts import line_elements
from profiles_app.phone.sep.document import Element, integer, value_of

# Keys whose lamp shows the state of another extension: BLF speed dial, BLF directed park (Cisco phones spec §4.6).
_WATCHING = ("21", "22")


@dataclass(frozen=True)
class PbxLine:
    """A line that the PBX must know; `name` is its endpoint or peer. None: the file gives no number."""

    name: str
    extension: str = ""
    auth_name: str = ""
    auth_password: str = field(default="", repr=False)
    display_name: str = ""
    mailbox: str = ""
    max_calls: int | None = None
    busy_trigger: int | None = None


@dataclass(frozen=True)
class PbxPhone:
    """The lines in the order of their lineIndex, and the extensions that keys watch. `hidden`: passwords are masked."""

    mac: str
    title: str
    transport: str
    lines: tuple[PbxLine, ...]
    watched: tuple[str, ...]
    hidden: bool = False


def needs_of(content: bytes, *, mac: str, title: str = "") -> PbxPhone:
    """What the file of a phone asks of its PBX. Raises sep.Refused for what is no SEP file."""
    document = sep.parse(content)
    keys = document.find_all("sipProfile/sipLines/line")
    watching = [key for key in keys if _child(key, "featureID") in _WATCHING]
    targets = (_child(key, "speedDialNumber") or _child(key, "contact") for key in watching)
    lines = [line for key in sorted(line_elements(document), key=_order) if (line := _line(key)).name]
    return PbxPhone(
        mac=mac,
        title=title,
        transport=sep.facts(document).transport or "tcp",
        lines=tuple(lines),
        watched=tuple(dict.fromkeys(filter(None, map(_extension_in, targets)))),
    )


def completed(phone: PbxPhone, known: Mapping[str, PbxLine]) -> PbxPhone:
    """The phone with what its file leaves out taken from the known lines of the same names."""
    return replace(phone, lines=tuple(_completed(line, known.get(line.name)) for line in phone.lines))


def masked(phone: PbxPhone) -> PbxPhone:
    """The same for people who may not see passwords."""
    return replace(phone, hidden=True, lines=tuple(replace(line, auth_password="") for line in phone.lines))


def missing(phones: Sequence[PbxPhone], there: set[str]) -> list[str]:
    """The names that these phones need and the PBX does not have, each once."""
    return list(dict.fromkeys(line.name for phone in phones for line in phone.lines if line.name not in there))


def _completed(line: PbxLine, known: PbxLine | None) -> PbxLine:
    if known is None:
        return line
    given = {name: value for name, value in vars(line).items() if value not in ("", None)}
    # The number is dialled at the PBX, whatever the phone shows.
    return replace(known, **given | ({"extension": known.extension} if known.extension else {}))


def _line(key: Element) -> PbxLine:
    name = _child(key, "name")
    return PbxLine(
        name=name,
        extension=_child(key, "contact") or name,
        auth_name=_child(key, "authName"),
        auth_password=_child(key, "authPassword"),
        display_name=_child(key, "displayName"),
        max_calls=integer(_child(key, "maxNumCalls")),
        busy_trigger=integer(_child(key, "busyTrigger")),
    )


def _extension_in(target: str) -> str:
    """A key may dial `301@pbx.example`, or `301,,2` with pauses."""
    return target.partition(",")[0].partition("@")[0].strip()


def _order(key: Element) -> tuple[int, int]:
    index, button = integer(key.get("lineIndex", "")), integer(key.get("button", ""))
    return (index or button or 999, button or 999)


def _child(key: Element, tag: str) -> str:
    return value_of(key.find(tag))
