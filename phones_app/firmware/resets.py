"""What phones boot from after a factory reset, whatever their files say: `termNN.default.loads`.

Which load one of these holds, the file alone says: it names the components of one load (boot server spec §2.4, §8).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice

from phones_app.firmware.models import Firmware
from phones_app.firmware.sets.header import LONGEST_HEADER
from phones_app.firmware.sets.loads import LONGEST_LOADS
from phones_app.firmware.sets.package import LOADS, FirmwarePackage, PackedFile, limit
from phones_app.firmware.sets.verdict import FirmwareSet, judge
from phones_app.shared_files import services as shared_files
from phones_app.shared_files import store
from phones_app.shared_files.models import SharedFile


@dataclass(frozen=True)
class FactoryReset:
    """`loads` are those with the components that the file at `path` lists; none: the portal has no such load."""

    path: str
    loads: tuple[str, ...]
    models: tuple[str, ...]


def lists_beside(row: Firmware) -> list[FirmwareSet]:
    """The `.loads` files in the folder of a load, as its phones are given them, with what is remarkable about each."""
    rows = shared_files.given_to(None, row.account).filter(
        kind=SharedFile.Kind.FIRMWARE, phone=None, path__iendswith=LOADS
    )
    inside = [file for file in rows if file.path.rpartition("/")[0].lower() == row.folder.lower()]
    nearest = islice(shared_files.nearest(inside).values(), limit("loads_beside"))
    packed = [one for file in nearest if (one := _packed(file)) is not None]
    return judge(FirmwarePackage("", tuple(packed)))


def resets_of(row: Firmware, lists: Iterable[FirmwareSet] | None = None) -> list[FactoryReset]:
    """What the phones of a load boot from after a factory reset, as far as the portal has it."""
    sets = lists_beside(row) if lists is None else list(lists)
    held = _held(sets)
    return [
        FactoryReset(one.file, tuple(held.get(_names(one), ())), one.models)
        for one in sets
        if one.is_default and set(one.models) & set(row.phone_models)
    ]


def _held(sets: Iterable[FirmwareSet]) -> Mapping[frozenset[str], list[str]]:
    """The loads by the names of their components."""
    found: defaultdict[frozenset[str], list[str]] = defaultdict(list)
    for one in sets:
        if not one.is_default and one.components:
            found[_names(one)].append(one.load)
    return found


def _names(one: FirmwareSet) -> frozenset[str]:
    return frozenset(component.name for component in one.components)


def _packed(file: SharedFile) -> PackedFile | None:
    """None: its content was lost, or it is longer than any such file."""
    if file.size > LONGEST_HEADER + LONGEST_LOADS:
        return None
    try:
        with store.read(file.sha256) as content:
            return PackedFile(file.path, file.size, content.read())
    except OSError:
        return None
