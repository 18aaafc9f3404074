"""What a person's choices on a phone's screen carry instead of the PIN that they have shown (mobility spec §5.2).

A ticket is ciphertext under the keys of ENCRYPTION_KEYS: it tells nobody whose it is, is good for a while, for one
purpose, and on the phone and from the address alone where it was given.
"""

import hashlib
import struct
from datetime import timedelta
from enum import Enum

from cryptography.fernet import InvalidToken

from contacts_app.core.secrets import cipher
from contacts_app.people.models import User


class Purpose(Enum):
    """What the ticket is for, and for how long it is good."""

    LOG_IN = timedelta(minutes=2)
    ENROL = timedelta(minutes=10)


# URLs of phones have 256 characters (mobility spec §2): the place is told by a part of its digest, and no padding.
_CONTENT = struct.Struct(">q16s")


def ticket_for(user: User, purpose: Purpose, *, mac: str, address: str) -> str:
    content = _CONTENT.pack(user.pk, _place(purpose, mac, address))
    return cipher().encrypt(content).decode().rstrip("=")


def person_of(ticket: str, purpose: Purpose, *, mac: str, address: str) -> User | None:
    """Whose ticket it is; None where it is none, is too old, or was given elsewhere, and for who is not active."""
    token = ticket + "=" * (-len(ticket) % 4)
    try:
        content = cipher().decrypt(token.encode(), ttl=int(purpose.value.total_seconds()))
        key, place = _CONTENT.unpack(content)
    except (InvalidToken, struct.error):
        return None
    if place != _place(purpose, mac, address):
        return None
    return User.objects.filter(pk=key, is_active=True, account__is_active=True).first()


def _place(purpose: Purpose, mac: str, address: str) -> bytes:
    return hashlib.sha256(f"{purpose.name} {mac} {address}".encode()).digest()[:16]
