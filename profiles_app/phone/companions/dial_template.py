"""Dial templates: which numbers a phone dials by itself, after how long, and as what it sends them.

A file is read as the phones' SIP software does: names of attributes in any case, `TEMPLATE` in capitals, several `tone`
for one rule, which is no XML in the strict sense. A rule that says something else is left out by the phone, and a file
of more than 8,191 bytes is not read at all, without a word about it (boot server spec §11.1).
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

from lxml import etree

from profiles_app.phone.companions.reading import Unreadable, error, line_of, read_xml, warning
from profiles_app.phone.sep.elements import Finding

LARGEST = 8_191
LONGEST_VALUE = 63
MOST_TONES = 3
MOST_GROUPS = 5
TONES = (
    "Bellcore-Inside", "Bellcore-Outside", "Bellcore-Busy", "Bellcore-Reorder", "Bellcore-CallWaiting",
    "Bellcore-Hold", "Bellcore-Reminder", "Bellcore-Confirmation", "Bellcore-Permanent", "Bellcore-None",
    "Cisco-Zip", "Cisco-ZipZip", "Cisco-BeepBonk",
)  # fmt: skip
USERS = ("phone", "ip")
ROUTES = ("default", "emergency", "fqdn")
_ATTRIBUTES = frozenset({"match", "line", "timeout", "user", "rewrite", "route", "tone", "tone.2", "tone.3", "tone.4"})
_PATTERN = re.compile(r"[0-9#.*\\,+]*", re.ASCII)
_TAG = re.compile(rb"<TEMPLATE\b[^<>]*>")
_TONE = re.compile(rb"(\s)(tone)(\s*=)", re.IGNORECASE)


@dataclass(frozen=True)
class DialRule:
    """One `TEMPLATE`. `timeout` None: the phone's own; `line` 0: all lines; `remark`: the comment above it."""

    match: str
    timeout: int | None = None
    line: int = 0
    user: str = ""
    rewrite: str = ""
    route: str = ""
    tones: tuple[str, ...] = ()
    remark: str = ""
    source_line: int | None = None


@dataclass(frozen=True)
class DialTemplate:
    rules: tuple[DialRule, ...]
    version: str = ""


def read_dial_template(content: bytes) -> tuple[DialTemplate, list[Finding]]:
    """The rules that a phone takes, and what is wrong with the others. Raises Unreadable."""
    root = read_xml(_TAG.sub(_numbered_tones, content))
    findings = []
    if str(root.tag).upper() != "DIALTEMPLATE":
        text = f"A dial template begins with <DIALTEMPLATE>, this file with <{root.tag}>."
        raise Unreadable(error("wrong-root", text, line_of(root)))
    rules, remark, version = list[DialRule](), "", ""
    for element in root:
        if isinstance(element, etree._Comment):
            remark = " ".join(filter(None, (remark, " ".join((element.text or "").split()))))
            continue
        if element.tag == "TEMPLATE":
            try:
                rules.append(_rule(element, remark))
            except ValueError as wrong:
                findings.append(error("rule-left-out", f"Phones leave this rule out: {wrong}.", line_of(element)))
            remark = ""
        elif str(element.tag).lower() == "versionstamp":
            version = (element.text or "").strip()
        elif str(element.tag).upper() == "TEMPLATE":
            findings.append(error("lower-case", "Phones see <TEMPLATE> in capitals only.", line_of(element)))
        else:
            findings.append(warning("unknown", f"Phones do not know <{element.tag}>.", line_of(element)))
    return DialTemplate(tuple(rules), version), findings


def rules_dialled_by(content: bytes) -> tuple[DialRule, ...]:
    """Those that a phone dials by: of a file that is too long for phones, none. Raises Unreadable."""
    template, _ = read_dial_template(content)
    return template.rules if len(content) <= LARGEST else ()


def check_dial_template(content: bytes) -> list[Finding]:
    try:
        template, findings = read_dial_template(content)
    except Unreadable as refused:
        return [refused.finding]
    if len(content) > LARGEST:
        text = f"The file has {len(content):,} bytes. Phones ignore a dial template of more than {LARGEST:,}, silently."
        findings.append(error("too-large", text))
    if not template.rules:
        findings.append(warning("no-rules", "There is no rule: phones wait for their own time-out after each number."))
    findings += check_rules(template.rules)
    return sorted(findings, key=lambda finding: finding.line or 0)


def check_rules(rules: Iterable[DialRule]) -> list[Finding]:
    """What is doubtful about each rule by itself, and about two with the same pattern."""
    findings, seen = list[Finding](), dict[tuple[str, int], int]()
    for number, rule in enumerate(rules, 1):
        doubts = list(_doubts(rule))
        # Of two equal ones the first counts: a later one has to match better.
        if (first := seen.setdefault((rule.match, rule.line), number)) != number:
            doubts.append(("twice", f"it is never used, because rule {first} is the same"))
        named = f"Rule {number} “{rule.match}”"
        findings += [warning(code, f"{named}: {text}.", rule.source_line) for code, text in doubts]
    return findings


