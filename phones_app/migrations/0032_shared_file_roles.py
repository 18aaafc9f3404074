"""What the ready-made roles may do with shared files and firmware. Roles that were deleted or renamed get nothing."""

from django.apps import apps as installed
from django.contrib.auth.management import create_permissions
from django.db import migrations

# Of an account's people each has its own files; those of all accounts are for the portal's staff alone.
CHANGE = ("view", "add", "change", "delete")
RIGHTS = {
    "Administrator": {"sharedfile": CHANGE, "firmware": CHANGE, "filecopy": ("view",)},
    "Operator": {"sharedfile": CHANGE, "firmware": CHANGE, "filecopy": ("view",)},
    "Tenant administrator": {"sharedfile": CHANGE, "firmware": CHANGE, "filecopy": ("view",)},
    "Help desk": {"sharedfile": ("view",), "firmware": ("view",), "filecopy": ("view",)},
    "Auditor": {"sharedfile": ("view",), "firmware": ("view",), "filecopy": ("view",)},
}


def give(apps, schema_editor):
    # Django makes permissions when all migrations are done.
    create_permissions(installed.get_app_config("phones_app"), apps=apps, verbosity=0)
    Group, Permission = apps.get_model("auth", "Group"), apps.get_model("auth", "Permission")
    for role, rights in RIGHTS.items():
        group = Group.objects.filter(name=role).first()
        if group is None:
            continue
        names = [f"{action}_{model}" for model, actions in rights.items() for action in actions]
        group.permissions.add(
            *Permission.objects.filter(content_type__app_label="phones_app", codename__in=names)
        )


class Migration(migrations.Migration):
    dependencies = [("phones_app", "0031_shared_files")]
    operations = [migrations.RunPython(give, migrations.RunPython.noop)]
