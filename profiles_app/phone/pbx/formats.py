"""Which kind of file lines come in, by its content, and the lines in it (Asterisk spec §J)."""

import csv
import re

from profiles_app.phone.pbx.bulk_handler import bulk_handler_lines, is_bulk_handler
from profiles_app.phone.pbx.conf import read_conf
from profiles_app.phone.pbx.found import FoundLines
from profiles_app.phone.pbx.pjsip_conf import pjsip_lines
from profiles_app.phone.pbx.sip_conf import sip_lines

# `csv` is our own, which is read where all CSV files are.
FORMATS = ("csv", "bulk-handler", "pjsip", "sip")
_SECTION = re.compile(rb"(?m)^\s*\[[^\]\r\n]+\]\s*(?:\([^)\r\n]*\))?\s*(?:;.*)?\r?$")
_PJSIP = re.compile(rb"(?mi)^\s*(?:type\s*=>?\s*(?:endpoint|auth|aor)|aors\s*=>?.*)\s*(?:;.*)?\r?$")
_HEAD = 64 * 1024


def format_of(content: bytes) -> str:
    """One of FORMATS."""
    if _SECTION.search(content[:_HEAD]):
        return "pjsip" if _PJSIP.search(content) else "sip"
    first = content[:_HEAD].decode("utf-8-sig", "replace").split("\n", 1)[0]
    header = next(csv.reader([first]), [])
    return "bulk-handler" if is_bulk_handler([cell.strip().lower() for cell in header]) else "csv"


def lines_in(content: bytes, kind: str) -> FoundLines:
    """The lines of a file of one of FORMATS other than `csv`."""
    if kind == "bulk-handler":
        return bulk_handler_lines(content)
    conf = read_conf(content)
    return pjsip_lines(conf) if kind == "pjsip" else sip_lines(conf)
