"""From a serializer's declaration to the columns it shows and a function that makes the record of them.

DRF asks each field of each row for its value. Here that is worked out once for each serializer: which columns the
fields show, and how. The serializer stays the one place where a record is declared; a field whose value its source does
not tell says what it needs (`needs`, `shows`), and a record that cannot be read from columns is left to the serializer.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from operator import itemgetter
from typing import Any, ClassVar

from django.core.exceptions import FieldDoesNotExist
from django.db import DEFAULT_DB_ALIAS, models
from rest_framework import serializers
from rest_framework.fields import empty

Row = Sequence[Any]
Get = Callable[[Row], Any]
Record = dict[str, Any]
FieldOfRecord = serializers.Field[Any, Any, Any, Any]


class NoColumns(Exception):
    """The columns do not tell what the record shows."""


# A serializer that leaves something out for some callers, which it tells from the whole record. The OpenAPI document
# would take a docstring over into the descriptions of all of them.
class Narrowed(serializers.BaseSerializer[Any]):
    # What members that are no columns are made from: of the property or the method of that name. Without a value here,
    # which would stand before that of a record that a subclass extends.
    needs: ClassVar[Mapping[str, Sequence[str]]]

    @classmethod
    def narrowed(cls, record: Record, context: Mapping[str, Any]) -> Record:
        return record

    def to_representation(self, row: Any) -> Record:
        return self.narrowed(super().to_representation(row), self.context)


@dataclass(frozen=True)
class Part:
    """A member that lists rows which point to the record's by `key`."""

    rows: "models.QuerySet[Any]"
    key: str
    reading: "Reading"


class Reading:
    """The columns of a record, for `values_list`, and the record of their values.

    Behind the columns a row has a list of records for each of `parts`, which are read by themselves.
    """

    def __init__(self, serializer: Any, model: type[models.Model], prefix: str = "") -> None:
        self.columns: list[str] = ["pk"]
        self.parts: list[Part] = []
        self.show = self._record(serializer, model, "")

    def _column(self, path: str) -> int:
        if path not in self.columns:
            self.columns.append(path)
        return self.columns.index(path)

    def _record(self, serializer: Any, model: type[models.Model], prefix: str) -> Callable[[Row], Record]:
        if type(serializer).to_representation not in PLAIN:
            raise NoColumns(type(serializer).__name__)
        needs = getattr(serializer, "needs", {})
        getters = {
            field.field_name: self._getter(field, model, prefix, needs.get(field.field_name))
            for field in serializer._readable_fields
        }
        return _record_of(getters)

    def _getter(self, field: Any, model: type[models.Model], prefix: str, needs: Sequence[str] | None) -> Get | int:
        """How to show the field; of a value that stands in the record as it is, its place in the row."""
        if not isinstance(field, serializers.BaseSerializer):
            needs = getattr(field, "needs", needs)
        if needs is not None:
            return self._made(field, model, prefix, needs)
        if isinstance(field, serializers.ListSerializer):
            return self._part(field, model, prefix, field.child)
        if hasattr(field, "shows_of"):
            return self._part(field, model, prefix, field.shows_of)
        if isinstance(field, serializers.BaseSerializer):
            return self._nested(field, model, prefix)
        if not field.source_attrs:
            # A method shows it, which does not say what it needs.
            raise NoColumns(f"{type(field.parent).__name__}.{field.field_name}")
        try:
            path, column = _resolved(model, field.source_attrs)
        except FieldDoesNotExist:
            if len(field.source_attrs) > 1 or field.default is empty:
                raise NoColumns(f"{type(field.parent).__name__}.{field.field_name}") from None
            shown = field.to_representation(default) if (default := field.get_default()) is not None else None
            return lambda row: shown
        if column.is_relation and not path.endswith("_id"):
            if not hasattr(field, "shows"):
                raise NoColumns(f"{type(field.parent).__name__}.{field.field_name}")
            place, convert = self._column(f"{prefix}{path}__{field.shows}"), getattr(field, "shown", None)
        else:
            place, convert = self._column(prefix + path), _conversion(field, column)
        absent = getattr(field, "absent", None)
        if convert is None:
            return place if absent is None else lambda row: row[place] or absent
        return lambda row: absent if row[place] is None else convert(row[place])

    def _nested(self, field: Any, model: type[models.Model], prefix: str) -> Get:
        if field.source == "*":
            return self._record(field, model, prefix)
        path, column = _resolved(model, field.source_attrs)
        inner = f"{prefix}{path}__"
        place, show = self._column(f"{inner}pk"), self._record(field, _model_of(column), inner)
        return lambda row: None if row[place] is None else show(row)

    def _part(self, field: Any, model: type[models.Model], prefix: str, child: Any) -> Get:
        """Parts stand behind the columns, however many of these there will be."""
        name, column = child if isinstance(child, tuple) else (field.source, "")
        try:
            relation: Any = model._meta.get_field(name)
        except FieldDoesNotExist:
            relation = None
        if prefix or relation is None or not relation.one_to_many:
            raise NoColumns(f"{type(field.parent).__name__}.{field.field_name}")
        rows = relation.related_model._default_manager.all()
        reading = OneColumn(column) if column else Reading(child, relation.related_model)
        self.parts.append(Part(rows, relation.field.name, reading))
        place = len(self.parts)
        return lambda row: row[-1][place - 1]

    def _made(self, field: Any, model: type[models.Model], prefix: str, needs: Sequence[str]) -> Get:
        """A property or a method of the serializer, given an object that has nothing but what it needs."""
        kind, places = _stand_in(model), []
        for path in needs:
            relation, _, name = path.rpartition("__")
            known = self._column(f"{prefix}{relation}__pk") if relation else 0
            places.append((relation, name, known, self._column(prefix + path)))

        def get(row: Row) -> Any:
            whole = kind()
            for relation, name, known, place in places:
                if not relation:
                    setattr(whole, name, row[place])
                elif row[known] is None:
                    setattr(whole, relation, None)
                else:
                    setattr(whole.__dict__.setdefault(relation, StandIn()), name, row[place])
            value = field.get_attribute(whole)
            return None if value is None else field.to_representation(value)

        return get


