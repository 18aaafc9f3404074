"""How the generations of phones differ where a client can notice it (`generations.toml`)."""

from dataclasses import dataclass
from typing import Any

from contacts_app.core.tables import table

# The pause after which a menu has closed by itself, so that the next key starts anew; our own choice.
MENU_SECONDS = 20.0

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
    # What it offers to services; depth of its screen, and whether that is in colour or grey (mobility spec §1).
    accept_charset: str = "utf-8,iso-8859-1;q=0.8"
    depth: str = "24, C"
    shows_prompt: bool = False
    posts_forms: bool = True
    # Some append who they are to every URL of their file (mobility spec §1).
    names_itself: bool = False
    # Schemes of internal URIs that the models do not know (Cisco phones spec §1.3).
    unknown_schemes: tuple[str, ...] = ()
    # Whether it says on pages of their own what its lines and calls are (Cisco phones spec §5).
    tells_calls: bool = True
    # Where its screen is shown, as what, and how large it is (Cisco phones spec §1.1).
    screen_page: str = "/CGI/Screenshot"
    screen_format: str = "PNG"
    screen_size: tuple[int, int] = (800, 480)


_TABLES: dict[str, list[dict[str, Any]]] = table(__file__, "generations.toml")
GENERATIONS = tuple(
    Generation(**row | {name: tuple(value) for name, value in row.items() if isinstance(value, list)})
    for row in _TABLES["generation"]
)


def generation_of(model: str) -> Generation:
    return next(generation for generation in GENERATIONS if model.startswith(generation.models))


def default_load(model: str, software_type: str) -> str:
    """Return a firmware name that such a phone could report."""
    protocol = "SCCP" if software_type == "SCCP" else "SIP"
    loads = (row for row in _TABLES["load"] if row["protocol"] == protocol)
    load: str = next(row["name"] for row in loads if model.startswith(tuple(row["models"])))
    return load.format(model=model[:4], tail=model[:4][-2:])
