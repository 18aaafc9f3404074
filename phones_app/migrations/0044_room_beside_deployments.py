"""Half of each page of the deployments' table stays free, on PostgreSQL, for new rows and pages.

A deployment is claimed, renewed and let go many times, which changes no index. PostgreSQL leaves the indexes alone if
the new version of a row fits beside the old one; otherwise each of some twenty gets another entry, which takes twenty
times longer.
"""

from typing import Any

from django.db import migrations


def leave_room(apps: Any, schema_editor: Any) -> None:
    _set(apps, schema_editor, "SET (fillfactor = 50)")


def leave_none(apps: Any, schema_editor: Any) -> None:
    _set(apps, schema_editor, "RESET (fillfactor)")


def _set(apps: Any, schema_editor: Any, change: str) -> None:
    if schema_editor.connection.vendor == "postgresql":
        table = schema_editor.quote_name(apps.get_model("phones_app", "Deployment")._meta.db_table)
        schema_editor.execute(f"ALTER TABLE {table} {change}")


class Migration(migrations.Migration):
    dependencies = [("phones_app", "0043_planned_by_workers")]

    operations = [migrations.RunPython(leave_room, leave_none, elidable=True)]