def write_dial_template(template: DialTemplate) -> bytes:
    lines = ["<DIALTEMPLATE>"]
    if template.version:
        lines.append(f"  <versionStamp>{escape(template.version)}</versionStamp>")
    for rule in template.rules:
        if rule.remark:
            # No comment of XML can have two hyphens in a row.
            lines.append(f"  <!-- {re.sub('-(?=-)', '- ', rule.remark)} -->")
        lines.append("  <TEMPLATE " + " ".join(_attributes(rule)) + "/>")
    return "\n".join([*lines, "</DIALTEMPLATE>", ""]).encode()


def groups_of(pattern: str) -> int:
    """How many parts of a number %1 to %5 can stand for: each run of dots, and each asterisk."""
    return len(re.findall(r"\.+|\*", re.sub(r"\\.", "0", pattern.replace(",", ""))))


def _attributes(rule: DialRule) -> Iterator[str]:
    yield f"MATCH={quoteattr(rule.match)}"
    if rule.line:
        yield f'Line="{rule.line}"'
    if rule.timeout is not None:
        yield f'Timeout="{rule.timeout}"'
    for name, value in (("User", rule.user), ("Rewrite", rule.rewrite), ("Route", rule.route)):
        if value:
            yield f"{name}={quoteattr(value)}"
    for tone in rule.tones:
        yield f"Tone={quoteattr(tone)}"


def _numbered_tones(tag: re.Match[bytes]) -> bytes:
    """The same tag with `tone`, `tone.2`, …: no attribute comes twice, and no line moves."""
    names = iter([b"tone", *(b"tone.%d" % number for number in range(2, 10))])
    return _TONE.sub(lambda found: found[1] + next(names, b"tone.4") + found[3], tag[0])


def _rule(element: etree._Element, remark: str) -> DialRule:
    """Raises ValueError with the reason for which phones leave the rule out."""
    given = {str(name).lower(): str(value) for name, value in element.attrib.items()}
    if unknown := sorted(set(given) - _ATTRIBUTES):
        raise ValueError(f"they do not know “{unknown[0]}”")
    tones = tuple(given[name] for name in ("tone", "tone.2", "tone.3", "tone.4") if name in given)
    return dial_rule(
        given.get("match", ""),
        timeout=given.get("timeout", ""),
        line=given.get("line", ""),
        user=given.get("user", ""),
        rewrite=given.get("rewrite", ""),
        route=given.get("route", ""),
        tones=tones,
        remark=remark,
        source_line=line_of(element),
    )


def dial_rule(
    match: str,
    *,
    timeout: str = "",
    line: str = "",
    user: str = "",
    rewrite: str = "",
    route: str = "",
    tones: Iterable[str] = (),
    remark: str = "",
    source_line: int | None = None,
) -> DialRule:
    """A rule of what is written or typed. Raises ValueError with what phones do not take."""
    known = {tone.lower(): tone for tone in TONES}
    tones = tuple(tones)
    if len(tones) > MOST_TONES:
        raise ValueError(f"it has more than {MOST_TONES} tones")
    for tone in tones:
        if tone and tone.lower() not in known:
            raise ValueError(f"there is no tone “{tone[:40]}”")
    for name, value, choices in (("user", user, USERS), ("route", route, ROUTES)):
        if value and value.lower() not in choices:
            raise ValueError(f"“{value[:40]}” is no {name}, but {' or '.join(choices)}")
    for name, value, most in (("timeout", timeout, 999), ("line", line, 255)):
        if value and not (value.isascii() and value.isdigit() and int(value[:9]) <= most):
            raise ValueError(f"the {name} “{value[:20]}” is no number up to {most}")
    return DialRule(
        match,
        int(timeout) if timeout else None,
        int(line or 0),
        user.lower(),
        rewrite,
        route.lower(),
        tuple(known.get(tone.lower(), "") for tone in tones),
        remark,
        source_line,
    )


def _doubts(rule: DialRule) -> Iterator[tuple[str, str]]:
    if not _PATTERN.fullmatch(rule.match):
        yield "pattern", "a pattern has digits, # + . * \\* and commas; no key of a phone dials anything else"
    if max(len(rule.match), len(rule.rewrite)) > LONGEST_VALUE:
        yield "long-value", f"phones keep {LONGEST_VALUE} characters of a value"
    if len(rule.tones) > (commas := len(re.findall(",+", rule.match))):
        yield "tones", f"it has {len(rule.tones)} tones for {commas} commas, which say where a tone is played"
    if not rule.match and not rule.rewrite:
        yield "no-number", "an empty pattern is a hotline, which needs the number in “rewrite”"
    plain = re.sub(r"\\.", "0", rule.match)
    dots = rule.rewrite.replace("%.", "").count(".")
    if dots > plain.count(".") and "*" not in plain:
        yield (
            "rewrite",
            f"the rewrite has {dots} dots, the pattern {plain.count('.')}; those too many stand for nothing",
        )
    groups = min(groups_of(rule.match), MOST_GROUPS)
    for digit in re.findall(r"%([1-9])", rule.rewrite.replace("%%", "")):
        if int(digit) > groups:
            yield "rewrite", f"%{digit} stands for nothing: the pattern has {groups} groups of dots and asterisks"
