"""What the file of a phone is called on its file server, and whose file a name means (Cisco phones spec §3.4, §4.1).

Most phones read SEP<MAC>.cnf.xml. ATAs read the same XML under another name, and 7940 and 7960 with SIP firmware a text.
"""

import re
from codecs import BOM_UTF8
from collections.abc import Mapping

from contacts_app.core.tables import table
from profiles_app.phone.sep import catalogue
from profiles_app.phone.sep.catalogue import is_mac

SEP, SIP_TEXT, ATA = "", "sip-text", "ata"
_NAMES = {SEP: "SEP{}.cnf.xml", SIP_TEXT: "SIP{}.cnf", ATA: "ATA{}.cnf.xml"}
NAME_OF_FORMAT = {file_format: name.format("<MAC>") for file_format, name in _NAMES.items()}
_PATTERNS = {
    file_format: re.compile(re.escape(name).replace(r"\{\}", "([0-9A-F]{12})")) for file_format, name in _NAMES.items()
}

_FORMATS = table(__file__, "formats.toml")
_TEXT = next(re.compile(row["begins"].encode()) for row in _FORMATS["text"] if row["code"] == "plain-text-sip")


def is_plain_text(content: bytes) -> bool:
    """Whether this is the text of a phone that reads no XML (boot server spec §10)."""
    return _TEXT.match(content.removeprefix(BOM_UTF8)[:4096].lstrip()) is not None


def other_file(name: str) -> str:
    """What a file of this name is, where it is known not to be the file of a phone; else ""."""
    return next((row["message"] for row in _FORMATS["names"] if re.fullmatch(row["name"], name)), "")


def file_format(model: str, facts: Mapping[str, object]) -> str:
    """The format of a file with these facts for a phone of this model: a text says it itself, of XML the phone does."""
    if facts.get("format") == SIP_TEXT:
        return SIP_TEXT
    device = catalogue.find(model) if model else None
    return ATA if device is not None and device.reads_ata_file else SEP


def format_of_content(model: str, content: bytes) -> str:
    """The same where the file itself is at hand."""
    return file_format(model, {"format": SIP_TEXT if is_plain_text(content) else SEP})


def file_name(mac: str, file_format: str = SEP) -> str:
    """Return the name which the phone asks for; case matters on the usual servers."""
    return _NAMES[file_format].format(mac)


def device_name(mac: str, file_format: str = SEP) -> str:
    """What the phone calls itself: the name of its file without its ending."""
    return file_name(mac, file_format).partition(".")[0]


def named(name: str) -> tuple[str, str] | None:
    """Return the format and the MAC address in a file name, None unless it is exactly what a phone asks for."""
    for file_format, pattern in _PATTERNS.items():
        if (match := pattern.fullmatch(name)) and is_mac(match[1]):
            return file_format, match[1]
    return None


def mac_of_file_name(name: str) -> str | None:
    """Return the MAC address in a file name, None unless the name is exactly what a phone asks for."""
    found = named(name)
    return found[1] if found else None


def format_of_file_name(name: str) -> str:
    """Return the format that a name says; that of most phones where it says none."""
    found = named(name)
    return found[0] if found else SEP
