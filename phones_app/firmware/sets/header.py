"""The header with which Cisco's signed files begin: where the payload begins, and the file's own name.

It is a list of TLVs: a tag of one byte, a length of two (big-endian), and the value (boot server spec §2).
"""

from dataclasses import dataclass

_VERSION, _LENGTH, _NAME = 1, 2, 14
# Tag, length, and a version of two bytes: how each of these files begins.
_BEGINNING = b"\x01\x00\x02"
_TAG_AND_LENGTH = 3
# Longer than any header that was seen (412 bytes), with room for longer keys.
LONGEST_HEADER = 4096


class DamagedHeader(ValueError):
    """The header cannot be followed. The message says why, for people."""


@dataclass(frozen=True)
class FirmwareHeader:
    """`length` is where the payload begins, `name` what the file was called when it was signed."""

    version: tuple[int, int]
    length: int
    name: str


def is_signed(head: bytes) -> bool:
    """Whether a file that begins so means to be one of these."""
    return head.startswith(_BEGINNING)


def read_header(head: bytes) -> FirmwareHeader:
    """Read the header at the beginning of a file, of which `head` is as much as there is, up to LONGEST_HEADER.

    Raises DamagedHeader.
    """
    if not is_signed(head):
        raise DamagedHeader("it does not begin with Cisco's header")
    values: dict[int, bytes] = {}
    place, length = 0, min(len(head), LONGEST_HEADER)
    while place + _TAG_AND_LENGTH <= length:
        tag, size = head[place], int.from_bytes(head[place + 1 : place + _TAG_AND_LENGTH], "big")
        place += _TAG_AND_LENGTH
        # What the last tag of a header says of its length may be wrong; the header's own length counts.
        if place + size > length:
            break
        values.setdefault(tag, head[place : place + size])
        if tag == _LENGTH:
            length = _header_length(values[tag], len(head))
        place += size
    if _LENGTH not in values:
        raise DamagedHeader("its header does not say how long it is")
    name = values.get(_NAME, b"").partition(b"\0")[0]
    if not name or not name.isascii() or not name.decode("ascii").isprintable():
        raise DamagedHeader("its header does not say the file's name")
    return FirmwareHeader((values[_VERSION][0], values[_VERSION][1]), length, name.decode("ascii"))


def _header_length(value: bytes, there: int) -> int:
    length = int.from_bytes(value, "big")
    if len(value) != 2 or length <= 2 * _TAG_AND_LENGTH + 4:
        raise DamagedHeader("the length of its header makes no sense")
    if length > LONGEST_HEADER:
        raise DamagedHeader(f"its header claims {length:,} bytes")
    if length > there:
        raise DamagedHeader(f"it ends within its header, after {there:,} of {length:,} bytes")
    return length
