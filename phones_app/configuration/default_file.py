"""XMLDefault.cnf.xml of this portal: from what its own layers say of loads, call managers and services.

Who asks for it is not known, so nothing of an account is in it (boot server spec §10.2).
"""

from collections import defaultdict
from dataclasses import dataclass
from typing import NamedTuple

from django.conf import settings

from contacts_app.core.memory import Memory
from phones_app.boot.fetches import Fetch
from phones_app.configuration.gather import of_the_product
from phones_app.configuration.layer_rows import compared, layer_of
from phones_app.configuration.models import Layer
from phones_app.servers.models import CallManager
from phones_app.shared_files.models import SharedFile
from profiles_app.phone import sep
from profiles_app.phone.rendering.settings import entries, find_setting
from profiles_app.phone.rendering.values import Effective, LayerOf, merge
from profiles_app.phone.sep.default_file import LONGEST_FOR_OLD, NAME, PORTS, DefaultFile, build

CALL_MANAGERS = "call_managers"
PORT_SETTINGS = ("sccp_port", "sip_port", "secured_sip_port")
URL_SETTINGS = (
    *("authentication_url", "directory_url", "idle_url", "information_url", "messages_url", "proxy_server"),
    "services_url",
)
MOST_CALL_MANAGERS = 5
# What layers say now is in the file after this time.
_made: Memory[bytes] = Memory(seconds=2)
Kind = Layer.Kind
Loads = dict[str, Effective]


class DefaultLine(NamedTuple):
    """One value of the file, and where it comes from."""

    what: str
    value: str
    source: str


@dataclass(frozen=True)
class ExplainedDefault:
    """`content` is empty where the portal says nothing that a phone without a file could use."""

    content: bytes
    lines: list[DefaultLine]
    remarks: list[str]


def default_file(fetch: Fetch) -> bytes | None:
    """What the embedded file server gives who asks for the file, unless one is stored under its name."""
    content = _made.get(None)
    if content is None:
        content = _made.put(None, explained_default().content)
    return content or None


def explained_default() -> ExplainedDefault:
    places: defaultdict[tuple[str, str], list[LayerOf]] = defaultdict(list)
    for layer in Layer.objects.filter(account=None, kind__in=(Kind.PORTAL, Kind.FAMILY, Kind.MODEL)).order_by("pk"):
        places[layer.kind, compared(layer.kind, layer.name)].append(layer_of(layer))
    of_all = [of_the_product(settings.PHONE_SERVICES_URL), *places[Kind.PORTAL, ""]]
    values = merge(of_all)
    servers, of_servers = _call_managers(values)
    loads, of_modules = _loads(of_all, places)
    urls = {name: values[name] for name in URL_SETTINGS if name in values and values[name].value}
    ports = {name: _port(name, values) for name in PORT_SETTINGS} if servers else {}
    wanted = DefaultFile(
        call_managers=servers,
        ports=dict(zip(PORTS, (port.value for port in ports.values()), strict=False)),
        urls={_label(name, path=True): value.value for name, value in urls.items()},
        loads={model: load.value for model, load in loads.items()},
        module_loads={module: load.value for module, load in of_modules.items()},
    )
    content = build(wanted) if servers or loads or of_modules else b""
    return ExplainedDefault(
        content,
        [
            *(DefaultLine("Call manager", host, of_servers) for host in servers),
            *(DefaultLine(_label(name), port.value, port.layer) for name, port in ports.items()),
            *(DefaultLine(f"Load of {model}", load.value, load.layer) for model, load in sorted(loads.items())),
            *(DefaultLine(f"Load of {name}", load.value, load.layer) for name, load in sorted(of_modules.items())),
            *(DefaultLine(_label(name), value.value, value.layer) for name, value in urls.items()),
        ],
        _remarks(content, wanted),
    )


def _call_managers(values: dict[str, Effective]) -> tuple[list[str], str]:
    """As the portal's layer says, else those that all accounts share."""
    said = values.get(CALL_MANAGERS)
    if said is not None and said.value:
        return list(entries(said.value)), said.layer
    hosts = CallManager.objects.filter(account=None).order_by("name", "pk").values_list("host", flat=True)
    return list(dict.fromkeys(hosts))[:MOST_CALL_MANAGERS], "shared call manager"


def _port(name: str, values: dict[str, Effective]) -> Effective:
    setting = find_setting(name)
    default = setting.default if setting is not None and setting.default else ""
    said = values.get(name)
    return said if said is not None and said.value else Effective(default, "default", "")


def _loads(of_all: list[LayerOf], places: dict[tuple[str, str], list[LayerOf]]) -> tuple[Loads, Loads]:
    """The load of each model, where it is one that the model can have; and those of the expansion modules of any."""
    found, of_modules = {}, Loads()
    for device in sep.catalogue.all_models():
        of_family = places.get((Kind.FAMILY, compared(Kind.FAMILY, device.family)), [])
        of_model = places.get((Kind.MODEL, compared(Kind.MODEL, device.model)), [])
        said = merge([*of_all, *of_family, *of_model])
        load, module_load = said.get("load"), said.get("module_load")
        if load is not None and load.value:
            made_for = sep.catalogue.models_of_load(load.value)
            if not made_for or device.model in made_for:
                found[device.model] = load
        for module in device.modules:
            if module_load and module.load and module_load.value.startswith(module.load):
                of_modules.setdefault(module.name, module_load)
    return found, of_modules


def _remarks(content: bytes, wanted: DefaultFile) -> list[str]:
    remarks = []
    if not content:
        remarks.append(
            "No file is made: the layers of the portal, of its model families and models name neither a call manager "
            "nor a firmware load, and no call manager is shared."
        )
    if wanted.without_number:
        remarks.append(f"The file cannot name the loads of {', '.join(wanted.without_number)}: no number is known.")
    if len(content) > LONGEST_FOR_OLD:
        remarks.append(f"It has {len(content):,} bytes: from 8 KB on, a 7940 or 7960 may stop to load firmware.")
    if SharedFile.objects.filter(account=None, phone=None, path__iexact=NAME).exists():
        remarks.append(f"A shared file {NAME} is given instead.")
    elif (settings.PHONE_FILES_DIR / NAME).exists():
        remarks.append(f"The file {NAME} in the folder of phones' files is given instead.")
    if settings.ENROLMENT_NETWORKS:
        remarks.append("In networks where phones enrol, they get the enrolment file instead.")
    return remarks


def _label(name: str, *, path: bool = False) -> str:
    setting = find_setting(name)
    assert setting is not None, name  # noqa: S101 (names of the catalogue)
    return setting.path if path else setting.label