def _record_of(getters: "dict[str, Get | int]") -> Callable[[Row], Record]:
    """All values that stand in the record as they are by one call of C; the others take the places kept for them."""
    made = [(name, get) for name, get in getters.items() if not isinstance(get, int)]
    # Of a single place there would be no tuple.
    values = itemgetter(*(get if isinstance(get, int) else 0 for get in getters.values()), 0, 0)
    names = tuple(getters)

    def record(row: Row) -> Record:
        found: Record = dict(zip(names, values(row), strict=False))
        for name, get in made:
            found[name] = get(row)
        return found

    return record


class OneColumn(Reading):
    """Of each row one column alone."""

    def __init__(self, column: str) -> None:
        self.columns, self.parts = [column], []
        self.show = itemgetter(0)


class WholeRow(Reading):
    """The row itself, with what its query adds to it, for a service."""

    def __init__(self, model: type[models.Model], *added: str) -> None:
        columns = [field.attname for field in model._meta.concrete_fields]
        self.columns, self.parts = [*columns, *added], []

        def row(values: Row) -> models.Model:
            made = model.from_db(DEFAULT_DB_ALIAS, columns, values[: len(columns)])
            vars(made).update(zip(added, values[len(columns) :], strict=True))
            return made

        self.show: Callable[[Row], Any] = row


class StandIn:
    """For a row, with only some of its columns."""


@cache
def _stand_in(model: type[models.Model]) -> type[StandIn]:
    """With the properties of the model."""
    properties = {
        name: member
        for kind in reversed(model.__mro__)
        for name, member in vars(kind).items()
        if isinstance(member, property) and name != "pk"
    }
    return type("StandIn", (StandIn,), properties)


def _model_of(column: Any) -> type[models.Model]:
    related: type[models.Model] = column.related_model
    return related


def _resolved(model: type[models.Model], names: Sequence[str]) -> tuple[str, Any]:
    """Where a source leads over relations to one row. Raises FieldDoesNotExist and NoColumns."""
    column: Any = None
    for name in names:
        if column is not None:
            model = _model_of(column)
        column = model._meta.pk if name == "pk" else model._meta.get_field(name)
        if column.is_relation and not (column.many_to_one or column.one_to_one):
            raise NoColumns(name)
    return "__".join(names), column


TEXT = (models.CharField, models.TextField, models.GenericIPAddressField)
# Whose value stands in the record as it comes from such a column; UUIDs are written by the encoder.
ALIKE: dict[Any, tuple[type[Any], ...]] = {
    serializers.CharField.to_representation: TEXT,
    serializers.IPAddressField.to_representation: TEXT,
    serializers.ChoiceField.to_representation: TEXT,
    serializers.BooleanField.to_representation: (models.BooleanField,),
    serializers.IntegerField.to_representation: (models.IntegerField, models.BigAutoField, models.ForeignKey),
    serializers.FloatField.to_representation: (models.FloatField,),
    serializers.UUIDField.to_representation: (models.UUIDField,),
}
PLAIN = {serializers.Serializer.to_representation, Narrowed.to_representation}


def _conversion(field: Any, column: Any) -> Callable[[Any], Any] | None:
    convert = field.to_representation
    return None if isinstance(column, ALIKE.get(convert.__func__, ())) else convert


@cache
def reading_of(serializer: type[Any], model: type[models.Model]) -> Reading | None:
    """How to read what the serializer shows of a row; None where only the serializer itself knows."""
    try:
        return Reading(serializer(), model)
    except NoColumns:
        return None
