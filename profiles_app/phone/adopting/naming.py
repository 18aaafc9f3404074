"""Names of variables after the places that they come from: phone_label, ntp_1_name, lines_3_speed_dial_number."""

import re
from collections.abc import Iterable

from contacts_app.core.tables import table
from profiles_app.phone.adopting.outline import ValuePlace

_TABLE = table(__file__, "places.toml")
_HOLDERS = frozenset(_TABLE["holders"])
_NUMBERED: dict[str, str] = _TABLE["numbered"]
RESERVED = frozenset(_TABLE["reserved"])
# Between a small letter or digit and a capital, and before the last capital of several: servicesURL, TVSMember.
_WORDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def names_of(places: Iterable[ValuePlace], taken: Iterable[str] = ()) -> list[str]:
    """A name for each place, all different and none of `taken`. Files of the same skeleton get the same names."""
    used = RESERVED | frozenset(taken)
    names: list[str] = []
    for place in places:
        name = next(name for name in _candidates(place) if name not in used)
        used |= {name}
        names.append(name)
    return names


def _candidates(place: ValuePlace) -> Iterable[str]:
    name = _joined(place, leave_out=_HOLDERS)
    yield name
    yield (whole := _joined(place, leave_out=frozenset()))
    for number in range(2, len(place.node.way) + 100_000):
        yield f"{whole}_{number}"


def _joined(place: ValuePlace, *, leave_out: frozenset[str]) -> str:
    way = place.node.way
    parts = [_part(node.tag, node.number, node.alone) for node in way[:-1] if node.tag not in leave_out]
    parts += [_part(node.tag, node.number, node.alone) for node in way[-1:]]
    if place.attribute:
        parts.append(_snake(place.attribute))
    name = "_".join(parts) or "device"
    # A name begins with a letter, and does not look like what templates keep for themselves.
    return name if name[0].isalpha() else f"value_{name.strip('_')}"


def _part(tag: str, number: int, alone: bool) -> str:
    if tag in _NUMBERED:
        return f"{_NUMBERED[tag]}_{number}"
    return _snake(tag) if alone else f"{_snake(tag)}_{number}"


def _snake(tag: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", _WORDS.sub("_", tag).lower()).strip("_")
