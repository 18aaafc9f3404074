"""Lines: what is checked before one is stored, what is shown of it to whom, and what a PBX is told of it."""

import re
from collections.abc import Iterable, Mapping

from contacts_app.core.csv.text import has_control_characters
from profiles_app.phone import pbx
from profiles_app.phone.models import Line

# Phones take so much of a password (Cisco phones spec §4.4); FreePBX makes longer ones.
LONGEST_PASSWORD = 30
_EXTENSION = re.compile(r"[0-9A-Za-z*#+][0-9A-Za-z*#+_.\-]*")
_PEER = re.compile(r"[0-9A-Za-z_+*#][0-9A-Za-z_.+*#@\-]*")
_TEXTS = ("extension", "name", "auth_name", "auth_password", "display_name", "label", "voicemail", "mailbox")
# What the checks look at: who changes one of these has the whole line checked.
CHECKED = (*_TEXTS, "max_calls", "busy_trigger")


def faults_of(values: Mapping[str, object]) -> dict[str, str]:
    """What is wrong with the values of a line, by field; a value that is not there is not looked at."""
    faults: dict[str, str] = {}
    for name in _TEXTS:
        text = str(values.get(name) or "")
        if has_control_characters(text) or "\n" in text or "\r" in text:
            faults[name] = "There is a line end or a control character in it."
    extension, peer = str(values.get("extension") or ""), str(values.get("name") or "")
    password = str(values.get("auth_password") or "")
    if extension and not _EXTENSION.fullmatch(extension):
        faults.setdefault("extension", "An extension has letters, digits and * # + _ . - only.")
    if peer and not _PEER.fullmatch(peer):
        faults.setdefault("name", "A peer has letters, digits and _ . + * # @ - only.")
    if password != password.strip():
        faults.setdefault("auth_password", "It begins or ends with a space, which Asterisk cuts off.")
    most, busy = values.get("max_calls"), values.get("busy_trigger")
    if isinstance(most, int) and isinstance(busy, int) and busy > most:
        faults["busy_trigger"] = "Busy cannot begin above the most calls."
    return faults


def values_of(line: Line) -> dict[str, object]:
    """What `faults_of` looks at."""
    return {name: getattr(line, name) for name in CHECKED}


def remark_of(extension: str, password: str) -> str:
    """What people are told of a line that is stored all the same; empty: nothing."""
    if len(password) <= LONGEST_PASSWORD:
        return ""
    return f"{extension}: the password has {len(password)} characters, and phones take {LONGEST_PASSWORD}."


def uses_of(line: Line) -> list[str]:
    """Where a line is used, such as “Phone 00:00:5E:00:53:01”."""
    return [str(use.layer) for use in line.uses.select_related("layer__phone", "layer__group", "layer__profile")]


def known_to_pbx(lines: Iterable[Line]) -> dict[str, pbx.PbxLine]:
    """Lines by their peers, as what a PBX must know of them."""
    return {
        line.peer: pbx.PbxLine(
            name=line.peer,
            extension=line.extension,
            auth_name=line.auth_name or line.peer,
            auth_password=line.auth_password,
            display_name=line.display_name,
            mailbox=line.mailbox,
            max_calls=line.max_calls,
            busy_trigger=line.busy_trigger,
        )
        for line in lines
    }
