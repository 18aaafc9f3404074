"""The SEP document: read, judge, describe, mask and compare the file which a Cisco phone boots from.

Pure values in, pure values out: no Django, no sockets, no database. What Cisco's firmware makes of such a
file is in the Cisco phones spec §4.
"""

from profiles_app.phone.sep import catalogue
from profiles_app.phone.sep.catalogue import colons, file_name, is_mac, mac_of_file_name, parse_mac
from profiles_app.phone.sep.checks import beside, check, watched
from profiles_app.phone.sep.comparison import diff, folded, redact, side_by_side
from profiles_app.phone.sep.compatibility import Misfit, Verdict, fit, keys_without_place, misfit
from profiles_app.phone.sep.device_facts import facts
from profiles_app.phone.sep.document import MAX_BYTES, Refused, decode, encode, ensure_readable, other_file, parse
from profiles_app.phone.sep.elements import Finding, Severity

__all__ = [
    "MAX_BYTES",
    "Finding",
    "Misfit",
    "Refused",
    "Severity",
    "Verdict",
    "beside",
    "catalogue",
    "check",
    "colons",
    "decode",
    "diff",
    "encode",
    "ensure_readable",
    "facts",
    "file_name",
    "fit",
    "folded",
    "is_mac",
    "keys_without_place",
    "mac_of_file_name",
    "misfit",
    "other_file",
    "parse",
    "parse_mac",
    "redact",
    "side_by_side",
    "watched",
]
