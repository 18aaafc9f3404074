"""From a folder's files to templates, lines and layered values which give every file back, byte for byte.

Nothing is stored here. A file that the templates do not give back is kept as it is, with the reason.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from profiles_app.phone import sep
from profiles_app.phone.adopting.clusters import Cluster, Member, SepFile, all_line_keys, clusters_of
from profiles_app.phone.adopting.known_settings import setting_names, settings_at
from profiles_app.phone.adopting.lifting import LiftedLayers, MayGive, Valued, lift
from profiles_app.phone.adopting.line_keys import shared_lines
from profiles_app.phone.rendering.refusal import RenderRefused
from profiles_app.phone.rendering.render import render
from profiles_app.phone.rendering.values import LayerOf, LineOf

_LOAD = re.compile(r"\w{1,20}", re.ASCII)

# Told now and then: what is being done, and which part of it is done, from 0 to 1.
Progress = Callable[[str, float], None]


@dataclass(frozen=True)
class PlannedTemplate:
    """A template and the MAC addresses of the phones whose files it gives; `software` is theirs, "" where it differs."""

    title: str
    software: str
    text: str = field(repr=False)
    macs: tuple[str, ...]


@dataclass
class Plan:
    """What is to be stored. `secrets` are names of values that are kept encrypted; `kept` says why, by MAC address."""

    templates: list[PlannedTemplate] = field(default_factory=list)
    layers: LiftedLayers = field(default_factory=LiftedLayers)
    secrets: frozenset[str] = frozenset()
    lines: dict[str, LineOf] = field(default_factory=dict)
    phone_lines: dict[str, tuple[str, ...]] = field(default_factory=dict)
    kept: dict[str, str] = field(default_factory=dict)

    def layers_of(self, file: SepFile) -> list[LayerOf]:
        """The layers of a file's phone."""
        layers = self.layers
        template = next((str(number) for number, each in enumerate(self.templates) if file.mac in each.macs), "")
        given = (
            ("account", "", layers.account),
            ("location", file.location, layers.locations.get(file.location, {})),
            ("model", file.model, layers.models.get(file.model, {})),
            ("profile", template, layers.profiles.get(template, {})),
            ("phone", file.mac, layers.phones.get(file.mac, {})),
        )
        return [
            LayerOf(kind, f"{kind} {name}".strip(), values=values, secret=self.secrets) for kind, name, values in given
        ]


def plan(
    files: Sequence[SepFile],
    *,
    known_lines: Mapping[str, LineOf] | None = None,
    may_give: MayGive = lambda *_: True,
    progress: Progress = lambda _doing, _part: None,
) -> Plan:
    """Find the templates and values of the files, and prove them. `known_lines` exist already, by their extensions."""
    clusters = clusters_of(files)
    made = Plan(lines=shared_lines(all_line_keys(clusters), known_lines or {}))
    values: list[Valued] = []
    secrets: set[str] = set()
    taken = setting_names()
    proven = 0
    for cluster in clusters:
        cluster.choose(made.lines, settings_at(cluster), taken)
        made.kept |= _prove(cluster, made.lines)
        secrets |= cluster.secrets
        macs = []
        for number, member in enumerate(cluster.members):
            mac = member.file.mac
            if mac not in made.kept:
                values.append(Valued(member.file, str(len(made.templates)), cluster.values(number)))
                made.phone_lines[mac] = tuple(key.extension for key in member.lines)
                macs.append(mac)
        if macs:
            made.templates.append(PlannedTemplate(_title(cluster), _software(cluster), cluster.text, tuple(macs)))
        proven += len(cluster.members)
        progress("Finding templates", proven / len(files))
    used = {extension for extensions in made.phone_lines.values() for extension in extensions}
    made.lines = {extension: line for extension, line in made.lines.items() if extension in used}
    made.layers, made.secrets = lift(values, may_give), frozenset(secrets)
    return made


def rendered(file: SepFile, text: str, layers: Sequence[LayerOf], lines: Sequence[LineOf]) -> bytes:
    return render(text, device=file.as_device, layers=layers, lines=lines).content


def _prove(cluster: Cluster, lines: Mapping[str, LineOf]) -> dict[str, str]:
    """Render every file of a cluster, and take choices away until all are the same. Returns those that never are."""
    while True:
        kept: dict[str, str] = {}
        wrong: set[int] = set()
        text = cluster.text
        for number, member in enumerate(cluster.members):
            places, reason = _differs(cluster, number, member, text, lines)
            wrong |= places
            if reason:
                kept[member.file.mac] = reason
        if not wrong:
            return kept
        for place in wrong:
            cluster.choices[place].pop(0)


def _differs(
    cluster: Cluster, number: int, member: Member, text: str, lines: Mapping[str, LineOf]
) -> tuple[set[int], str]:
    """At which places other choices are to be tried for a file; or why it cannot be given back."""
    layer = LayerOf("phone", "the phone", values=cluster.values(number), secret=frozenset(cluster.secrets))
    try:
        content = rendered(member.file, text, [layer], [lines[key.extension] for key in member.lines])
    except RenderRefused as refused:
        return {place for place, choices in enumerate(cluster.choices) if len(choices) > 1}, refused.message
    if content == member.file.content:
        return set(), ""
    place = _place_of_difference(member, sep.decode(content))
    if place is not None and len(cluster.choices[place]) > 1:
        return {place}, ""
    return set(), "The template does not give this file back byte for byte."


def _place_of_difference(member: Member, text: str) -> int | None:
    """The last place that begins before the first difference, or there."""
    wanted = sep.decode(member.file.content)
    both = zip(wanted, text, strict=False)
    first = next((at for at, (one, other) in enumerate(both) if one != other), min(len(wanted), len(text)))
    found = None
    for place, start in enumerate(_starts(member)):
        if start > first:
            break
        found = place
    return found


def _starts(member: Member) -> Iterator[int]:
    position = 0
    for piece, value in zip(member.outline.pieces, member.outline.values, strict=False):
        position += len(piece)
        yield position
        position += len(value)


def _title(cluster: Cluster) -> str:
    """What people see first of a template: software, models, else loads, and number of lines."""
    models = sorted({member.file.model for member in cluster.members if member.file.model} or _loads(cluster))
    named = "/".join(models[:3]) + ("…" if len(models) > 3 else "")
    numbers = sorted({len(member.lines) for member in cluster.members})
    lines = "–".join(map(str, dict.fromkeys((numbers[0], numbers[-1]))))
    told = f", {lines} line{'' if numbers == [1] else 's'}" if numbers[-1] else ""
    return " ".join(filter(None, (_software(cluster), named or "phones"))) + told


def _loads(cluster: Cluster) -> set[str]:
    """The families of the firmware: sip88xx."""
    places = [number for number, place in enumerate(cluster.places) if place.path == "loadInformation"]
    beginnings = {raw.strip().partition(".")[0] for number in places for raw in cluster.raws(number)}
    return {load for load in beginnings if _LOAD.fullmatch(load)}


def _software(cluster: Cluster) -> str:
    found = {member.file.software for member in cluster.members}
    return found.pop() if len(found) == 1 else ""
