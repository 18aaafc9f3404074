"""The bytes of a file and its text, one exactly for the other, in the encoding which the file declares.

REST carries a file as a JSON string while the phone must get the very bytes which somebody wrote, so neither
line ends nor a byte order mark are touched on the way (phone profiles spec §9, case 15).
"""

import codecs
import re

from phones_app.sep.refusal import Refused

BYTE_ORDER_MARK = codecs.BOM_UTF8
DEFAULT = "utf-8"

# XML 1.0 §2.8, production [23]: the version comes first, and nothing comes before the declaration.
_DECLARATION = re.compile(
    rb"""<\?xml[ \t\r\n]+version[ \t\r\n]*=[ \t\r\n]*(?:"[^"]*"|'[^']*')"""
    rb"""[ \t\r\n]+encoding[ \t\r\n]*=[ \t\r\n]*["']([A-Za-z][A-Za-z0-9._-]*)["']"""
)
# Supersets of ASCII with one byte a character, and UTF-8: no other encoding was ever seen in a SEP file, and
# masking, which works on bytes, relies on it.
_SUPPORTED = re.compile(r"utf-8|ascii|iso8859-\d{1,2}|cp125\d|koi8-[ru]")
_UTF_16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def declared_codec(content: bytes) -> str:
    """Return the Python codec which the content asks for; a byte order mark outranks a declaration.

    Raises Refused for an encoding in which no phone reads its file.
    """
    declaration = _DECLARATION.match(content)  # which a byte order mark keeps from matching
    if declaration is None:
        return DEFAULT
    name = declaration[1].decode("ascii")
    try:
        codec = codecs.lookup(name).name
    except LookupError:
        codec = ""
    if not _SUPPORTED.fullmatch(codec):
        raise Refused(
            "unsupported-encoding",
            f"the file declares the encoding “{name}”; phones read UTF-8, or ISO-8859-1 with a declaration",
            1,
            1,
        )
    return codec


def decode(content: bytes) -> str:
    """Return the text of a file; `encode` gives the same bytes back. Raises Refused."""
    if content.startswith(_UTF_16_MARKS) or b"\0" in content:
        raise Refused("utf-16", "the file contains NUL bytes or is UTF-16; save it as UTF-8")
    codec = declared_codec(content)
    try:
        return content.decode(codec)
    except UnicodeDecodeError as error:
        before = content[: error.start]
        raise Refused(
            "undecodable",
            f"byte 0x{content[error.start]:02X} is not {codec.upper()}; "
            "save the file as UTF-8 or declare its encoding in the first line",
            before.count(b"\n") + 1,
            len(before[before.rfind(b"\n") + 1 :].decode(codec)) + 1,
        ) from error


def encode(text: str) -> bytes:
    """Return the bytes of a file's text, in the encoding which the text declares. Raises Refused."""
    head = text.partition("?>")[0]
    codec = declared_codec(head.encode(DEFAULT, "replace"))
    try:
        return text.encode(codec)
    except UnicodeEncodeError as error:
        raise Refused(
            "unencodable",
            f"the character U+{ord(text[error.start]):04X} cannot be written in {codec.upper()}",
            text.count("\n", 0, error.start) + 1,
            error.start - text.rfind("\n", 0, error.start),
        ) from error
