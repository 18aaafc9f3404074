"""The judgement on a SEP file before it is saved or deployed (Cisco phones spec §4.8).

Each check is a small function that yields remarks; the table at the end gives each its code and severity.
Codes are stable: people use them in scripts and in reports. Lengths and counts are in limits.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from profiles_app.phone.sep import catalogue
from profiles_app.phone.sep.device_facts import facts, line_elements
from profiles_app.phone.sep.document import BYTE_ORDER_MARK, Element, Refused, declared_codec, integer, parse, value_of
from profiles_app.phone.sep.limits import Finding, Remark, Severity, Subject, too_long, too_many
from profiles_app.phone.sep.mac import mac_of_file_name

CALL_MANAGER_MODE = "USECALLMANAGER"

# Placeholders that known generators leave unfilled (Cisco phones spec §4.8). Percent signs also occur in URLs, and
# CUCM itself writes %%attribute%%, so only a lone upper-case word between them counts. Each alternative
# starts with a plain character and looks back only after it: that lets the regex engine skip ahead.
_PLACEHOLDER = re.compile(
    r"\{\$|\{\{|\[==|<<|\$\{|%(?<![%\w]%)[A-Z][A-Z0-9_]{2,}%(?!%)|__(?<!\w__)[A-Za-z][A-Za-z0-9_]*?__(?!\w)"
)


def check(
    content: bytes, *, file_name: str | None = None, model: str = "", software_type: str | None = None
) -> list[Finding]:
    """Return what is wrong with a file, errors first, then in the order of the file. Never raises."""
    findings = []
    if file_name is not None and not mac_of_file_name(file_name):
        message = f"“{file_name}” is not SEP<MAC>.cnf.xml with the 12 upper-case digits of a phone"
        findings.append(Finding("file-name", Severity.ERROR, message))
    try:
        document = parse(content)
    except Refused as refused:
        return [Finding(refused.code, Severity.ERROR, refused.message, refused.line, refused.column), *findings]
    subject = Subject(
        document=document,
        facts=facts(document),
        model=model,
        # What SIPE means is not known beyond doubt; it behaves as SIP (Cisco phones spec §0.5).
        software="SIP" if software_type == "SIPE" else software_type or "",
    )
    for code, severity, remarks in CHECKS:
        for message, element in remarks(subject):
            place = (element.line, element.column) if element is not None else (None, None)
            findings.append(Finding(code, severity, message, *place))
    return sorted(findings, key=lambda finding: (finding.severity != Severity.ERROR, finding.line or 0))


def _no_server(subject: Subject) -> Iterator[Remark]:
    if not subject.facts.bootstrap and not subject.facts.servers:
        nodes = subject.document.find_all(".//callManager/processNodeName")
        yield "no call manager has an address (processNodeName)", nodes[0] if nodes else None


def _no_line(subject: Subject) -> Iterator[Remark]:
    if subject.facts.protocol == "SIP" and not subject.facts.bootstrap and not subject.facts.lines:
        yield "a SIP phone needs a line (featureID 9)", subject.document.find("sipProfile/sipLines")


def _load_of_other_protocol(subject: Subject) -> Iterator[Remark]:
    software, protocol = subject.facts.load_software, subject.facts.protocol
    if software and protocol and software != protocol:
        yield (
            f"the load {subject.facts.load} is {software} firmware, but the file is for {protocol}",
            subject.document.find("loadInformation"),
        )


def _software_mismatch(subject: Subject) -> Iterator[Remark]:
    protocol, source = subject.facts.protocol, subject.facts.protocol_source
    if protocol and subject.software and protocol != subject.software:
        yield (
            f"the file is for {protocol}, but the phone runs {subject.software}",
            subject.document.find(f".//{source}"),
        )


def _byte_order_mark(subject: Subject) -> Iterator[Remark]:
    if subject.document.content.startswith(BYTE_ORDER_MARK):
        yield "the file begins with a byte order mark; some firmware stumbles over it", None


def _leading_space(subject: Subject) -> Iterator[Remark]:
    if subject.document.text.removeprefix("\ufeff")[:1].isspace():
        yield "there is white space before the first tag", None


def _not_utf_8(subject: Subject) -> Iterator[Remark]:
    codec = declared_codec(subject.document.content)
    if codec not in ("utf-8", "ascii"):
        yield f"the file is written in {codec.upper()}; UTF-8 is what CUCM writes", None


def _proxy(subject: Subject) -> Iterator[Remark]:
    for key in line_elements(subject.document):
        proxy = key.find("proxy")
        if value_of(proxy) != CALL_MANAGER_MODE:
            yield (
                f"the proxy of a line is not {CALL_MANAGER_MODE}: some phones never register then, "
                "and a restart by NOTIFY does not work",
                proxy if isinstance(proxy, Element) else key,
            )


def _line_without_name(subject: Subject) -> Iterator[Remark]:
    for key in line_elements(subject.document):
        if not value_of(key.find("name")):
            yield "a line has no name", key


def _shared_button(subject: Subject) -> Iterator[Remark]:
    taken: set[str] = set()
    for key in subject.document.find_all("sipProfile/sipLines/line"):
        button = key.get("button", "").strip()
        if button and button in taken:
            yield f"two entries are on button {button}", key
        taken.add(button)


def _line_index_spelling(subject: Subject) -> Iterator[Remark]:
    for key in subject.document.find_all("sipProfile/sipLines/line"):
        for attribute in key.attrib:
            if attribute != "lineIndex" and attribute.lower() == "lineindex":
                yield f"phones ignore the attribute {attribute}; it is spelt lineIndex", key


def _web_access_off(subject: Subject) -> Iterator[Remark]:
    if subject.facts.web_access == "disabled":
        yield (
            "webAccess 1 turns the phone's web server off (0 is on): no restart by HTTP, no status pages",
            subject.document.find(".//webAccess"),
        )


def _authentication_url_empty(subject: Subject) -> Iterator[Remark]:
    if not subject.facts.bootstrap and not subject.facts.authentication_url:
        yield (
            "authenticationURL is empty: the phone obeys every push without asking for credentials",
            subject.document.find("authenticationURL"),
        )


def _load_set(subject: Subject) -> Iterator[Remark]:
    if subject.facts.load:
        yield (
            f"loadInformation asks for the firmware {subject.facts.load}; a phone which cannot fetch it may "
            "restart over and over",
            subject.document.find("loadInformation"),
        )


def _no_version_stamp(subject: Subject) -> Iterator[Remark]:
    if not subject.facts.version_stamp:
        yield "there is no versionStamp to tell this file from the one before", None


def _placeholder(subject: Subject) -> Iterator[Remark]:
    # The tree holds no comments, so that what is commented out does not count.
    for element in subject.document.root.iter():
        place = element if isinstance(element, Element) else None
        for text in (element.text, element.tail, *element.attrib.values()):
            if text and not text.isspace() and _PLACEHOLDER.search(text):
                yield f"{element.tag} seems to hold an unfilled placeholder", place


def _load_of_other_model(subject: Subject) -> Iterator[Remark]:
    models = subject.facts.load_models
    model = catalogue.normalise_model(subject.model)
    if model and models and model not in models:
        yield (
            f"the load {subject.facts.load} is made for {', '.join(models)}, not for {model}",
            subject.document.find("loadInformation"),
        )


def _model_reads_other_format(subject: Subject) -> Iterator[Remark]:
    device = subject.device
    if device is None or subject.facts.bootstrap:
        return
    if device.protocols == {"MPP"}:
        yield f"the {device.model} reads the flat-profile format only", None
    elif device.plain_text_sip and subject.facts.protocol == "SIP":
        yield f"with SIP firmware the {device.model} reads SIP<MAC>.cnf, a plain text file", None


def _model_without_protocol(subject: Subject) -> Iterator[Remark]:
    device, protocol = subject.device, subject.facts.protocol
    if device and protocol and device.protocols != {"MPP"} and protocol not in device.protocols:
        yield (f"no {protocol} firmware is known for the {device.model}", subject.document.find("deviceProtocol"))


def _more_lines_than_keys(subject: Subject) -> Iterator[Remark]:
    device, has_modules = subject.device, subject.document.find("addOnModules/addOnModule") is not None
    # Modules add keys of their own; how many of them take a line depends on settings of the phone.
    if device is None or device.line_keys is None or has_modules:
        return
    for key in line_elements(subject.document):
        button = integer(key.get("button", ""))
        if button is not None and button > device.line_keys:
            yield f"the line is on button {button}; the {device.model} has {device.keys}", key


def _bootstrap(subject: Subject) -> Iterator[Remark]:
    if subject.facts.bootstrap:
        yield "the file names neither servers nor lines: the phone can fetch firmware but not register", None


CHECKS: tuple[tuple[str, Severity, Callable[[Subject], Iterator[Remark]]], ...] = (
    ("no-server", Severity.ERROR, _no_server),
    ("no-line", Severity.ERROR, _no_line),
    ("load-protocol", Severity.ERROR, _load_of_other_protocol),
    ("software-mismatch", Severity.ERROR, _software_mismatch),
    ("byte-order-mark", Severity.WARNING, _byte_order_mark),
    ("leading-white-space", Severity.WARNING, _leading_space),
    ("not-utf-8", Severity.WARNING, _not_utf_8),
    ("bootstrap-file", Severity.WARNING, _bootstrap),
    ("proxy", Severity.WARNING, _proxy),
    ("line-without-name", Severity.WARNING, _line_without_name),
    ("shared-button", Severity.WARNING, _shared_button),
    ("line-index-spelling", Severity.WARNING, _line_index_spelling),
    ("web-access-off", Severity.WARNING, _web_access_off),
    ("authentication-url-empty", Severity.WARNING, _authentication_url_empty),
    ("load-set", Severity.WARNING, _load_set),
    ("no-version-stamp", Severity.WARNING, _no_version_stamp),
    ("placeholder", Severity.WARNING, _placeholder),
    ("load-model", Severity.WARNING, _load_of_other_model),
    ("model-format", Severity.WARNING, _model_reads_other_format),
    ("model-protocol", Severity.WARNING, _model_without_protocol),
    ("line-keys", Severity.WARNING, _more_lines_than_keys),
    ("too-long", Severity.WARNING, too_long),
    ("too-many", Severity.WARNING, too_many),
)
