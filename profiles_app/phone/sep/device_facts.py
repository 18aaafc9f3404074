"""What a SEP file says about its phone, as plain values without secrets, for lists, REST and history."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass

from profiles_app.phone.sep import catalogue
from profiles_app.phone.sep.document import Document, Element, integer, integer_of, value_of

# Cisco phones spec §4.3 and §2.3: 4 is found in the field and ends as TCP.
_TRANSPORTS = {"1": "tcp", "2": "udp", "3": "tls", "4": "tcp"}
# Cisco phones spec §4.5: the values are the reverse of what most authors think.
_WEB_ACCESS = {"0": "enabled", "1": "disabled", "2": "read-only"}
LINE_FEATURE = "9"
_FILES = ("sipProfile/dialTemplate", "sipProfile/softKeyFile", "featurePolicyFile")
_PLAIN_NAME = re.compile(r"[\w-][\w.-]*", re.ASCII)
_USER_INFO = re.compile(r"(?<=//)[^/?#]*@")


@dataclass(frozen=True)
class LineFacts:
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
    converts the firmware (Cisco phones spec §4.3). `registration_user` is what line 1 registers as, and `files` are
    what the phone fetches besides, by their plain names; `user_locale` and `tones` are the folders of its language and
    of the tones of its country. `format` is "" for XML, else that of `catalogue`.
    """

    protocol: str
    protocol_source: str
    bootstrap: bool
    lines: tuple[LineFacts, ...]
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
    files: tuple[str, ...]
    format: str = ""
    user_locale: str = ""
    tones: str = ""
    module_loads: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, object]:
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
        files=tuple(filter(None, map(_plain, map(value, _FILES)))),
        user_locale=_plain(value("userLocale/name")),
        tones=_plain(value("networkLocaleInfo/name")) or _plain(value("networkLocale")),
        module_loads=tuple(sorted(set(filter(None, map(_plain, _module_loads(document)))))),
    )


def _plain(name: str) -> str:
    """The name of a file or a folder that phones could ask for, else nothing."""
    return name if _PLAIN_NAME.fullmatch(name) else ""


def _module_loads(document: Document) -> Iterator[str]:
    for module in document.find_all("addOnModules/addOnModule"):
        yield value_of(module.find("loadInformation"))


def line_elements(document: Document) -> list[Element]:
    """Return the line keys; other keys of the same spelling are speed dials and features (Cisco phones spec §4.6)."""
    keys = document.find_all("sipProfile/sipLines/line")
    return [key for key in keys if value_of(key.find("featureID")) == LINE_FEATURE]


def service_keys(document: Document) -> list[Element]:
    """Return the keys that open a service URL (featureID 20): all that a phone has which is still to be enrolled."""
    keys = document.find_all("sipProfile/sipLines/line")
    return [key for key in keys if value_of(key.find("featureID")) == "20" and value_of(key.find("serviceURI"))]


def _protocol(document: Document, load: str) -> tuple[str, str]:
    """Return the protocol and its source: most SCCP files have no deviceProtocol (Cisco phones spec §4.2)."""
    stated = document.value("deviceProtocol").upper()
    if stated in ("SIP", "SCCP"):
        return stated, "deviceProtocol"
    if document.find("sipProfile") is not None:
        return "SIP", "sipProfile"
    software = catalogue.software_of_load(load)
    if software in ("SIP", "SCCP"):
        return software, "loadInformation"
    if document.find(".//callManager") is not None:
        return "SCCP", "callManager"
    return "", ""


def _line(key: Element) -> LineFacts:
    def child(tag: str) -> str:
        return value_of(key.find(tag))

    return LineFacts(
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
