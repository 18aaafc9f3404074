"""What phones of a family ask for beside their own file, and in which order (`families.toml`)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from contacts_app.core.tables import table
from phones_app.firmware.sets.versions import numbers_of, version_of_load
from phones_app.simulator.device_file import DeviceFile

TRUST_LISTS = ("CTLSEP<mac>.tlv", "ITLSEP<mac>.tlv", "ITLFile.tlv")
_USER_LOCALE, _NETWORK_LOCALE = "<user_locale>/", "<network_locale>/"


@dataclass(frozen=True)
class Family:
    """A row of the table; names with their placeholders."""

    models: tuple[str, ...]
    software: str = ""
    own: str = "SEP<mac>.cnf.xml"
    common: str = ""
    before: tuple[str, ...] = TRUST_LISTS
    around: tuple[str, ...] = ()
    named: tuple[str, ...] = ("dialTemplate", "softKeyFile")
    on_demand: tuple[str, ...] = ()
    http_since: str = "9-0-0"

    def speaks_http(self, load: str) -> bool:
        """Whether it asks by HTTP with this load; a version that the name does not tell is a new one."""
        since, version = numbers_of(self.http_since), numbers_of(version_of_load(load))
        return since is not None and (version is None or version >= since)

    def after(self, file: DeviceFile) -> Iterator[str]:
        """The further files that the accepted one names."""
        return (file.companions[element] for element in self.named if file.companions.get(element))


def _frozen(row: dict[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in row.items()}


FAMILIES = tuple(Family(**_frozen(row)) for row in table(__file__, "families.toml")["family"])


def family_of(model: str, software_type: str) -> Family:
    """SIPE behaves as SIP (Cisco phones spec §0.5)."""
    software = "SCCP" if software_type == "SCCP" else "SIP"
    return next(one for one in FAMILIES if model.startswith(one.models) and one.software in ("", software))


def filled(names: tuple[str, ...], *, mac: str, protocol: str, file: DeviceFile | None = None) -> Iterator[str]:
    """The names as this phone asks for them; the one of a language only where its file names a language."""
    user = file.user_locale if file else ""
    network = f"{file.network_locale}/" if file and file.network_locale else ""
    for name in names:
        if user or not name.startswith(_USER_LOCALE):
            name = name.replace(_USER_LOCALE, f"{user}/").replace(_NETWORK_LOCALE, network)
            yield name.replace("<mac>", mac).replace("<protocol>", protocol)
