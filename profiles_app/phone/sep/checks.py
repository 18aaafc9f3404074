"""The judgement on a SEP file before it is saved or deployed (Cisco phones spec §4.8).

Each check is a small function that yields remarks; the table at the end gives each its code and severity. Codes are
stable: people use them in scripts and in reports. Here is what the parts of a file say together; what single elements
hold is in elements.py, and what does not fit the phone in compatibility.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from ipaddress import ip_address

from profiles_app.phone.sep import compatibility, elements
from profiles_app.phone.sep.device_facts import facts, line_elements, service_keys
from profiles_app.phone.sep.document import BYTE_ORDER_MARK, Element, Refused, declared_codec, integer, parse, value_of
from profiles_app.phone.sep.elements import SHOWN, Finding, Remark, Severity, Subject, host_in

CALL_MANAGER_MODE = "USECALLMANAGER"


def check(content: bytes, *, model: str = "", software_type: str | None = None) -> list[Finding]:
    """Return what is wrong with a file, errors first, then in the order of the file. Never raises."""
    findings = []
    try:
        document = parse(content)
    except Refused as refused:
        return [Finding(refused.code, Severity.ERROR, refused.message, refused.line, refused.column)]
    subject = Subject(document, facts(document), model, compatibility.spoken_software(software_type))
    for code, severity, remarks in CHECKS:
        for message, element in remarks(subject):
            place = (element.line, element.column) if element is not None else (None, None)
            findings.append(Finding(code, severity, message, *place))
    return sorted(findings, key=lambda finding: (finding.severity != Severity.ERROR, finding.line or 0))


def _no_server(subject: Subject) -> Iterator[Remark]:
    if subject.facts.bootstrap:
        return
    nodes = list(subject.document.named([_NODE]))
    hosts = {server.host for server in subject.facts.servers}
    if any(text in hosts and host_in(text) for _, text in subject.filled([_NODE])):
        return
    named = next((node for node in nodes if value_of(node)), None)
    if named is None:
        yield "no call manager has an address (processNodeName)", nodes[0] if nodes else None
    else:
        fault = "was not filled in" if named in subject.unfilled else "is none"
        yield f"no call manager has an address: “{value_of(named)[:SHOWN]}” {fault} (processNodeName)", named


_NODE = "callManager/processNodeName"


def _no_line(subject: Subject) -> Iterator[Remark]:
    is_whole = subject.facts.protocol == "SIP" and not subject.facts.bootstrap
    if is_whole and not subject.facts.lines and not service_keys(subject.document):
        yield "a SIP phone needs a line (featureID 9)", subject.document.find("sipProfile/sipLines")


def _services_alone(subject: Subject) -> Iterator[Remark]:
    if subject.facts.protocol == "SIP" and not subject.facts.lines and (keys := service_keys(subject.document)):
        yield "the file has keys for services and no line: the phone can open them but not register", keys[0]


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
        if value_of(proxy) != CALL_MANAGER_MODE and proxy not in subject.unfilled:
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
        if button in taken and integer(button) is not None:
            yield f"two entries are on button {button}", key
        taken.add(button)


def _line_index_spelling(subject: Subject) -> Iterator[Remark]:
    for key in subject.document.find_all("sipProfile/sipLines/line"):
        for attribute in key.attrib:
            if attribute != "lineIndex" and attribute.lower() == "lineindex":
                yield f"phones ignore the attribute {attribute}; it is spelt lineIndex", key


def _line_without_auth_name(subject: Subject) -> Iterator[Remark]:
    if subject.devices and not any(device.credentials == "named" for device in subject.devices):
        return
    for key in line_elements(subject.document):
        if value_of(key.find("authPassword")) and not value_of(key.find("authName")):
            yield "a line has a password and no authName: 88xx and 78xx phones register with an empty user then", key


def _credentials_of_line_1(subject: Subject) -> Iterator[Remark]:
    if not subject.devices or any(device.credentials != "line 1" for device in subject.devices):
        return
    by_button = sorted(line_elements(subject.document), key=lambda key: integer(key.get("button", "")) or 0)
    credentials = [(value_of(key.find("authName")), value_of(key.find("authPassword"))) for key in by_button]
    for key, own in zip(by_button[1:], credentials[1:], strict=True):
        if any(own) and own != credentials[0]:
            yield (
                "a line has credentials of its own; all lines of this phone register with authName and authPassword "
                "of its first line",
                key,
            )


def _shared_contact(subject: Subject) -> Iterator[Remark]:
    taken: set[str] = set()
    for key in line_elements(subject.document):
        contact = key.find("contact")
        if (text := value_of(contact)) and contact not in subject.unfilled:
            if text in taken:
                yield "two lines have the same contact, so that no call tells which of them it is for", key
            taken.add(text)


def _tls(subject: Subject) -> Iterator[Remark]:
    document, read = subject.document, subject.facts
    mode, place = document.value("deviceSecurityMode"), document.find("transportLayerProtocol")
    if read.protocol != "SIP" or not read.transport:
        return
    if read.transport != "tls":
        if mode in ("2", "3"):
            yield f"deviceSecurityMode {mode} needs TLS (transportLayerProtocol 3)", document.find("deviceSecurityMode")
        return
    if mode not in ("2", "3"):
        yield "TLS (transportLayerProtocol 3) needs deviceSecurityMode 2 or 3", place
    if any(server.secured_sip_port is None for server in read.servers):
        yield "TLS (transportLayerProtocol 3) needs the securedSipPort of each call manager", place


def _capf(subject: Subject) -> Iterator[Remark]:
    mode = subject.document.find("capfAuthMode")
    if value_of(mode) not in ("", "0") and mode not in subject.unfilled:
        servers = subject.document.named(["capf/processNodeName", "capf6/processNodeName"])
        if not any(map(value_of, servers)):
            yield f"capfAuthMode {value_of(mode)[:SHOWN]} enrols a certificate, but no capf has a processNodeName", mode


_EXCLUDED = {
    "0": (6, "an IPv6 address, but ipAddressMode 0 is IPv4 only"),
    "1": (4, "an IPv4 address, but ipAddressMode 1 is IPv6 only"),
}


def _ip_mode(subject: Subject) -> Iterator[Remark]:
    version, words = _EXCLUDED.get(subject.document.value("ipAddressMode"), (0, ""))
    for element, text in subject.filled([_NODE] if version else []):
        try:
            excluded = ip_address(host_in(text)).version == version
        except ValueError:
            continue
        if excluded:
            yield f"the call manager has {words}", element


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


def _no_version_stamp(subject: Subject) -> Iterator[Remark]:
    if not subject.facts.version_stamp:
        yield "there is no versionStamp to tell this file from the one before", None


def _bootstrap(subject: Subject) -> Iterator[Remark]:
    if subject.facts.bootstrap:
        yield "the file names neither servers nor lines: the phone can fetch firmware but not register", None


CHECKS: tuple[tuple[str, Severity, Callable[[Subject], Iterator[Remark]]], ...] = (
    ("no-server", Severity.ERROR, _no_server),
    ("no-line", Severity.ERROR, _no_line),
    ("load-protocol", Severity.ERROR, compatibility.load_of_other_protocol),
    *((code, Severity.ERROR, partial(compatibility.misfits, code=code)) for code in compatibility.MISFITS),
    ("byte-order-mark", Severity.WARNING, _byte_order_mark),
    ("leading-white-space", Severity.WARNING, _leading_space),
    ("not-utf-8", Severity.WARNING, _not_utf_8),
    ("bootstrap-file", Severity.WARNING, _bootstrap),
    ("services-alone", Severity.WARNING, _services_alone),
    ("proxy", Severity.WARNING, _proxy),
    ("line-without-name", Severity.WARNING, _line_without_name),
    ("shared-button", Severity.WARNING, _shared_button),
    ("shared-contact", Severity.WARNING, _shared_contact),
    ("auth-name", Severity.WARNING, _line_without_auth_name),
    ("line-credentials", Severity.WARNING, _credentials_of_line_1),
    ("line-index-spelling", Severity.WARNING, _line_index_spelling),
    ("spelling", Severity.WARNING, elements.misspelt),
    ("repeated", Severity.WARNING, elements.repeated),
    ("value", Severity.WARNING, elements.unknown_values),
    ("port", Severity.WARNING, elements.wrong_ports),
    ("address", Severity.WARNING, elements.wrong_addresses),
    ("time-zone", Severity.WARNING, elements.unknown_time_zones),
    ("tls", Severity.WARNING, _tls),
    ("capf", Severity.WARNING, _capf),
    ("ip-mode", Severity.WARNING, _ip_mode),
    ("web-access-off", Severity.WARNING, _web_access_off),
    ("authentication-url-empty", Severity.WARNING, _authentication_url_empty),
    ("no-version-stamp", Severity.WARNING, _no_version_stamp),
    ("placeholder", Severity.WARNING, elements.unfilled_texts),
    ("load-model", Severity.WARNING, compatibility.load_of_other_model),
    ("load-name", Severity.WARNING, compatibility.load_name),
    ("line-keys", Severity.WARNING, compatibility.more_lines_than_keys),
    ("module-load", Severity.WARNING, compatibility.module_firmware),
    ("module-model", Severity.WARNING, compatibility.module_of_other_model),
    ("too-long", Severity.WARNING, elements.too_long),
    ("too-many", Severity.WARNING, elements.too_many),
)
