"""Places that the catalogue knows become its settings, where the catalogue gives back what the files say there."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from profiles_app.phone.adopting.clusters import Cluster, PlaceChoice
from profiles_app.phone.adopting.writing import AS_IS, Expression, read, way_to_write
from profiles_app.phone.rendering.series import series_of
from profiles_app.phone.rendering.settings import Setting, all_settings, settings_by_path


def setting_names() -> frozenset[str]:
    return frozenset(setting.name for setting in all_settings())


def settings_at(cluster: Cluster) -> dict[int, PlaceChoice]:
    """What templates say at the places of the catalogue's settings, by the numbers of the places."""
    known: Mapping[str, Setting] = settings_by_path()
    places: dict[str, list[int]] = defaultdict(list)
    for number, place in enumerate(cluster.places):
        if place.path in known and not place.attribute:
            places[place.path].append(number)
    found: dict[int, PlaceChoice] = {}
    for path, numbers in places.items():
        # What stands in several pieces, such as a text with a CDATA section in it, is no setting's value.
        if len({id(cluster.places[number].node) for number in numbers}) == len(numbers):
            found |= _choices(cluster, known[path], numbers)
    return found


def _choices(cluster: Cluster, setting: Setting, numbers: Sequence[int]) -> dict[int, PlaceChoice]:
    raws = [cluster.raws(number) for number in numbers]
    cdata = any(cluster.places[number].cdata for number in numbers)
    filtered = way_to_write((raw for each in raws for raw in each), in_element=True, cdata=cdata)
    if filtered == AS_IS:
        return {}
    values = []
    for place, member in enumerate(cluster.members):
        device = member.file.as_device
        series = series_of(device.model)
        value = _value(setting, [read(each[place]) for each in raws], series)
        if value is None or not setting.known_to(series, device.software):
            return {}
        values.append(value)
    is_list = setting.type == "list" and not setting.joined
    return {
        number: PlaceChoice(
            Expression(f"{setting.name}{f'[{order}]' if is_list else ''}{filtered}"),
            setting.name,
            tuple(values),
            setting.secret,
        )
        for order, number in enumerate(numbers)
    }


def _value(setting: Setting, texts: Sequence[str], series: str) -> str | None:
    """The value for which the catalogue writes these texts, in their order; None: there is none."""
    if setting.type != "list" or setting.joined:
        return setting.read(texts[0], series) if len(set(texts)) == 1 else None
    found = [setting.read(text, series) for text in texts]
    value = ", ".join(filter(None, found))
    # An empty entry, or one too many, gives other places than the file has.
    return value if None not in found and setting.written(value, series) == tuple(texts) else None
