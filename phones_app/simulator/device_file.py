"""What a phone makes of its SEP<MAC>.cnf.xml: it takes all of it or nothing, and never says which.

Judged as strictly as Cisco phones spec §3.7 and §4.7 describe, and independently of the portal's own checks:
a simulator that shared them could not find out that they are wrong.
"""

import hashlib
from dataclasses import dataclass
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

MAX_BYTES = 512 * 1024
LINE_FEATURE, SERVICE_FEATURE = "9", "20"
# Elements that name files, which are asked for after the file itself if it was accepted (Cisco phones spec §2.7).
_COMPANIONS = {
    "dialTemplate": "sipProfile/dialTemplate",
    "softKeyFile": "sipProfile/softKeyFile",
    "featurePolicyFile": "featurePolicyFile",
}

_SERVICES = {"Services": "servicesURL", "Directories": "directoryURL"}


class FileRejectedError(ValueError):
    """The phone gives up this file; the text says why, which a real phone never tells."""


@dataclass(frozen=True)
class DeviceFile:
    """The parts of an accepted file that change how the simulated phone behaves."""

    sha256: str
    line_users: tuple[str, ...]
    call_managers: tuple[str, ...]
    authentication_url: str
    web_access: bool
    settings_access: bool
    version_stamp: str
    # By the element that names them.
    companions: dict[str, str]
    user_locale: str
    network_locale: str
    load: str
    label: str
    line_labels: tuple[str, ...]
    # By the key that opens them: Services, Directories.
    service_urls: dict[str, str]

    def registers(self, software_type: str) -> bool:
        """Whether the phone has something to register: a file for its enrolment has no line."""
        return bool(self.call_managers) and (software_type == "SCCP" or bool(self.line_users))


def read_device_file(data: bytes, software_type: str) -> DeviceFile:
    """Read a file as a phone with this software does; FileRejectedError where the phone would give it up."""
    device = _parse(data, root="device")
    nodes = ((node.text or "").strip() for node in device.iterfind("devicePool//processNodeName"))
    call_managers = tuple(filter(None, nodes))
    # A file may say nothing of servers and lines: the phone takes it, and registers nowhere (Cisco phones spec §4.3).
    is_bootstrap = all(device.find(element) is None for element in ("devicePool", "sipProfile"))
    if not call_managers and not is_bootstrap:
        raise FileRejectedError("no call manager is named")
    # SIPE behaves as SIP (Cisco phones spec §0.5). Most SCCP files do not name their protocol (Cisco phones spec §4.2).
    protocol = "SCCP" if software_type == "SCCP" else "SIP"
    if _text(device, "deviceProtocol") not in ("", protocol):
        raise FileRejectedError(f"the file is not for {protocol}")
    return DeviceFile(
        sha256=hashlib.sha256(data).hexdigest(),
        line_users=_line_users(device) if protocol == "SIP" and not is_bootstrap else (),
        call_managers=call_managers,
        authentication_url=_text(device, "authenticationURL"),
        # Inverted: 1 is off. 2 is read-only on some models and leaves the pages up (Cisco phones spec §4.5).
        web_access=_text(device, "vendorConfig/webAccess") != "1",
        settings_access=_text(device, "vendorConfig/settingsAccess") != "0",
        version_stamp=_text(device, "versionStamp"),
        companions={name: _text(device, path) for name, path in _COMPANIONS.items()},
        user_locale=_text(device, "userLocale/name"),
        network_locale=_text(device, "networkLocaleInfo/name") or _text(device, "networkLocale"),
        load=_text(device, "loadInformation"),
        label=_text(device, "sipProfile/phoneLabel"),
        line_labels=_line_labels(device),
        service_urls={key: _text(device, element) for key, element in _SERVICES.items()},
    )


