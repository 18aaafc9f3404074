"""Values that phones share go up: to their account, else to their locations, their models or their profiles."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from profiles_app.phone.adopting.clusters import SepFile

Values = dict[str, str]
# Whether a layer (its kind, and the name of the location or model) can be given a value.
MayGive = Callable[[str, str, str, str], bool]


@dataclass(frozen=True)
class Valued:
    """A file with the values of its template, which is known by its number."""

    file: SepFile
    template: str
    values: Mapping[str, str] = field(repr=False)


@dataclass
class LiftedLayers:
    """What each layer gives: to locations and models by their names, to profiles by the number of their template, to
    phones by their MAC addresses.
    """

    account: Values = field(default_factory=dict, repr=False)
    locations: dict[str, Values] = field(default_factory=dict, repr=False)
    models: dict[str, Values] = field(default_factory=dict, repr=False)
    profiles: dict[str, Values] = field(default_factory=dict, repr=False)
    phones: dict[str, Values] = field(default_factory=dict, repr=False)


def lift(phones: Iterable[Valued], may_give: MayGive = lambda *_: True) -> LiftedLayers:
    """Spread the values of phones over layers, so that each phone sees its own again.

    A layer gets what all of its phones that have the value share, if there are two of them at least; the profile of a
    single phone has all that is its own. One value is in layers of one kind, because a stronger layer hides weaker ones.
    """
    phones = list(phones)
    layers = LiftedLayers(phones={phone.file.mac: {} for phone in phones})
    of_name: dict[str, list[tuple[Valued, str]]] = defaultdict(list)
    for phone in phones:
        for name, value in phone.values.items():
            of_name[name].append((phone, value))
    for name, found in of_name.items():
        _spread(name, found, layers, may_give)
    return layers


def _spread(name: str, found: list[tuple[Valued, str]], layers: LiftedLayers, may_give: MayGive) -> None:
    shared = _shared((("", value) for _, value in found), at_least=2)
    if shared and may_give("account", "", name, shared[""]):
        layers.account[name] = shared[""]
        return
    given: tuple[dict[str, Values], dict[str, str], Values] = ({}, {}, {})
    most = 0
    for kind, target, at_least, group_of in (
        ("location", layers.locations, 2, {phone.file.mac: phone.file.location for phone, _ in found}),
        ("model", layers.models, 2, {phone.file.mac: phone.file.model for phone, _ in found}),
        ("profile", layers.profiles, 1, {phone.file.mac: phone.template for phone, _ in found}),
    ):
        shared = _shared(((group_of[phone.file.mac], value) for phone, value in found), at_least=at_least)
        groups = {group: value for group, value in shared.items() if group and may_give(kind, group, name, value)}
        covered = sum(group in groups for group in group_of.values())
        if covered > most:
            given, most = (target, group_of, groups), covered
    target, group_of, groups = given
    for group, value in groups.items():
        target.setdefault(group, {})[name] = value
    for phone, value in found:
        if group_of.get(phone.file.mac) not in groups:
            layers.phones[phone.file.mac][name] = value


def _shared(found: Iterable[tuple[str, str]], *, at_least: int) -> Values:
    """The groups of so many in which all have the same value, with that value."""
    values: dict[str, list[str]] = defaultdict(list)
    for group, value in found:
        values[group].append(value)
    return {group: had[0] for group, had in values.items() if len(had) >= at_least and len(set(had)) == 1}
