"""Files of one skeleton, and what a template for all of them says at each place where they may differ.

For each place there are choices, the best first: a part of a line, a setting, the text itself where all files have the
same, a variable. The proof takes a choice away that does not give the files back.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from profiles_app.phone import sep
from profiles_app.phone.adopting.line_keys import PARTS, LineKey, line_keys, says
from profiles_app.phone.adopting.naming import names_of
from profiles_app.phone.adopting.outline import Outline, ValuePlace, outline
from profiles_app.phone.adopting.writing import (
    AS_IS,
    Expression,
    has_mac_mark,
    is_plain,
    read,
    template_text,
    way_to_write,
    with_mac_marked,
)
from profiles_app.phone.rendering.values import DeviceOf, LineOf
from profiles_app.phone.sep.comparison import is_secret


@dataclass(frozen=True)
class SepFile:
    """A file that the checker accepts, and what is known of its phone."""

    name: str
    mac: str
    content: bytes = field(repr=False)
    model: str = ""
    software: str = ""
    location: str = ""
    device: DeviceOf | None = None  # what is rendered for; None: made of the above

    @property
    def as_device(self) -> DeviceOf:
        made = DeviceOf(self.mac, self.model, self.software or "SIP", location=self.location)
        return self.device or made


@dataclass(frozen=True)
class PlaceChoice:
    """What the template says at a place: an expression, or the text itself. `values` are a variable's, file by file."""

    says: str | Expression
    name: str = ""
    values: tuple[str, ...] = field(default=(), repr=False)
    secret: bool = False

    @property
    def is_about_phone(self) -> bool:
        return isinstance(self.says, str) and has_mac_mark(self.says)


@dataclass
class Member:
    """A file of a cluster with the values in it."""

    file: SepFile
    outline: Outline
    lines: list[LineKey]


@dataclass
class Cluster:
    """Files of the same skeleton. `pieces` are its text, with marks in place of each file's own MAC address."""

    pieces: tuple[str, ...]
    places: tuple[ValuePlace, ...]
    members: list[Member] = field(default_factory=list)
    choices: list[list[PlaceChoice]] = field(default_factory=list, repr=False)

    def choose(self, lines: Mapping[str, LineOf], settings: Mapping[int, PlaceChoice], taken: Iterable[str]) -> None:
        """Find the choices for each place. `taken` are names that no variable may have."""
        names = names_of(self.places, taken)
        self.choices = []
        for number, (place, name) in enumerate(zip(self.places, names, strict=True)):
            own = self._own(number, place, name)
            found = [self._line_part(number, lines), settings.get(number)]
            # An address with the phone's own MAC address in it is a text for all phones, and no setting of each.
            better = [choice for choice in found if choice and not own[0].is_about_phone]
            self.choices.append(better + own)

    def raws(self, number: int) -> list[str]:
        """What the files have at a place, as it is written."""
        return [member.outline.values[number] for member in self.members]

    @property
    def text(self) -> str:
        """The template, by the first of the choices left."""
        filled = [choices[0].says for choices in self.choices]
        return template_text([part for pair in zip(self.pieces, (*filled, ""), strict=True) for part in pair])

    def values(self, place: int) -> dict[str, str]:
        """The variables and settings of one of the members."""
        return {first.name: first.values[place] for first in self._first if first.name}

    @property
    def secrets(self) -> set[str]:
        return {first.name for first in self._first if first.secret}

    @property
    def _first(self) -> list[PlaceChoice]:
        return [choices[0] for choices in self.choices]

    def _own(self, number: int, place: ValuePlace, name: str) -> list[PlaceChoice]:
        raws = self.raws(number)
        secret = _is_secret(place)
        marked = {with_mac_marked(raw, member.file.mac) for raw, member in zip(raws, self.members, strict=True)}
        way = way_to_write(raws, in_element=not place.attribute, cdata=place.cdata)
        values = tuple(raws) if way == AS_IS else tuple(map(read, raws))
        variable = PlaceChoice(Expression(name + way), name, values, secret)
        as_is = PlaceChoice(Expression(name + AS_IS), name, tuple(raws), secret)
        # A password is no part of a template, which more people may see, as long as it can be something else.
        if len(marked) == 1 and not (secret and any(raws)):
            return [PlaceChoice(marked.pop())]
        return [variable] if way == AS_IS else [variable, as_is]

    @cached_property
    def _line_at(self) -> dict[int, int]:
        """Which keys are the same line of every phone here, counted from 0: by the number of the key's element."""
        found = [{key.number: order for order, key in enumerate(member.lines)} for member in self.members]
        first = found[0].items()
        return {number: order for number, order in first if all(other.get(number) == order for other in found)}

    def _line_part(self, number: int, lines: Mapping[str, LineOf]) -> PlaceChoice | None:
        """The part of a line that stands here, where the line says of every phone what its file says."""
        place = self.places[number]
        way = place.node.way
        if place.path.rpartition("/")[0] != "sipProfile/sipLines/line" or place.attribute or place.cdata:
            return None
        order = self._line_at.get(way[2].number)
        if order is None:
            return None
        raws = self.raws(number)
        filtered = way_to_write(raws, in_element=True, cdata=False)
        keys = [member.lines[order] for member in self.members]
        # A contact that is the name, as mostly, is the line's as well.
        tag = way[-1].tag
        part = PARTS.get(tag, "name")
        if filtered == AS_IS or (tag not in PARTS and tag != "contact"):
            return None
        if not all(says(lines[key.extension], part, read(raw)) for key, raw in zip(keys, raws, strict=True)):
            return None
        return PlaceChoice(Expression(f"lines[{order}].{part}{filtered}"))


def clusters_of(files: Iterable[SepFile]) -> list[Cluster]:
    """Put files of the same skeleton together, in the order in which the skeletons are met."""
    found: dict[str, Cluster] = {}
    for file in files:
        taken_apart = _with_odd_secrets_fixed(outline(sep.decode(file.content)))
        # No text of XML has a NUL.
        key = with_mac_marked("\0".join(taken_apart.pieces), file.mac)
        cluster = found.setdefault(key, Cluster(tuple(key.split("\0")), taken_apart.places))
        cluster.members.append(Member(file, taken_apart, line_keys(taken_apart)))
    return list(found.values())


def _with_odd_secrets_fixed(taken_apart: Outline) -> Outline:
    """Passwords that are not written as text is become part of the skeleton: secrets are written in one way only."""
    pieces, places, values = [taken_apart.pieces[0]], [], []
    for place, value, piece in zip(taken_apart.places, taken_apart.values, taken_apart.pieces[1:], strict=True):
        if _is_secret(place) and (place.cdata or not is_plain(value)):
            pieces[-1] += value + piece
        else:
            pieces.append(piece)
            places.append(place)
            values.append(value)
    return Outline(tuple(pieces), tuple(places), tuple(values))


def _is_secret(place: ValuePlace) -> bool:
    return is_secret(place.node.tag) and not place.attribute


def all_line_keys(clusters: Sequence[Cluster]) -> list[LineKey]:
    return [key for cluster in clusters for member in cluster.members for key in member.lines]
