"""Files of phones, made from a built-in template and layers, next to Jinja2 without a sandbox.

Ten thousand phones, each with its own name, lines, keys and values in eight layers. The peer fills the same template
with the same context and does nothing else: no layers, no limits, no check of the XML. A rate is that of one core: files
for each second of processor time.
"""

from __future__ import annotations

import resource
from collections.abc import Callable, Iterator
from string import Template
from time import process_time
from typing import Any

from jinja2 import Environment, StrictUndefined

from profiles_app.phone.rendering.built_in import built_in_for
from profiles_app.phone.rendering.marks import Marks
from profiles_app.phone.rendering.meter import CURRENT, Meter
from profiles_app.phone.rendering.render import context_of, render
from profiles_app.phone.rendering.values import KINDS, DeviceOf, KeyOf, LayerOf, LineOf, merge
from tests.bench.figures import Figure
from tests.bench.sizes import size

PHONES = size("BENCH_PHONES", 10_000)
MODEL = "8845"
JINJA = "Jinja2 without sandbox, layers and checks, the same template"
# What layers of a usual installation say, by their kind.
SHARED = {
    "portal": {"ntp_servers": "10.0.0.1, 10.0.0.2", "web_access": "on"},
    "account": {"call_managers": "pbx1.example.com, pbx2.example.com", "ssh_access": "off"},
    "location": {"time_zone": "Europe/Berlin", "ntp_servers": "10.1.0.1"},
}


def phones(number: int) -> Iterator[dict]:
    for serial in range(number):
        layers = [
            LayerOf(kind, f"{kind} {serial % 50}", values=SHARED.get(kind, {}), locks=frozenset({"ssh_access"}))
            for kind in KINDS[:-1]
        ]
        layers.append(
            LayerOf("phone", f"phone {serial}", values={"phone_label": f"Desk {serial}", "web_access": "off"})
        )
        yield {
            "device": DeviceOf(f"{serial:012X}", MODEL, name=f"phone {serial}"),
            "layers": layers,
            "lines": [
                LineOf(str(1000 + serial), f"auth{serial}", f"s3cret-{serial}", f"Person {serial}", f"{1000 + serial}"),
                LineOf(str(20_000 + serial), label=f"Desk {serial}"),
            ],
            "keys": [
                KeyOf(0, 1, "line", 1),
                KeyOf(0, 2, "line", 2),
                KeyOf(0, 3, "blf", target="301", label="Front & back"),
            ],
        }


def memory() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure() -> Iterator[Figure]:
    template = built_in_for(MODEL, "SIP")
    assert template is not None
    begun = process_time()
    first = next(phones(1))
    length = len(render(template.text, **first).content)
    yield Figure(f"the first file, {length:,} bytes: the template is compiled", [process_time() - begun], "s")
    yield _rate("string.Template, one value a file", _substituting(template.text, first))
    yield _rate(JINJA, _bare(template.text, first))
    early, waiting = 0.0, phones(PHONES)

    def ours(serial: int) -> None:
        nonlocal early
        render(template.text, **next(waiting))
        if serial == PHONES // 10:
            early = memory()

    what = f"{PHONES:,} files of as many phones"
    yield _rate(what, ours, of=JINJA, goal=500)
    yield Figure("memory at its highest after a tenth of them, at the end", [early, memory()], "MB")


def _rate(what: str, once: Callable[[int], object], of: str = "", goal: float | None = None) -> Figure:
    """Files for each second of processor time."""
    begun = process_time()
    for serial in range(PHONES):
        once(serial)
    took = process_time() - begun
    return Figure(what, [PHONES / took], "files/s", of=of, processor=[1000 * took / PHONES], goal=goal)


def _bare(text: str, first: dict[str, Any]) -> Callable[[int], object]:
    bare = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    bare.filters["limit"] = lambda text, length: text[:length]
    compiled = bare.from_string(text)
    token = CURRENT.set(Meter())
    seen = context_of(first["device"], merge(first["layers"]), first["lines"], first["keys"], Marks())
    CURRENT.reset(token)
    return lambda serial: compiled.render({**seen, "phone_label": f"Desk {serial}"})


def _substituting(text: str, first: dict[str, Any]) -> Callable[[int], object]:
    made = render(text, **first).content.decode().replace("$", "$$").replace("Desk 0", "$label")
    substituted = Template(made)
    return lambda serial: substituted.substitute(label=f"Desk {serial}").encode()
