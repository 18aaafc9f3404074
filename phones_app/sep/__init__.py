"""The SEP document: read, judge, describe, mask and compare the file which a Cisco phone boots from.

Pure values in, pure values out: no Django, no sockets, no database. What Cisco's firmware makes of such a
file is in the Cisco phones spec §4.
"""

from phones_app.sep import catalogue, mac
from phones_app.sep.checks import check
from phones_app.sep.comparison import Pair, diff, folded, side_by_side
from phones_app.sep.device_facts import Facts, Line, Server, facts
from phones_app.sep.document import MAX_BYTES, Document, Element, parse
from phones_app.sep.encoding import decode, encode
from phones_app.sep.findings import Finding, Severity
from phones_app.sep.fit import Verdict, fit
from phones_app.sep.redaction import MASK, SECRET_ELEMENTS, redact
from phones_app.sep.refusal import Refused

__all__ = [
    "MASK",
    "MAX_BYTES",
    "SECRET_ELEMENTS",
    "Document",
    "Element",
    "Facts",
    "Finding",
    "Line",
    "Pair",
    "Refused",
    "Server",
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
