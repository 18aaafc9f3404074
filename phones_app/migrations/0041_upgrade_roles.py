"""What the ready-made roles may do with upgrades: see them. They come and go with rollouts. Roles that were deleted or
renamed get nothing."""

from django.apps import apps as installed
from django.contrib.auth.management import create_permissions
from django.db import migrations

ROLES = ["Administrator", "Operator", "Help desk", "Auditor", "Tenant administrator"]


def give(apps, schema_editor):
    # Django makes permissions when all migrations are done.
    create_permissions(installed.get_app_config("phones_app"), apps=apps, verbosity=0)
    Group, Permission = apps.get_model("auth", "Group"), apps.get_model("auth", "Permission")
    view = Permission.objects.get(content_type__app_label="phones_app", codename="view_upgrade")
    for group in Group.objects.filter(name__in=ROLES):
        group.permissions.add(view)


class Migration(migrations.Migration):
    dependencies = [("phones_app", "0040_upgrades")]
    operations = [migrations.RunPython(give, migrations.RunPython.noop)]
