"""MAC addresses as phones and people write them, and the file name made from one (Cisco phones spec §4.1)."""

import re

_SEPARATORS = re.compile(r"[:.\s-]")
_TWELVE_HEX = re.compile(r"[0-9A-F]{12}")
_FILE_NAME = re.compile(r"SEP([0-9A-F]{12})\.cnf\.xml")


def parse_mac(text: str) -> str:
    """Return 12 upper-case hex digits; raise ValueError with a sentence for people.

    Accepts colons, hyphens, Cisco's dots, spaces, a leading SEP, and any case.
    """
    digits = _SEPARATORS.sub("", text).upper().removeprefix("SEP")
    if not _TWELVE_HEX.fullmatch(digits):
        raise ValueError(f"“{text.strip()[:40]}” is not a MAC address: 12 hexadecimal digits are needed")
    for name, digit in (("all-zero", "0"), ("broadcast", "F")):
        if digits == digit * 12:
            raise ValueError(f"the {name} MAC address belongs to no phone")
    if int(digits[:2], 16) & 1:
        raise ValueError(f"{colons(digits)} is a multicast address (odd first octet) and belongs to no phone")
    return digits


def is_mac(text: str) -> bool:
    """Say whether this is a phone's MAC address, in any spelling."""
    try:
        parse_mac(text)
    except ValueError:
        return False
    return True


def colons(mac: str) -> str:
    """Return the form for people: AA:BB:CC:DD:EE:FF."""
    return ":".join(mac[place : place + 2] for place in range(0, 12, 2))


def file_name(mac: str) -> str:
    """Return the name which the phone asks for; case matters on the usual servers."""
    return f"SEP{mac}.cnf.xml"


def mac_of_file_name(name: str) -> str | None:
    """Return the MAC address in a file name, None unless the name is exactly what a phone asks for."""
    match = _FILE_NAME.fullmatch(name)
    return match[1] if match is not None and is_mac(match[1]) else None
