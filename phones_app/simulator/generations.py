"""How the generations of phones differ where a client can notice it: tables, no behaviour."""

from dataclasses import dataclass

# The pause after which a menu has closed by itself, so that the next key starts anew; our own choice.
MENU_SECONDS = 20.0

_STAR_RESET = ("Key:Settings", *(f"Key:KeyPad{key}" for key in ("Star", "Star", "Pound", "Star", "Star")))
# Applications -> Admin settings -> Reset settings -> Reset device. That there is such a walk is told (Cisco
# phones spec §1.4); which keys it takes differs with the firmware and no source says: the digits are our own
# choice, the same as in the key macros that the portal ships.
_MENU_WALK = ("Key:Applications", "Key:KeyPad6", "Key:KeyPad4", "Key:KeyPad4", "Key:Soft3")


@dataclass(frozen=True)
class Generation:
    """One family of models; `models` are the beginnings of their numbers, and what is not said is as in modern ones."""

    models: tuple[str, ...]
    encoding: str = "utf-8"
    content_type: str = "text/xml; charset=utf-8"
    # The order in which attributes of an answer item stand (Cisco phones spec §1.2: it differs by model).
    item_attributes: tuple[str, str, str] = ("URL", "Data", "Status")
    no_word: str = "No"
    mac_separator: str = ""
    # 79xx may send several XML declarations in one page (Cisco phones spec §5).
    log_declarations: int = 1
    restart_keys: tuple[str, ...] = _MENU_WALK
    # Schemes of internal URIs that the models do not know (Cisco phones spec §1.3).
    unknown_schemes: frozenset[str] = frozenset()


# The first whose models fit counts: classic, late classic, small modern, modern.
GENERATIONS = (
    Generation(
        models=("79", "39"),
        encoding="iso-8859-1",
        content_type="text/xml",
        item_attributes=("Status", "Data", "URL"),
        no_word="no",
        log_declarations=2,
        restart_keys=_STAR_RESET,
    ),
    Generation(
        models=("69", "89", "99"),
        encoding="iso-8859-1",
        content_type="text/xml; charset=iso-8859-1",
        item_attributes=("Data", "Status", "URL"),
        no_word="NO",
        mac_separator=":",
        restart_keys=_STAR_RESET,
    ),
    Generation(models=("78",), unknown_schemes=frozenset({"Display", "Notify", "SendDigits", "App", "Device"})),
    Generation(models=("",)),
)

# Firmware by protocol and beginning of the model number; `{tail}` is the end of that number (Cisco phones spec §4.9).
_LOADS = (
    ("SCCP", ("69",), "SCCP69xx.9-4-1-3"),
    ("SCCP", ("894",), "SCCP894x.9-4-2SR3-1"),
    ("SCCP", ("",), "SCCP{tail}.9-4-2SR3-1S"),
    ("SIP", ("7832", "8821", "8831", "8832", "8961", "99"), "sip{model}.14-2-1-0001-14"),
    ("SIP", ("78",), "sip78xx.14-2-1-0001-14"),
    ("SIP", ("8845", "8865"), "sip8845_65.14-2-1-0001-14"),
    ("SIP", ("88",), "sip88xx.14-2-1-0001-14"),
    ("SIP", ("69",), "SIP69xx.9-4-1-3"),
    ("SIP", ("894",), "SIP894x.9-4-2SR3-1"),
    ("SIP", ("",), "SIP{tail}.9-4-2SR3-1S"),
)


def generation_of(model: str) -> Generation:
    return next(generation for generation in GENERATIONS if model.startswith(generation.models))


def default_load(model: str, software_type: str) -> str:
    """Return a firmware name that such a phone could report."""
    protocol = "SCCP" if software_type == "SCCP" else "SIP"
    load = next(load for kind, models, load in _LOADS if kind == protocol and model.startswith(models))
    return load.format(model=model[:4], tail=model[:4][-2:])
