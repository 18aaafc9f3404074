"""What the ready-made roles may do with personal directories. Roles that were deleted or renamed get nothing."""

from django.apps import apps as installed
from django.contrib.auth.management import create_permissions
from django.db import migrations

EVERY = ("view", "add", "change", "delete")
ROLES = {
    "Administrator": EVERY,
    "Operator": EVERY,
    "Help desk": EVERY,
    "Auditor": ("view",),
    "Tenant administrator": EVERY,
}


def give(apps, schema_editor):
    # Django makes permissions when all migrations are done.
    create_permissions(installed.get_app_config("phones_app"), apps=apps, verbosity=0)
    Group, Permission = apps.get_model("auth", "Group"), apps.get_model("auth", "Permission")
    for group in Group.objects.filter(name__in=ROLES):
        names = [f"{verb}_directoryentry" for verb in ROLES[group.name]]
        group.permissions.add(
            *Permission.objects.filter(content_type__app_label="phones_app", codename__in=names)
        )


class Migration(migrations.Migration):
    dependencies = [("phones_app", "0013_directory_entries")]
    operations = [migrations.RunPython(give, migrations.RunPython.noop)]
