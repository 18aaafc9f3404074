"""TFTP packets and its option negotiation (RFC 1350, RFC 2347 to 2349, RFC 7440), for servers and clients.

Plain bytes in and out; waiting and sending again is left to the owner of the sockets.
"""

import struct
from dataclasses import dataclass, field

RRQ, WRQ, DATA, ACK, ERROR, OACK = range(1, 7)

NOT_DEFINED, NOT_FOUND, ACCESS_VIOLATION, _, ILLEGAL = range(5)

BLOCK_BYTES = 512  # without the option
LARGEST_BLOCK = 1428  # an Ethernet frame with room for tunnels: larger blocks would travel in fragments
# Blocks that are under way at a time, if the client wishes (RFC 7440): more would overrun the buffers of small clients.
LARGEST_WINDOW = 64
# A client that wants longer pauses than this between two tries gets the usual ones.
LONGEST_SECONDS = 30
BLOCKS = 1 << 16  # block numbers start over at 0, as servers in the field do it


class NotTftpError(ValueError):
    """A packet that means nothing here."""


@dataclass(frozen=True)
class ReadRequest:
    """What a client asks for; option names in lower case."""

    name: str
    mode: str
    options: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Terms:
    """What both sides agreed on: block size, seconds until a packet is sent again, blocks for each acknowledgement, and
    the options to be confirmed.
    """

    block_bytes: int = BLOCK_BYTES
    seconds: float = 1.0
    window: int = 1
    confirmed: dict[str, str] = field(default_factory=dict)


def read_request(packet: bytes) -> ReadRequest:
    """Read the parts of a request behind its number."""
    *parts, rest = packet[2:].split(b"\0")
    if len(parts) < 2 or len(parts) % 2 or rest:
        raise NotTftpError("not a read request")
    texts = [part.decode("utf-8", "replace") for part in parts]
    options = dict(zip((name.lower() for name in texts[2::2]), texts[3::2], strict=True))
    return ReadRequest(texts[0], texts[1].lower(), options)


def write_request(name: str, options: dict[str, str]) -> bytes:
    words = [name, "octet", *(word for option in options.items() for word in option)]
    return struct.pack("!H", RRQ) + b"".join(word.encode() + b"\0" for word in words)


def agree(options: dict[str, str], size: int) -> Terms:
    """Take the options that are understood and in their range; the others are left out, which refuses them."""
    confirmed: dict[str, str] = {}
    if block_bytes := _number(options, "blksize", 8, 65464):
        block_bytes = min(block_bytes, LARGEST_BLOCK)
        confirmed["blksize"] = str(block_bytes)
    if seconds := _number(options, "timeout", 1, LONGEST_SECONDS):
        confirmed["timeout"] = str(seconds)
    if "tsize" in options:
        confirmed["tsize"] = str(size)
    if window := _number(options, "windowsize", 1, 65535):
        window = min(window, LARGEST_WINDOW)
        confirmed["windowsize"] = str(window)
    return Terms(block_bytes or BLOCK_BYTES, float(seconds or 1), window or 1, confirmed)


def confirmed_block_bytes(packet: bytes) -> int:
    """Read from a confirmation how large the blocks will be."""
    words = packet[2:].decode("ascii", "replace").split("\0")
    options = dict(zip((word.lower() for word in words[::2]), words[1::2], strict=False))
    return _number(options, "blksize", 8, 65464) or BLOCK_BYTES


def confirmation(terms: Terms) -> bytes:
    words = (word for option in terms.confirmed.items() for word in option)
    return struct.pack("!H", OACK) + b"".join(word.encode() + b"\0" for word in words)


def data(block: int, content: bytes) -> bytes:
    return struct.pack("!HH", DATA, block % BLOCKS) + content


def acknowledgement(block: int) -> bytes:
    return struct.pack("!HH", ACK, block % BLOCKS)


def error(number: int, text: str) -> bytes:
    return struct.pack("!HH", ERROR, number) + text.encode() + b"\0"


def kind_of(packet: bytes) -> int:
    return int.from_bytes(packet[:2], "big") if len(packet) >= 4 else 0


def number_of(packet: bytes) -> int:
    """Return the block of a DATA or ACK packet, the code of an ERROR."""
    return int.from_bytes(packet[2:4], "big")


def _number(options: dict[str, str], name: str, least: int, most: int) -> int | None:
    text = options.get(name, "")
    # ASCII digits and few of them: int() takes more than that, and takes long for long ones.
    if not (text.isascii() and text.isdecimal() and len(text) <= 5):
        return None
    return int(text) if least <= int(text) <= most else None
