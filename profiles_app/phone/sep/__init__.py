"""The SEP document: read, judge, describe, mask and compare the file which a Cisco phone boots from.

Pure values in, pure values out: no Django, no sockets, no database. What Cisco's firmware makes of such a
file is in the Cisco phones spec §4.
"""

from profiles_app.phone.sep import catalogue, mac
from profiles_app.phone.sep.checks import check
from profiles_app.phone.sep.comparison import diff, folded, redact, side_by_side
from profiles_app.phone.sep.device_facts import Verdict, facts, fit
from profiles_app.phone.sep.document import MAX_BYTES, Refused, decode, encode, parse
from profiles_app.phone.sep.limits import Finding, Severity

__all__ = [
    "MAX_BYTES",
    "Finding",
    "Refused",
    "Severity",
    "Verdict",
    "catalogue",
    "check",
    "decode",
    "diff",
    "encode",
    "facts",
    "fit",
    "folded",
    "mac",
    "parse",
    "redact",
    "side_by_side",
]
