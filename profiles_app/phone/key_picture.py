"""What the keys of a phone show, as a picture of columns: those of the phone, and of its expansion modules.

Drawn from what the renderer makes of a key layout on a model, so that the picture is what the file says.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from profiles_app.phone.rendering.keys import Arranged, arrange, find_kind, places_of
from profiles_app.phone.rendering.values import DeviceOf, KeyOf, LineOf

ONE_COLUMN = 6


@dataclass(frozen=True)
class PicturedKey:
    """One key: what it shows, and what it does in words. `free` has nothing on it."""

    position: int
    label: str = ""
    kind: str = ""
    free: bool = True


@dataclass(frozen=True)
class PicturedModule:
    """The phone itself (`name` is its model), or one of its expansion modules."""

    name: str
    keys: tuple[PicturedKey, ...]

    @property
    def rows(self) -> int:
        """Keys in two columns where there are many, as on the phone."""
        number = len(self.keys)
        return number if number <= ONE_COLUMN else (number + 1) // 2


class KeyPicture(NamedTuple):
    """The columns; what is said of the layout on this model; and which keys it leaves empty, with the reasons."""

    columns: tuple[PicturedModule, ...]
    remarks: tuple[str, ...]
    empty: Mapping[tuple[int, int], str]


def picture_of(
    model: str, keys: Sequence[KeyOf], modules: Sequence[str] = (), lines: Sequence[LineOf] | None = None
) -> KeyPicture:
    """What a model shows of these keys; without `lines`, each line that a key is of is made up. Raises Unwritable."""
    device = DeviceOf("", model, modules=tuple(modules))
    arranged = arrange(device, _made_up(keys) if lines is None else lines, keys)
    return KeyPicture(_columns(device, arranged), arranged.remarks, arranged.empty)


def _made_up(keys: Sequence[KeyOf]) -> list[LineOf]:
    highest = max((key.line or 1 for key in keys if (kind := find_kind(key.kind)) and kind.needs == "line"), default=1)
    return [LineOf(extension=f"line {number}", name=f"line{number}") for number in range(1, highest + 1)]


def _columns(device: DeviceOf, arranged: Arranged) -> tuple[PicturedModule, ...]:
    shown = {key.button: key for key in arranged.keys}
    known = places_of(device.model, device.modules)
    # Of a model that is not known, only the keys with something on them.
    places = known or tuple((0, key.button) for key in arranged.keys)
    names = [device.model or "Phone", *(module.name for module in arranged.modules)]
    columns: dict[int, list[PicturedKey]] = {}
    for button, (module, position) in enumerate(places, 1):
        picture = PicturedKey(position)
        if key := shown.get(button if known else position):
            kind = find_kind(key.kind)
            label = key.label if kind and kind.labelled else (kind.label if kind else key.kind)
            picture = replace(picture, label=label, kind=kind.label if kind else key.kind, free=False)
        columns.setdefault(module, []).append(picture)
    return tuple(PicturedModule(names[module], tuple(keys)) for module, keys in columns.items())
