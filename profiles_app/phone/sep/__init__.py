"""The SEP document: read, judge, describe, mask and compare the file which a Cisco phone boots from.

Pure values in, pure values out: no Django, no sockets, no database. What Cisco's firmware makes of such a
file is in the Cisco phones spec §4.
"""

from profiles_app.phone.sep import catalogue, mac
from profiles_app.phone.sep.checks import beside, check, watched
from profiles_app.phone.sep.comparison import diff, folded, redact, side_by_side
from profiles_app.phone.sep.compatibility import Misfit, Verdict, fit, misfit
from profiles_app.phone.sep.device_facts import facts
from profiles_app.phone.sep.document import MAX_BYTES, Refused, decode, encode, other_file, parse
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
    "decode",
    "diff",
    "encode",
    "facts",
    "fit",
    "folded",
    "mac",
    "misfit",
    "other_file",
    "parse",
    "redact",
    "side_by_side",
    "watched",
]
