"""Looking for a word in several columns, so that each of them is answered from an index, which `TextIndex` declares.

A column of another table is looked up there first: an OR across a join would make the database read both as a whole.
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from ipaddress import ip_address
from typing import Any
from uuid import UUID

from django.db import models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models import Q, QuerySet


class TextIndex(models.Index):
    """Answers `icontains` and `istartswith` on its fields: on PostgreSQL, where pg_trgm can be had.

    The extension is trusted since PostgreSQL 13, so a role that may create tables may create it. Where it is
    not installed the index is left out, and such a search reads the whole table, as it does on SQLite.
    """

    def create_sql(
        self, model: type[models.Model], schema_editor: BaseDatabaseSchemaEditor, using: str = "", **_: object
    ) -> Any:
        connection, quote = schema_editor.connection, schema_editor.quote_name
        if connection.vendor != "postgresql":
            # The schema editor carries out whatever it is given.
            return "SELECT 1"
        by_name: dict[str, Any] = {field.name: field for field in model._meta.concrete_fields}
        columns = [
            connection.ops.lookup_cast("icontains", by_name[name].get_internal_type()) % quote(by_name[name].column)
            for name in self.fields
        ]
        index = (
            f"CREATE INDEX {quote(self.name)} ON {quote(model._meta.db_table)} USING gin "
            f"({', '.join(f'({column}) gin_trgm_ops' for column in columns)})"
        )
        return (
            "DO $do$ BEGIN SET LOCAL client_min_messages = warning; CREATE EXTENSION IF NOT EXISTS pg_trgm; "
            f"{index}; EXCEPTION WHEN feature_not_supported OR undefined_file OR insufficient_privilege "
            f"THEN RAISE WARNING '{self.name}: no pg_trgm, so searches read the whole table'; END $do$"
        )

    def remove_sql(self, model: type[models.Model], schema_editor: BaseDatabaseSchemaEditor, **_: object) -> Any:
        return f"DROP INDEX IF EXISTS {schema_editor.quote_name(self.name)}"


# Shorter words by themselves are looked for at the beginning: they have no three letters in a row to be found by.
SHORTEST_PART = 3
LONGEST_NUMBER = 18
# What more related rows than this are called is looked for in a join after all.
MOST_RELATED = 1000
NOTHING = Q(pk__in=[])


def any_match(model: type[models.Model], paths: Iterable[str], word: str, *, anywhere: bool = False) -> Q:
    """The word occurs in one of the columns; `=` in front of a path: it is all that stands there.

    `anywhere`: a short word too, because there is a longer one that rows are found by.
    """
    found = NOTHING
    for path in paths:
        found |= _match(model, path, word, anywhere)
    return found


def text_match(column: str, word: str, anywhere: bool = False) -> Q:
    """The word is a part of the text, in any case; a short one its beginning."""
    inside = anywhere or len(word) >= SHORTEST_PART
    return Q(**{f"{column}__{'icontains' if inside else 'istartswith'}": word})


def number_match(column: str, word: str) -> Q:
    """The number begins with these digits: ranges, which an index answers, as a number has no characters."""
    if not (word.isascii() and word.isdecimal()) or len(word) > LONGEST_NUMBER:
        return NOTHING
    found = NOTHING
    for more in range(LONGEST_NUMBER - len(word) + 1):
        first, last = int(word) * 10**more, (int(word) + 1) * 10**more - 1
        found |= Q(**{f"{column}__range": (first, last)})
    return found


def one_of(column: str, keys: QuerySet[Any], *, order: Sequence[str] = ()) -> Q:
    """The column holds one of these keys, the single values of a query: looked up at once, unless they are many.

    `order`: that of the index which finds them, where the database would rather read the table until it has enough.
    """
    keys = keys.order_by(*order)
    known = [key for row in keys[: MOST_RELATED + 1] for key in row.values()]
    if not known:
        return NOTHING
    return Q(**{f"{column}__in": set(known) if len(known) <= MOST_RELATED else keys.order_by()})


def _match(model: type[models.Model], path: str, word: str, anywhere: bool) -> Q:
    whole, path = path.startswith("="), path.removeprefix("=")
    name, _, rest = path.partition("__")
    field: Any = model._meta.get_field(name)
    if rest and not field.is_relation:
        return Q(**{path: word})  # It names its lookup, such as `to__startswith`.
    if rest:
        return _related(field, f"={rest}" if whole else rest, word, anywhere)
    if isinstance(field, models.UUIDField):
        with suppress(ValueError):
            return Q(**{name: UUID(word)})
        return NOTHING
    if isinstance(field, models.IntegerField):
        numbers = number_match(name, word)
        return Q(**{name: int(word)}) if whole and numbers != NOTHING else numbers
    if isinstance(field, models.GenericIPAddressField) and _is_address(word):
        return Q(**{name: word})
    return Q(**{name: word}) if whole else text_match(name, word, anywhere)


def _is_address(word: str) -> bool:
    with suppress(ValueError):
        ip_address(word)
        return True
    return False


def _related(field: Any, path: str, word: str, anywhere: bool) -> Q:
    there = field.related_model._default_manager.filter(_match(field.related_model, path, word, anywhere))
    if field.many_to_many:
        # A join would show a row as often as it is related.
        link = one_of(field.m2m_reverse_field_name(), there.values("pk"))
        links = field.remote_field.through._default_manager.filter(link)
        return one_of("pk", links.values(field.m2m_field_name()))
    return one_of(field.name, there.values("pk"))
