"""The SEP document: read, judge, describe, mask and compare the file which a Cisco phone boots from.

Pure values in, pure values out: no Django, no sockets, no database. What Cisco's firmware makes of such a
file is in the Cisco phones spec §4.
"""

from profiles_app.phone.sep import catalogue
from profiles_app.phone.sep.catalogue import (
    colons,
    device_name,
    file_format,
    file_name,
    format_of_content,
    format_of_file_name,
    is_mac,
    is_plain_text,
    mac_of_file_name,
    named,
    other_file,
    parse_mac,
)
from profiles_app.phone.sep.comparison import diff, folded, redact, side_by_side
from profiles_app.phone.sep.compatibility import Misfit, Verdict, fit, keys_without_place, misfit
from profiles_app.phone.sep.device_facts import facts
from profiles_app.phone.sep.document import MAX_BYTES, Refused, decode, encode, ensure_readable, parse
from profiles_app.phone.sep.elements import Finding, Severity
from profiles_app.phone.sep.files import (
    Companion,
    beside,
    check,
    companions,
    facts_of,
    name_fault,
    of_companions,
    watched,
)
from profiles_app.phone.sep.plain_text import DEFAULT_FILE as TEXT_FOR_ALL

__all__ = [
    "MAX_BYTES",
    "TEXT_FOR_ALL",
    "Companion",
    "Finding",
    "Misfit",
    "Refused",
    "Severity",
    "Verdict",
    "beside",
    "catalogue",
    "check",
    "colons",
    "companions",
    "decode",
    "device_name",
    "diff",
    "encode",
    "ensure_readable",
    "facts",
    "facts_of",
    "file_format",
    "file_name",
    "fit",
    "folded",
    "format_of_content",
    "format_of_file_name",
    "is_mac",
    "is_plain_text",
    "keys_without_place",
    "mac_of_file_name",
    "misfit",
    "name_fault",
    "named",
    "of_companions",
    "other_file",
    "parse",
    "parse_mac",
    "redact",
    "side_by_side",
    "watched",
]
