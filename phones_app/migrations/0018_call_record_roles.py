"""What the ready-made roles may do with call records. Roles that were deleted or renamed get nothing."""

from django.apps import apps as installed
from django.contrib.auth.management import create_permissions
from django.db import migrations

VIEW, RECORD = ("view",), ("view", "add")
ROLES = {
    "Administrator": RECORD,
    "Operator": RECORD,
    "Help desk": VIEW,
    "Auditor": VIEW,
    "Tenant administrator": RECORD,
}


def give(apps, schema_editor):
    # Django makes permissions when all migrations are done.
    create_permissions(installed.get_app_config("profiles_app"), apps=apps, verbosity=0)
    Group, Permission = apps.get_model("auth", "Group"), apps.get_model("auth", "Permission")
    for group in Group.objects.filter(name__in=ROLES):
        names = [f"{verb}_callrecord" for verb in ROLES[group.name]]
        found = Permission.objects.filter(content_type__app_label="profiles_app", codename__in=names)
        group.permissions.add(*found)


class Migration(migrations.Migration):
    dependencies = [("phones_app", "0017_one_index_for_each_order"), ("profiles_app", "0005_call_records")]
    operations = [migrations.RunPython(give, migrations.RunPython.noop)]
