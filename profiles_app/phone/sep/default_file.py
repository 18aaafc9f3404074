"""XMLDefault.cnf.xml: what a phone reads that has no file of its own, to find its load and a call manager.

One line per model names its load, by the number that call manager has for the model (boot server spec §10.2).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

from contacts_app.core.tables import table
from profiles_app.phone.sep import catalogue

NAME = "XMLDefault.cnf.xml"
# As phones ask for it, some of them in another case or with their version in it.
PATTERN = r"(?i:XMLDefault[\w-]*\.cnf\.xml)"
# 7940 and 7960 may stop to load firmware where the file is longer.
LONGEST_FOR_OLD = 8192
# The ports of a call manager, in their order.
PORTS = ("ethernetPhonePort", "sipPort", "securedSipPort")


@dataclass(frozen=True)
class DefaultFile:
    """`ports` and `urls` by the names of their elements; `loads` by the models of the catalogue, and by its modules."""

    call_managers: Sequence[str] = ()
    ports: Mapping[str, str] = field(default_factory=dict)
    urls: Mapping[str, str] = field(default_factory=dict)
    loads: Mapping[str, str] = field(default_factory=dict)
    module_loads: Mapping[str, str] = field(default_factory=dict)

    @property
    def without_number(self) -> list[str]:
        """The models whose load the file cannot name."""
        return sorted(self.loads.keys() - numbers().keys())


def numbers() -> Mapping[str, int]:
    """The number of each model."""
    found: dict[str, int] = table(__file__, "default_file.toml")["number"]
    return found


def build(wanted: DefaultFile) -> bytes:
    """Same values, same bytes."""
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', "<Default>"]
    if wanted.call_managers:
        lines += ["  <callManagerGroup>", "    <members>"]
        for priority, host in enumerate(wanted.call_managers):
            ports = "".join(_element(name, wanted.ports[name]) for name in PORTS if wanted.ports.get(name))
            lines += [
                f'      <member priority="{priority}">',
                f"        <callManager><ports>{ports}</ports>{_element('processNodeName', host)}</callManager>",
                "      </member>",
            ]
        lines += ["    </members>", "  </callManagerGroup>"]
    known = numbers()
    for model in sorted(wanted.loads.keys() & known.keys()):
        name = f"loadInformation{known[model]}"
        lines.append(f'  <{name} model="Cisco {model}">{escape(wanted.loads[model])}</{name}>')
    for name, load in sorted(wanted.module_loads.items()):
        module = catalogue.find_module(name)
        # A module with other keys has another number, and the same load.
        for number in module.numbers if module else ():
            element = f"loadInformation{number}"
            lines.append(f'  <{element} model="Addon {name}">{escape(load)}</{element}>')
    lines += [f"  {_element(name, url)}" for name, url in wanted.urls.items()]
    return "\n".join([*lines, "</Default>", ""]).encode()


def _element(name: str, text: str) -> str:
    return f"<{name}>{escape(text)}</{name}>"
