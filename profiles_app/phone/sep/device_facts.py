"""What a SEP file says about its phone, as plain values without secrets, and whether it fits a phone.

The facts serve lists, REST and history. The verdicts compare them with the device catalogue, topic by topic, for people
who decide before a deployment.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from profiles_app.phone.sep import catalogue
from profiles_app.phone.sep.document import Document, Element, integer, integer_of, value_of

# Cisco phones spec §4.3 and §2.3: 4 is found in the field and ends as TCP.
_TRANSPORTS = {"1": "tcp", "2": "udp", "3": "tls", "4": "tcp"}
# Cisco phones spec §4.5: the values are the reverse of what most authors think.
_WEB_ACCESS = {"0": "enabled", "1": "disabled", "2": "read-only"}
LINE_FEATURE = "9"
_USER_INFO = re.compile(r"(?<=//)[^/?#]*@")


@dataclass(frozen=True)
class Line:
    """A line key (featureID 9). `button` is None where the file gives no number."""

    button: int | None
    name: str
    contact: str
    label: str
    display_name: str
    source_line: int  # where it stands in the file


@dataclass(frozen=True)
class Server:
    """A call manager with an address, in the file's order; ports and priority are None where not given."""

    host: str
    priority: int | None
    sip_port: int | None
    secured_sip_port: int | None
    sccp_port: int | None
    source_line: int  # where it stands in the file


@dataclass(frozen=True)
class Facts:
    """What one file says. Unknown texts are "".

    `protocol_source` is the element that tells the protocol: deviceProtocol, sipProfile, loadInformation or
    callManager. `bootstrap` means that the file says nothing about servers or lines, such as one that only
    converts the firmware (Cisco phones spec §4.3). `registration_user` is what line 1 registers as.
    """

    protocol: str
    protocol_source: str
    bootstrap: bool
    lines: tuple[Line, ...]
    servers: tuple[Server, ...]
    transport: str
    load: str
    load_software: str
    load_models: tuple[str, ...]
    web_access: str
    version_stamp: str
    authentication_url: str
    services_url: str
    registration_user: str

    def as_dict(self) -> dict[str, Any]:
        """Return the facts as values that JSON can carry."""
        values = asdict(self).items()
        return {key: list(value) if isinstance(value, tuple) else value for key, value in values}


def facts(document: Document) -> Facts:
    """Read what the portal shows and decides on from a document."""
    value = document.value
    load = value("loadInformation")
    lines = tuple(_line(element) for element in line_elements(document))
    # Line 1 is the lowest button, wherever it stands in the file.
    by_button = sorted(lines, key=lambda line: (line.button is None, line.button or 0))
    protocol, protocol_source = _protocol(document, load)
    return Facts(
        protocol=protocol,
        protocol_source=protocol_source,
        bootstrap=all(document.find(path) is None for path in ("devicePool", "sipProfile", ".//callManager")),
        lines=lines,
        servers=tuple(server for server in _servers(document) if server.host),
        transport=_TRANSPORTS.get(value("transportLayerProtocol"), ""),
        load=load,
        load_software=catalogue.software_of_load(load) or "",
        load_models=tuple(sorted(catalogue.models_of_load(load))),
        web_access=_WEB_ACCESS.get(value(".//webAccess"), ""),
        version_stamp=value("versionStamp"),
        authentication_url=_USER_INFO.sub("", value("authenticationURL")),
        services_url=_USER_INFO.sub("", value("servicesURL")),
        registration_user=next((line.contact or line.name for line in by_button), ""),
    )


def line_elements(document: Document) -> list[Element]:
    """Return the line keys; other keys of the same spelling are speed dials and features (Cisco phones spec §4.6)."""
    keys = document.find_all("sipProfile/sipLines/line")
    return [key for key in keys if value_of(key.find("featureID")) == LINE_FEATURE]


def _protocol(document: Document, load: str) -> tuple[str, str]:
    """Return the protocol and its source: most SCCP files have no deviceProtocol (Cisco phones spec §4.2)."""
    stated = document.value("deviceProtocol").upper()
    if stated in ("SIP", "SCCP"):
        return stated, "deviceProtocol"
    if document.find("sipProfile") is not None:
        return "SIP", "sipProfile"
    software = catalogue.software_of_load(load)
    if software:
        return software, "loadInformation"
    if document.find(".//callManager") is not None:
        return "SCCP", "callManager"
    return "", ""


def _line(key: Element) -> Line:
    def child(tag: str) -> str:
        return value_of(key.find(tag))

    return Line(
        button=integer(key.get("button", "")),
        name=child("name"),
        contact=child("contact"),
        label=child("featureLabel"),
        display_name=child("displayName"),
        source_line=key.line,
    )


def _servers(document: Document) -> Iterator[Server]:
    """Read every call manager; the priority stands on the member around it."""
    for member in document.root.iter("member"):
        for manager in member.findall("callManager"):
            ports = {port.tag: integer_of(port) for port in manager.iterfind("ports/*")}
            yield Server(
                host=value_of(manager.find("processNodeName")),
                priority=integer(member.get("priority", "")),
                sip_port=ports.get("sipPort"),
                secured_sip_port=ports.get("securedSipPort"),
                sccp_port=ports.get("ethernetPhonePort"),
                source_line=manager.line if isinstance(manager, Element) else 0,
            )


@dataclass(frozen=True)
class Verdict:
    """What the file says and what the phone is. `fits` is None where one of the two is not known."""

    topic: str
    file: str
    phone: str
    fits: bool | None

    def as_dict(self) -> dict[str, str | bool | None]:
        return asdict(self)


def fit(facts: Facts, *, model: str, software_type: str | None) -> tuple[Verdict, ...]:
    """Return the verdicts on protocol, firmware and lines (Cisco phones spec §4.9)."""
    device = catalogue.find(model)
    return (
        _protocol_of(facts, device, "SIP" if software_type == "SIPE" else software_type or ""),
        _load(facts, device),
        _lines(facts, device),
    )


def _protocol_of(facts: Facts, device: catalogue.DeviceModel | None, software: str) -> Verdict:
    spoken = [software] if software else sorted(device.protocols) if device else []
    fits = facts.protocol in spoken if spoken and facts.protocol else None
    return Verdict("Protocol", facts.protocol, " or ".join(spoken), fits)


def _load(facts: Facts, device: catalogue.DeviceModel | None) -> Verdict:
    phone = device.model if device else ""
    if not facts.load:
        return Verdict("Firmware", "keeps the phone's", phone, True)
    fits = phone in facts.load_models if facts.load_models and phone else None
    return Verdict("Firmware", facts.load, phone, fits)


def _lines(facts: Facts, device: catalogue.DeviceModel | None) -> Verdict:
    count = "one line" if len(facts.lines) == 1 else f"{len(facts.lines)} lines"
    if device is None or device.line_keys is None:
        return Verdict("Lines", count, "", None)
    keys = f"{device.keys}, more with add-on modules" if device.modules else device.keys
    enough = max((line.button or 0 for line in facts.lines), default=0) <= device.line_keys
    return Verdict("Lines", count, keys, enough or (None if device.modules else False))
