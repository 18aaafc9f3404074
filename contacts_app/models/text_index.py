"""An index for text that is searched by a part of it."""

from typing import Any

from django.db import models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


class TextIndex(models.Index):
    """Answers `icontains` and `istartswith` on its fields: on PostgreSQL, where pg_trgm can be had.

    The extension is trusted since PostgreSQL 13, so whoever may create tables in a database may create it. Where it is
    not installed the index is left out, and such a search reads the whole table, as it does on SQLite.
    """

    def create_sql(
        self, model: type[models.Model], schema_editor: BaseDatabaseSchemaEditor, using: str = "", **_: Any
    ) -> Any:
        connection, quote = schema_editor.connection, schema_editor.quote_name
        if connection.vendor != "postgresql":
            # The schema editor carries out whatever it is given.
            return "SELECT 1"
        by_name: dict[str, Any] = {field.name: field for field in model._meta.concrete_fields}
        columns = [
            connection.ops.lookup_cast("icontains", by_name[name].get_internal_type())
            % quote(by_name[name].column)
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

    def remove_sql(self, model: type[models.Model], schema_editor: BaseDatabaseSchemaEditor, **_: Any) -> Any:
        return f"DROP INDEX IF EXISTS {schema_editor.quote_name(self.name)}"
