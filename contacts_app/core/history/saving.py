"""How `save` stores rows of models with history: on PostgreSQL by statements that are kept.

Django makes its INSERT or UPDATE anew for each row, which takes it longer than the database takes for it. What a row was,
which history tells, comes back with its UPDATE. Signals, checks and all the rest of `save` are Django's own.
"""

from collections.abc import Sequence
from typing import Any

from django.db import connection, models
from django.db.models import Model

from contacts_app.core.lists.insert import insert_one
from contacts_app.core.lists.statement import Instances, Slot
from contacts_app.core.lists.update import RowUpdate

# Mostly the same few sets of fields of a model are written, but who sends some may send any.
MOST = 50


class Former:
    """What a row was in the fields `names`, once it is changed: None before, and where there is no such row."""

    def __init__(self, names: frozenset[str]) -> None:
        self.names = names
        self.row: Any = None


class Saving:
    """The statements of one model, which its rows are saved by."""

    def __init__(self, model: Any) -> None:
        self.model = model
        self._kept: dict[object, Instances] = {}
        # `save` calls these. There is no other door between its signals and its statement.
        model._do_insert = lambda row, *asked: self._insert(row, *asked)
        model._do_update = lambda row, *asked: self._update(row, *asked)

    def _insert(
        self,
        row: Any,
        manager: Any,
        using: str,
        fields: object,
        returned: "Sequence[models.Field[Any, Any]]",
        raw: bool,
    ) -> Any:
        is_usual = connection.vendor == "postgresql" and row.pk is None and not raw
        if not is_usual or any(map(_is_worked_out, vars(row).values())):
            return Model._do_insert(row, manager, using, fields, returned, raw)  # type: ignore[attr-defined]
        insert_one(row)
        return [[getattr(row, field.attname) for field in returned]]

    def _update(self, row: Any, rows: Any, using: str, key: Any, values: Sequence[Any], *asked: Any) -> bool:
        former: Former | None = vars(row).get("_former")
        if former is not None and rows.model is self.model:
            written = tuple(field for field, _, _ in values)
            new = [value for _, _, value in values]
            if connection.vendor == "postgresql" and new and not any(map(_is_worked_out, new)):
                stored = [field.get_db_prep_save(value, connection) for field, value in zip(written, new, strict=True)]
                former.row = self._statement(written, former.names).first(*stored, key)
                return former.row is not None
            former.row = self._statement((), former.names).first(key)
        return bool(Model._do_update(row, rows, using, key, values, *asked))

    def _statement(self, written: "tuple[models.Field[Any, Any], ...]", told: frozenset[str]) -> Instances:
        """Stores the `written` fields, if there are any, and tells the others as they were."""
        found = self._kept.get((written, told))
        if found is None:
            if len(self._kept) >= MOST:
                self._kept = {}
            key = self.model._meta.pk
            rows = self.model._base_manager.order_by().filter(pk=Slot(key)()).only(key.name, *told)
            found = RowUpdate(rows, written) if written else Instances(rows)
            self._kept[written, told] = found
        return found


def _is_worked_out(value: object) -> bool:
    """Whether the database is to work it out."""
    return hasattr(value, "resolve_expression")
