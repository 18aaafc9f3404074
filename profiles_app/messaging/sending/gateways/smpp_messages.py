"""What short message centres deliver: receipts in the form of SMPP 3.4 appendix B, and messages of people."""

import re
from dataclasses import dataclass
from typing import Any

from smpplib import consts

from profiles_app.messaging.sending.segments import GSM7, UCS2, gsm_text

CODINGS = {GSM7: consts.SMPP_ENCODING_DEFAULT, UCS2: consts.SMPP_ENCODING_ISO10646}
# Bits of esm_class (SMPP 3.4 §5.2.12).
TYPE_BITS, RECEIPT_BITS, HEADER_BIT = 0x3C, 0x04, 0x40
# The states of a message as a number (SMPP 3.4 §5.2.28).
STATES = {
    1: "enroute",
    2: "delivrd",
    3: "expired",
    4: "deleted",
    5: "undeliv",
    6: "acceptd",
    7: "unknown",
    8: "rejectd",
}
_MEMBER = re.compile(r"\b(id|stat|err):(\S*)", re.IGNORECASE)


@dataclass(frozen=True)
class Arrived:
    """A receipt with the centre's id and word, or a message with its text."""

    is_receipt: bool
    sender: str
    recipient: str
    text: str = ""
    reference: str = ""
    word: str = ""
    error: str = ""


def arrived(pdu: Any) -> Arrived:
    """Read a `deliver_sm`; nothing in it can make this fail."""
    kind, octets = pdu.esm_class or 0, pdu.short_message or b""
    if not octets and getattr(pdu, "message_payload", None):
        octets = pdu.message_payload
    sender, recipient = _plain(pdu.source_addr), _plain(pdu.destination_addr)
    if kind & TYPE_BITS != RECEIPT_BITS:
        return Arrived(False, sender, recipient, _text_of(octets, kind, pdu.data_coding or 0))
    said = {name.lower(): value for name, value in _MEMBER.findall(_plain(octets))}
    reference = _plain(getattr(pdu, "receipted_message_id", None)) or said.get("id", "")
    word = STATES.get(getattr(pdu, "message_state", None) or 0) or said.get("stat", "")
    error = said.get("err", "")
    return Arrived(True, sender, recipient, "", reference, word, f"{word} {error}".strip())


def _text_of(octets: bytes, kind: int, coding: int) -> str:
    """Each part of a long message is one of its own: its header is left out."""
    if kind & HEADER_BIT and octets:
        octets = octets[octets[0] + 1 :]
    if coding == consts.SMPP_ENCODING_ISO10646:
        return octets.decode("utf-16-be", "replace")
    if coding == consts.SMPP_ENCODING_ISO88591:
        return octets.decode("latin-1")
    return gsm_text(octets)


def _plain(octets: Any) -> str:
    text = octets.decode("latin-1") if isinstance(octets, bytes) else str(octets or "")
    return text.replace("\0", "")
