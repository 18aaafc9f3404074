"""The PBX side of lines: reading them out of a PBX's files, and the text that a PBX needs for phones.

Pure values in, pure values out: no Django, no sockets, no database.
"""

from profiles_app.phone.pbx.conversion import to_22
from profiles_app.phone.pbx.formats import FORMATS, format_of, lines_in
from profiles_app.phone.pbx.found import FoundLine, FoundLines, Remark
from profiles_app.phone.pbx.generators import CONTEXT, DIALECTS, pbx_text
from profiles_app.phone.pbx.needs import PbxLine, PbxPhone, completed, masked, missing, needs_of
from profiles_app.phone.pbx.stanza import UnsafeValue

__all__ = [
    "CONTEXT",
    "DIALECTS",
    "FORMATS",
    "FoundLine",
    "FoundLines",
    "PbxLine",
    "PbxPhone",
    "Remark",
    "UnsafeValue",
    "completed",
    "format_of",
    "lines_in",
    "masked",
    "missing",
    "needs_of",
    "pbx_text",
    "to_22",
]
