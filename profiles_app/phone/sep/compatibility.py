"""Whether a file fits a phone: protocol, firmware, lines and add-on modules, by the device catalogue.

It is judged once for all who ask: the checker gets remarks, people who decide before a deployment get verdicts topic by
topic, and a deployment is refused before its file is read (Cisco phones spec §4.9).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass

from profiles_app.phone.sep import catalogue
from profiles_app.phone.sep.catalogue import ATA, NAME_OF_FORMAT, SEP, SIP_TEXT
from profiles_app.phone.sep.device_facts import LINE_FEATURE, facts, line_elements
from profiles_app.phone.sep.document import Document, Element, integer, integer_of, value_of
from profiles_app.phone.sep.elements import Remark, Subject


@dataclass(frozen=True)
class Misfit:
    """Why a phone would not read a file, or not speak what the file says. `code` is that of the checker."""

    code: str
    message: str

    @property
    def sentence(self) -> str:
        return f"{self.message[0].upper()}{self.message[1:]}."


MISFITS = ("model-format", "software-mismatch", "model-protocol")


def spoken_software(software_type: str | None) -> str:
    """What SIPE means is not known beyond doubt; it behaves as SIP (Cisco phones spec §0.5)."""
    return "SIP" if software_type == "SIPE" else software_type or ""


def misfit(
    protocol: str, bootstrap: bool, *, model: str, software_type: str | None, file_format: object = ""
) -> Misfit | None:
    """Why a file of this protocol is none for this phone; None where it is, or where too little is known.

    `file_format` is that of the file's facts.
    """
    device, software = catalogue.find(model), spoken_software(software_type)
    name = NAME_OF_FORMAT[SIP_TEXT if file_format == SIP_TEXT else SEP]
    if device and device.instead:
        return Misfit("model-format", f"the {device.model} reads {device.instead}, and no {name}")
    if device and file_format == SIP_TEXT and not device.plain_text_sip:
        reads = NAME_OF_FORMAT[ATA if device.reads_ata_file else SEP]
        return Misfit("model-format", f"the {device.model} reads {reads}, and no {name}")
    if protocol and software and protocol != software:
        return Misfit("software-mismatch", f"the file is for {protocol}, but the phone runs {software}")
    if device and protocol and protocol not in device.protocols:
        return Misfit("model-protocol", f"no {protocol} firmware is known for the {device.model}")
    if device and device.plain_text_sip and protocol == "SIP" and not bootstrap and file_format != SIP_TEXT:
        message = f"with SIP firmware the {device.model} reads SIP<MAC>.cnf, a plain text file"
        return Misfit("model-format", message)
    return None


def misfits(subject: Subject, code: str) -> Iterator[Remark]:
    """The misfit of this code, at the element that tells the file's protocol."""
    read = subject.facts
    found = misfit(read.protocol, read.bootstrap, model=subject.model, software_type=subject.software)
    if found and found.code == code:
        yield found.message, subject.document.find(f".//{read.protocol_source}") if read.protocol_source else None


def load_of_other_protocol(subject: Subject) -> Iterator[Remark]:
    load, software, protocol = subject.facts.load, subject.facts.load_software, subject.facts.protocol
    place = subject.document.find("loadInformation")
    if software == "MPP" and protocol:
        yield f"the load {load} is MPP firmware, which turns the phone into one that cannot read this file", place
    elif software and protocol and software != protocol:
        yield f"the load {load} is {software} firmware, but the file is for {protocol}", place


def load_of_other_model(subject: Subject) -> Iterator[Remark]:
    models, model = subject.facts.load_models, catalogue.normalise_model(subject.model)
    place = subject.document.find("loadInformation")
    if model and models and model.removesuffix(catalogue.MPP_HARDWARE) not in models:
        yield f"the load {subject.facts.load} is made for {', '.join(models)}, not for {model}", place
    elif not model and (device := next(iter(subject.devices), None)) and device.instead:
        yield f"the load {subject.facts.load} is of the {device.model}, which reads {device.instead}", place


def load_name(subject: Subject) -> Iterator[Remark]:
    for element, text in subject.filled(["loadInformation", "inactiveLoadInformation"]):
        if ending := catalogue.file_ending_of(text):
            yield f"{element.tag} takes the name of the load without its ending {ending}", element


def more_lines_than_keys(subject: Subject) -> Iterator[Remark]:
    device, has_modules = subject.device, subject.document.find("addOnModules/addOnModule") is not None
    # Modules add keys of their own; how many of them take a line depends on settings of the phone.
    if device is None or device.line_keys is None or has_modules:
        return
    for key in line_elements(subject.document):
        button = integer(key.get("button", ""))
        if button is not None and button > device.line_keys:
            yield f"the line is on button {button}; the {device.model} has {device.keys}", key


