"""How a text travels as short messages: in the GSM alphabet of 7 bits where it fits, else in UCS-2 (3GPP TS 23.038).

A text that is too long for one message is split into parts, each with a header of six octets that puts them together
again (3GPP TS 23.040 §9.2.3.24.1). No part ends in the middle of a character.
"""

from collections.abc import Iterator
from dataclasses import dataclass

# The default alphabet by its codes (3GPP TS 23.038 §6.2.1); the code 0x1B leads to the extension table.
_BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ\xa7¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION = dict(zip("\f^{}\\[~]|€", b"\x0a\x14\x28\x29\x2f\x3c\x3d\x3e\x40\x65", strict=True))
_ESCAPE = 0x1B
_CODES = {char: bytes([code]) for code, char in enumerate(_BASIC) if code != _ESCAPE}
_CODES |= {char: bytes([_ESCAPE, code]) for char, code in _EXTENSION.items()}
_EXTENDED = {code: char for char, code in _EXTENSION.items()}

GSM7, UCS2 = "gsm7", "ucs2"
# Units of one message, and of a part of several: septets, and octets of UTF-16.
WHOLE = {GSM7: 160, UCS2: 140}
PART = {GSM7: 153, UCS2: 134}
# The header counts parts in one octet.
MOST_PARTS = 255


@dataclass(frozen=True)
class Segments:
    """`parts` hold a septet in each octet for GSM, as SMPP carries them, or UTF-16 in network order."""

    encoding: str
    parts: tuple[bytes, ...]


def segments(text: str) -> Segments:
    """The parts of a text. An empty one is one part."""
    units, encoding = _units(text)
    if sum(map(len, units)) <= WHOLE[encoding]:
        return Segments(encoding, (b"".join(units),))
    return Segments(encoding, tuple(_split(units, PART[encoding])))


def _units(text: str) -> tuple[list[bytes], str]:
    """Each character as it is coded, and how."""
    try:
        return [_CODES[char] for char in text], GSM7
    except KeyError:
        # Characters beyond the basic plane are two units, as phones have it.
        return [char.encode("utf-16-be") for char in text], UCS2


def _split(units: list[bytes], size: int) -> Iterator[bytes]:
    part = b""
    for unit in units:
        if len(part) + len(unit) > size:
            yield part
            part = b""
        part += unit
    yield part


def gsm_text(octets: bytes) -> str:
    """Read the GSM alphabet, a septet in each octet; what it does not know is a space, as phones have it."""
    text, escaped = "", False
    for octet in octets:
        if escaped:
            text += _EXTENDED.get(octet, " ")
        elif octet != _ESCAPE:
            text += _BASIC[octet] if octet < len(_BASIC) else " "
        escaped = octet == _ESCAPE and not escaped
    return text