def read_text_file(data: bytes, common: bytes) -> DeviceFile:
    """Read a text file, and what is common to all phones with one; FileRejectedError where it says nothing at all."""
    if len(data) > MAX_BYTES or b"\0" in data:
        raise FileRejectedError("the file is too large, or not text")
    own = _settings(data)
    if not own:
        raise FileRejectedError("there is no setting in it")
    said = _settings(common) | own
    names = [said.get(f"line{number}_name", "") for number in range(1, 7)]
    template = said.get("dial_template", "")
    return DeviceFile(
        sha256=hashlib.sha256(data).hexdigest(),
        line_users=tuple(filter(None, names)),
        call_managers=tuple(filter(None, [said.get("proxy1_address", "")])),
        authentication_url="",
        web_access=True,
        settings_access=True,
        version_stamp=said.get("sync", ""),
        companions={"dial_template": f"{template}.xml" if template else ""},
        user_locale="",
        network_locale="",
        load=said.get("image_version", ""),
        label=said.get("phone_label", ""),
        line_labels=tuple(
            said.get(f"line{number}_shortname") or name for number, name in enumerate(names, start=1) if name
        ),
        service_urls={"Services": said.get("services_url", ""), "Directories": said.get("directory_url", "")},
    )


def _settings(data: bytes) -> dict[str, str]:
    """Lines `key: value`; what is none is passed over."""
    found = {}
    for line in data.decode("latin-1").splitlines():
        key, colon, value = line.partition(":")
        if colon and not line.lstrip().startswith(("#", ";", "<")):
            value = value.strip()
            quoted = value.startswith('"') and value.count('"') > 1
            value = value.split('"')[1] if quoted else value.partition(";")[0].strip()
            found[key.strip()] = "" if value == "UNPROVISIONED" else value
    return found


def default_load_of(data: bytes, model: str) -> str:
    """The load that XMLDefault.cnf.xml names for a model, "" where it names none; real phones go by its number there."""
    try:
        rows = list(_parse(data, root="Default"))
    except FileRejectedError:
        return ""
    named = (row for row in rows if row.tag.startswith("loadInformation"))
    return next(((row.text or "").strip() for row in named if row.get("model", "").split()[-1:] == [model]), "")


def _parse(data: bytes, *, root: str) -> Element:
    """Parse without namespaces, because files of CUCM use `xsi:type` without declaring it (Cisco phones spec §4.7)."""
    if len(data) > MAX_BYTES:
        raise FileRejectedError("the file is too large")
    if b"\0" in data:
        raise FileRejectedError("the file is not 8-bit text")
    builder = TreeBuilder()
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.data
    parser.StartDoctypeDeclHandler = _refuse_doctype
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise FileRejectedError(f"not well-formed: {error}") from error
    found = builder.close()
    if found.tag != root:
        raise FileRejectedError(f"the root element is {found.tag}")
    return found


def _refuse_doctype(*_: object) -> None:
    raise FileRejectedError("the file has a DOCTYPE")


def _line_users(device: Element) -> tuple[str, ...]:
    """Return the names and contacts of the lines, by which a request may address the phone (Cisco phones spec §2.2)."""
    lines = [line for line in device.iterfind("sipProfile/sipLines/line") if _text(line, "featureID") == LINE_FEATURE]
    features = {_text(line, "featureID") for line in device.iterfind("sipProfile/sipLines/line")}
    if not lines and SERVICE_FEATURE not in features:
        raise FileRejectedError("no line is defined")
    users = [_text(line, field) for line in lines for field in ("name", "contact")]
    return tuple(dict.fromkeys(filter(None, users)))


def _line_labels(device: Element) -> tuple[str, ...]:
    """What stands beside the line keys."""
    lines = [line for line in device.iterfind("sipProfile/sipLines/line") if _text(line, "featureID") == LINE_FEATURE]
    return tuple(_text(line, "featureLabel") or _text(line, "name") for line in lines)


def _text(element: Element, path: str) -> str:
    return (element.findtext(path) or "").strip()