def keys_without_place(document: Document, model: str) -> list[str]:
    """The lines, speed dials and other keys of a file that this model has no place for, each with its label."""
    device = catalogue.find(model)
    if device is None or device.line_keys is None:
        return []
    modules = document.find_all("addOnModules/addOnModule")
    fitting = [catalogue.find_module(value_of(module.find("deviceType"))) for module in modules]
    places = device.line_keys + sum(module.keys for module in fitting if module and module in device.modules)
    lost = []
    for key in document.find_all("sipProfile/sipLines/line"):
        button = integer(key.get("button", ""))
        if button is not None and button > places:
            kind = "line" if value_of(key.find("featureID")) == LINE_FEATURE else "key"
            label = value_of(key.find("featureLabel")) or value_of(key.find("name")) or "no label"
            lost.append(f"{kind} {button}, {label}")
    return lost


def _modules(subject: Subject) -> Iterator[tuple[Element, str, catalogue.Module | None]]:
    """The add-on modules whose type the file tells, each with the type and what is known of it."""
    for element in subject.document.find_all("addOnModules/addOnModule"):
        named = element.find("deviceType")
        if isinstance(named, Element) and named not in subject.unfilled and value_of(named):
            yield element, value_of(named), catalogue.find_module(value_of(named))


def module_firmware(subject: Subject) -> Iterator[Remark]:
    for element, _, module in _modules(subject):
        load = element.find("loadInformation")
        if module is None or not module.load or (isinstance(load, Element) and load in subject.unfilled):
            continue
        if not value_of(load):
            yield f"a {module.name} needs a loadInformation of its own in its addOnModule", element
        elif not value_of(load).upper().startswith(module.load):
            yield (
                f"the load {value_of(load)} is none of the {module.name}, whose names begin with {module.load}",
                element,
            )


def module_of_other_model(subject: Subject) -> Iterator[Remark]:
    kinds = set()
    for element, name, module in _modules(subject):
        if module is None:
            yield f"no add-on module of the type {name[:30]} is known", element
            continue
        keys = integer_of(element.find("deviceLine"))
        if keys is not None and keys > module.keys:
            yield f"deviceLine is {keys}; a {module.name} has {module.keys} keys", element
        if subject.devices and not any(module in device.modules for device in subject.devices):
            names = ", ".join(device.model for device in subject.devices)
            yield f"a {module.name} is no module of the {names}", element
        kinds.add(module.name)
        if len(kinds) > 1 and any(device.credentials == "named" for device in subject.devices):
            yield "the add-on modules of a phone of the 88xx series are all of one type", element


@dataclass(frozen=True)
class Verdict:
    """What the file says and what the phone is. `fits` is None where one of the two is not known."""

    topic: str
    file: str
    phone: str
    fits: bool | None

    def as_dict(self) -> dict[str, str | bool | None]:
        return asdict(self)


def fit(document: Document, *, model: str, software_type: str | None) -> tuple[Verdict, ...]:
    """The verdicts on protocol, firmware and lines, and on add-on modules where the file has some."""
    subject = Subject(document, facts(document), model, spoken_software(software_type))
    verdicts = (_protocol(subject), _firmware(subject), _lines(subject), _module_types(subject))
    return tuple(verdict for verdict in verdicts if verdict)


def _protocol(subject: Subject) -> Verdict:
    read, device = subject.facts, subject.device
    spoken = [subject.software] if subject.software else sorted(device.protocols) if device else []
    phone = device.instead if device and device.instead else " or ".join(spoken)
    if misfit(read.protocol, read.bootstrap, model=subject.model, software_type=subject.software):
        return Verdict("Protocol", read.protocol, phone, fits=False)
    return Verdict("Protocol", read.protocol, phone, fits=True if spoken and read.protocol else None)


def _firmware(subject: Subject) -> Verdict:
    read, phone = subject.facts, subject.device.model if subject.device else ""
    if not read.load:
        return Verdict("Firmware", "keeps the phone's", phone, fits=True)
    wrong = [*load_of_other_protocol(subject), *load_of_other_model(subject)]
    return Verdict("Firmware", read.load, phone, False if wrong else True if read.load_models and phone else None)


def _lines(subject: Subject) -> Verdict:
    read, device = subject.facts, subject.device
    count = "one line" if len(read.lines) == 1 else f"{len(read.lines)} lines"
    if device is None or device.line_keys is None:
        return Verdict("Lines", count, "", None)
    keys = f"{device.keys}, more with add-on modules" if device.modules else device.keys
    enough = max((line.button or 0 for line in read.lines), default=0) <= device.line_keys
    has_modules = subject.document.find("addOnModules/addOnModule") is not None
    return Verdict("Lines", count, keys, enough or (None if has_modules else False))


def _module_types(subject: Subject) -> Verdict | None:
    names = [name for _, name, _ in _modules(subject)]
    if not names:
        return None
    device = subject.device
    taken = ", ".join(module.name for module in device.modules) or "none" if device else ""
    fits = not list(module_of_other_model(subject)) if device else None
    return Verdict("Add-on modules", ", ".join(names), taken, fits)
