"""A sip.conf for the usecallmanager patch of Asterisk 18 and 20, written anew for that of 22 (Asterisk spec §J).

Only what has another spelling changes. Comments, order and white space stay, so that a diff shows the changes and nothing
else. What has no successor stays as a comment with the reason.
"""

import re

from contacts_app.core.tables import table
from profiles_app.phone.pbx.conf import MAX_BYTES, Comments
from profiles_app.phone.pbx.found import Remark

_RULES = table(__file__, "options.toml")["converted"]
_HEADER = re.compile(r"\s*\[([^\]]*)\]")
_OPTION = re.compile(r"(\s*)([A-Za-z][\w.-]*)(\s*\+?=>?\s*)([^;\r]*)(.*)", re.DOTALL)
_NOTIFY = "Notify types (sip_notify.conf) stand in sip.conf as sections with type=notify."


def to_22(text: str) -> tuple[str, list[Remark]]:
    """The text for Asterisk 22, and what was changed or is left to do. Raises ValueError for a text that is too long."""
    if len(text) > MAX_BYTES:
        raise ValueError(f"The file is larger than {MAX_BYTES // 1024**2} MB.")
    comments, section = Comments(), ""
    written, remarks = [], []
    for number, line in enumerate(text.split("\n"), start=1):
        before = comments.depth
        code = comments.without(number, line)
        if before or comments.depth:
            # Part of a comment of several lines: not touched, and told where an option stands before it.
            new, told = line, "Convert this line by hand." if code.strip() and _converted(section, code)[1] else ""
        else:
            if header := _HEADER.match(code):
                section = header[1].strip().lower()
            new, told = _converted(section, line) if code.strip() else (line, "")
        written.append(new)
        if told:
            remarks.append(Remark(number, section, told))
    return "\n".join(written), [*remarks, Remark(len(written), "", _NOTIFY)]


def _converted(section: str, line: str) -> tuple[str, str]:
    """A line in its new spelling, and what is told about it; the line itself where nothing changes."""
    option = _OPTION.fullmatch(line)
    if option is None:
        return line, ""
    space, name, equals, value, rest = option.groups()
    known = name.lower()
    if known == "type" and value.strip().lower() in ("friend", "user"):
        kept = value[len(value.rstrip()) :]
        return f"{space}{name}{equals}peer{kept}{rest}", f"type={value.strip()} is now type=peer."
    if successor := _RULES["renamed"].get(known):
        return f"{space}{successor}{equals}{value}{rest}", f"{name} is now {successor}."
    gone = _RULES["removed"].get(known) or (_RULES["general"].get(known, "") if section == "general" else "")
    if joined := _RULES["joined"].get(known):
        gone = f"is now part of {joined}, which is to be set by hand"
    return (f"{space};{line[len(space) :]}", f"{name} {gone}.") if gone else (line, "")
