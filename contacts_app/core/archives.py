"""What is checked of every archive that comes from elsewhere, whether its files are held in memory or streamed.

No Django here, so that pure packages use it as well.
"""

import struct
import zlib
from tarfile import TarError
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipInfo

from contacts_app.core.errors import Refusal

_ENCRYPTED = 0x1  # Bit 0 of the general purpose flags (APPNOTE.TXT, 4.4.4).
# Of these alone nothing but the length of the text decides how much memory unpacking takes.
_METHODS = (ZIP_STORED, ZIP_DEFLATED)
# What `zipfile`, `gzip` and `tarfile` raise for archives that somebody has spoilt.
DAMAGED = (
    *(BadZipFile, TarError, zlib.error, struct.error),
    *(EOFError, OSError, ValueError, LookupError, RuntimeError, OverflowError),
)


def ensure_readable_entry(entry: ZipInfo, name: str) -> None:
    """Raise Refusal for an entry of a ZIP archive that is encrypted, or packed by a method other than deflate."""
    if entry.flag_bits & _ENCRYPTED:
        raise Refusal("encrypted-archive", f"The ZIP archive is encrypted: {name}. Pack it without a password.")
    if entry.compress_type not in _METHODS:
        raise Refusal("bad-archive", f"{name} is packed by a method that Patchbay does not read. Use deflate.")
