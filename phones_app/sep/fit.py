"""Does a file fit a phone: the device catalogue's verdict, topic by topic, for people who decide before a deployment."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from phones_app.sep import catalogue
from phones_app.sep.device_facts import Facts


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
        _protocol(facts, device, "SIP" if software_type == "SIPE" else software_type or ""),
        _load(facts, device),
        _lines(facts, device),
    )


def _protocol(facts: Facts, device: catalogue.DeviceModel | None, software: str) -> Verdict:
    if software:
        return Verdict(
            "Protocol", facts.protocol, software, facts.protocol == software if facts.protocol else None
        )
    spoken = " or ".join(sorted(device.protocols)) if device else ""
    known = device is not None and bool(facts.protocol)
    return Verdict(
        "Protocol", facts.protocol, spoken, facts.protocol in spoken.split(" or ") if known else None
    )


def _load(facts: Facts, device: catalogue.DeviceModel | None) -> Verdict:
    phone = device.model if device else ""
    if not facts.load:
        return Verdict("Firmware", "keeps the phone's", phone, True)
    if not facts.load_models or device is None:
        return Verdict("Firmware", facts.load, phone, None)
    return Verdict("Firmware", facts.load, phone, device.model in facts.load_models)


def _lines(facts: Facts, device: catalogue.DeviceModel | None) -> Verdict:
    count = "one line" if len(facts.lines) == 1 else f"{len(facts.lines)} lines"
    if device is None or device.line_keys is None:
        return Verdict("Lines", count, "", None)
    keys = "one line key" if device.line_keys == 1 else f"{device.line_keys} line keys"
    if device.modules:
        keys += ", more with add-on modules"
    highest = max((line.button or 0 for line in facts.lines), default=0)
    return Verdict(
        "Lines",
        count,
        keys,
        None if highest > device.line_keys and device.modules else highest <= device.line_keys,
    )
