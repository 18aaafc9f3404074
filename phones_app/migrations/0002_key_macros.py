"""A new installation knows the key macros that were found in the field; from then on they are the administrators'."""

import tomllib
from pathlib import Path

from django.db import migrations

FIELD_REPORTS = Path(__file__).parents[1] / "transports" / "restart" / "key_macros.toml"


def add_key_macros(apps, _schema_editor):
    key_macros = apps.get_model("phones_app", "KeyMacro").objects
    if key_macros.exists():
        return  # an installation from the time when they were added after each migration
    found = tomllib.loads(FIELD_REPORTS.read_text(encoding="utf-8"))["macro"]
    for number, macro in enumerate(found, start=1):
        models = ", ".join(macro["models"])
        key_macros.create(name=macro["name"], phone_models=models, steps=macro["steps"].strip(), priority=number * 10)


class Migration(migrations.Migration):
    dependencies = [("phones_app", "0001_initial")]
    operations = [migrations.RunPython(add_key_macros, migrations.RunPython.noop)]
