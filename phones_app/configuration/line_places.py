"""Which line is which on a phone: lines are put into the layer of a phone, each at its position."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from django.utils import timezone

from contacts_app.core.history.records import create_recorded, save_recorded
from phones_app.configuration.models import Layer, LayerLine
from phones_app.inventory.models import Phone
from profiles_app.phone.models import Line

MOST_POSITIONS = 200
# Who puts a line on a phone changes the layer of the phone, or makes it.
PLACES_LINES = ("phones_app.view_phone", "phones_app.add_layer", "phones_app.change_layer")


class LinePlace(NamedTuple):
    """A line of the phone's account, by its extension; without a position it takes the next free one."""

    phone: Phone
    extension: str
    position: int | None


def conflicts(places: Sequence[LinePlace]) -> dict[int, str]:
    """Why some of these places cannot be taken, by their number: two lines cannot have one position of a phone."""
    return _settled(places, _present(places))[1]


def place_lines(places: Sequence[LinePlace], lines: Mapping[tuple[int, str], Line]) -> None:
    """Put lines on phones, by account and extension. The places have no conflicts; called in a transaction."""
    present = _present(places)
    settled, _ = _settled(places, present)
    layers = _layers_of({place.phone.pk: place.phone for place in places})
    changed: set[int] = set()
    new: list[LayerLine] = []
    going: list[LayerLine] = []
    for place, position in zip(places, settled, strict=True):
        layer, line = layers[place.phone.pk], lines[place.phone.account_id, place.extension]
        use = next((use for use in present[place.phone.pk] if use.line_id == line.pk), None)
        if use is not None and use.position == position:
            continue
        if use is not None:
            going.append(use)
        new.append(LayerLine(layer=layer, line=line, position=position))
        changed.add(place.phone.pk)
    # Before the new ones, so that two lines can change places.
    for use in going:
        use.delete()
    create_recorded(new)
    touched = [layers[pk] for pk in sorted(changed)]
    for layer in touched:
        layer.updated_at = timezone.now()
    if touched:
        save_recorded(touched, ["updated_at"])


def _present(places: Sequence[LinePlace]) -> dict[int, list[LayerLine]]:
    """What the phones have, by the phone's key."""
    found: dict[int, list[LayerLine]] = defaultdict(list)
    phones = {place.phone.pk for place in places}
    if phones:
        uses = LayerLine.objects.filter(layer__phone__in=phones).select_related("line", "layer")
        for use in uses.order_by("layer_id", "position"):
            found[use.layer.phone_id or 0].append(use)
    return found


def _settled(places: Sequence[LinePlace], present: Mapping[int, list[LayerLine]]) -> tuple[list[int], dict[int, str]]:
    """The position of each place, and why not. Lines that are moved leave theirs; what has a position comes first."""
    moved = {(place.phone.pk, place.extension) for place in places if place.position is not None}
    taken: dict[tuple[int, int], str] = {}
    for pk, uses in present.items():
        for use in uses:
            if (pk, use.line.extension) not in moved:
                taken[pk, use.position] = use.line.extension
    settled, faults = [place.position or 0 for place in places], {}
    for number, place in enumerate(places):
        if place.position is None:
            continue
        other = taken.setdefault((place.phone.pk, place.position), place.extension)
        if other != place.extension:
            faults[number] = f"Line {place.position} of {place.phone.mac_with_colons} is {other}."
    for number, place in enumerate(places):
        if place.position is None:
            settled[number] = _free(place, taken)
            taken[place.phone.pk, settled[number]] = place.extension
            if settled[number] > MOST_POSITIONS:
                faults[number] = f"{place.phone.mac_with_colons} has {MOST_POSITIONS} lines already."
    return settled, faults


def _free(place: LinePlace, taken: Mapping[tuple[int, int], str]) -> int:
    """The position that the line has there already, else the lowest free one."""
    mine = next((at for (pk, at), who in taken.items() if (pk, who) == (place.phone.pk, place.extension)), 0)
    return mine or next(at for at in range(1, MOST_POSITIONS + 2) if (place.phone.pk, at) not in taken)


def _layers_of(phones: Mapping[int, Phone]) -> dict[int, Layer]:
    """The layers of these phones; missing ones are made."""
    layers = {layer.phone_id: layer for layer in Layer.objects.filter(phone__in=phones)}
    missing = [
        Layer(kind=Layer.Kind.PHONE, phone=phone, account_id=phone.account_id)
        for pk, phone in phones.items()
        if pk not in layers
    ]
    return {layer.phone_id or 0: layer for layer in [*layers.values(), *create_recorded(missing)]}
