"""Lines as CSV with the phones that they are on: fifty phones get their lines out of one file."""

from collections.abc import Collection, Iterable, Mapping, Sequence

from django.core.exceptions import ValidationError
from django.db.models import Model, Prefetch, QuerySet, Value

from contacts_app.core.actor import Actor
from contacts_app.core.csv.columns import Column
from contacts_app.core.csv.format import CsvRow
from phones_app.configuration.line_places import MOST_POSITIONS, LinePlace, conflicts, place_lines
from phones_app.configuration.models import Layer, LayerLine
from phones_app.inventory.models import Phone
from profiles_app.phone.line_csv import LineCsv
from profiles_app.phone.models import Line
from profiles_app.phone.sep.catalogue import colons, parse_mac

# Where `for_columns` keeps the uses of a line at phones, and a name for what is no column of a line.
PHONES, POSITIONS = "at_phones", "at_positions"


def _uses(line: object) -> list[LayerLine]:
    return list(getattr(line, PHONES, ()))


class PhonesColumn(Column):
    """The phones that have the line in a layer of their own, by MAC address."""

    empty_says_nothing = True

    def __init__(self, actor: Actor) -> None:
        note = "MAC address of the phone that gets the line, or several, comma-separated; empty: stays as it is."
        super().__init__("phone", PHONES, note=note)
        self.actor = actor
        self._known: dict[str, Phone] = {}

    def prepare(self, cells: set[str]) -> None:
        macs = {mac for cell in cells for part in cell.split(",") if (mac := _mac(part)) and mac not in self._known}
        if macs:
            found = self.actor.sees(Phone.objects.filter(mac__in=macs)).only("mac", "name", "account_id")
            self._known |= {phone.mac: phone for phone in found}

    def write(self, row: object) -> str:
        return ", ".join(colons(phone.mac) for use in _uses(row) if (phone := use.layer.phone))

    def read(self, cell: str, values: Mapping[str, object]) -> list[Phone]:
        phones = []
        for part in filter(None, map(str.strip, cell.split(","))):
            phone = self._known.get(_mac(part))
            if phone is None:
                raise ValidationError(f"There is no phone {part[:40]}.")
            phones.append(phone)
        if len({phone.pk for phone in phones}) < len(phones):
            raise ValidationError("A phone is named twice.")
        return phones


class PositionsColumn(Column):
    """Which of the phone's lines it is there."""

    empty_says_nothing = True

    def __init__(self) -> None:
        note = "Which of the phone's lines it is, from 1; of several phones comma-separated; empty: the next free one."
        super().__init__("position", POSITIONS, note=note)

    def write(self, row: object) -> str:
        return ", ".join(str(use.position) for use in _uses(row))

    def read(self, cell: str, values: Mapping[str, object]) -> list[int]:
        parts = [part.strip() for part in cell.split(",")] if cell else []
        if not all(part.isascii() and part.isdecimal() and 0 < int(part) <= MOST_POSITIONS for part in parts):
            raise ValidationError(f"Must be a number from 1 to {MOST_POSITIONS}.")
        return [int(part) for part in parts]


class PlacedLineCsv(LineCsv):
    """Phones have to be there already: `import_phones` adds them."""

    def make_columns(self) -> Sequence[Column]:
        return [*super().make_columns(), PhonesColumn(self.actor), PositionsColumn()]

    def rows(self) -> "QuerySet[Line]":
        return super().rows().annotate(**{POSITIONS: Value("")})

    def for_columns(self, rows: "QuerySet[Model]", names: Collection[str]) -> "QuerySet[Model]":
        uses = LayerLine.objects.filter(layer__kind=Layer.Kind.PHONE).select_related("layer__phone")
        there = Prefetch("uses", uses.order_by("layer__phone__mac"), to_attr=PHONES)
        return super().for_columns(rows, names).prefetch_related(there)

    def judge(self, entries: Sequence[CsvRow]) -> None:
        super().judge(entries)
        asked = [(entry, place) for entry in entries if not entry.errors for place in _places(entry)]
        for entry, place in asked:
            account = entry.stored.account_id if entry.stored else entry.values["account"].pk
            if place.phone.account_id != account:
                entry.errors["phone"] = "The phone and the line belong to different accounts."
        good = [(entry, place) for entry, place in asked if not entry.errors]
        for number, fault in conflicts([place for _, place in good]).items():
            good[number][0].errors.setdefault("position", fault)
        for entry in entries:
            if len(entry.values.get(PHONES) or _uses(entry.stored)) > 1:
                extension = entry.values.get("extension") or entry.stored.extension
                self.remarks[f"{extension} is on several phones, which ring together if the PBX lets them."] = None

    def create(self, entries: Sequence[CsvRow]) -> None:
        places = [place for entry in entries for place in _places(entry)]
        for entry in entries:
            entry.values = {name: value for name, value in entry.values.items() if name not in (PHONES, POSITIONS)}
        super().create(entries)
        _place(places)

    def update(self, entries: Sequence[CsvRow]) -> None:
        places = [place for entry in entries for place in _places(entry)]
        for entry in entries:
            entry.changed -= {PHONES, POSITIONS}
        if changed := [entry for entry in entries if entry.changed]:
            super().update(changed)
        _place(places)


def _place(places: Sequence[LinePlace]) -> None:
    if places:
        accounts, extensions = {place.phone.account_id for place in places}, {place.extension for place in places}
        found = Line.objects.filter(account__in=accounts, extension__in=extensions).defer("auth_password")
        place_lines(places, {(line.account_id, line.extension): line for line in found})


def _places(entry: CsvRow) -> list[LinePlace]:
    """Where a row puts its line; empty where it says nothing new."""
    if entry.stored is not None and not entry.changed & {PHONES, POSITIONS}:
        return []
    named: Iterable[object] = entry.values.get(PHONES) or _uses(entry.stored)
    phones = [one.layer.phone if isinstance(one, LayerLine) else one for one in named]
    found = [phone for phone in phones if isinstance(phone, Phone)]
    positions: list[int | None] = list(entry.values.get(POSITIONS) or ())
    if positions and len(positions) != len(found):
        entry.errors["position"] = f"There are {len(positions)} positions for {len(found)} phones."
        return []
    extension = str(entry.values.get("extension") or entry.stored.extension)
    pairs = zip(found, positions or [None] * len(found), strict=True)
    return [LinePlace(phone, extension, position) for phone, position in pairs]


def _mac(text: str) -> str:
    try:
        return parse_mac(text.strip())
    except ValueError:
        return ""
