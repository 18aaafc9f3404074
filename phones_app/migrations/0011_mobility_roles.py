"""What the ready-made roles may do with log-ins on phones. Roles that were deleted or renamed get nothing."""

from django.apps import apps as installed
from django.contrib.auth.management import create_permissions
from django.db import migrations

VIEW, EVERY = ("view",), ("view", "add", "change", "delete")
# To add a session is to log somebody in, to change it is to log them out.
WORK = ("view", "add", "change")
ROLES = {
    "Administrator": {"mobilitysession": WORK, "mobilitypolicy": EVERY, "personmobility": EVERY},
    "Operator": {"mobilitysession": WORK, "mobilitypolicy": VIEW, "personmobility": EVERY},
    "Help desk": {"mobilitysession": WORK, "mobilitypolicy": VIEW, "personmobility": VIEW},
    "Auditor": {"mobilitysession": VIEW, "mobilitypolicy": VIEW, "personmobility": VIEW},
    "Tenant administrator": {"mobilitysession": WORK, "mobilitypolicy": EVERY, "personmobility": EVERY},
}


def give(apps, schema_editor):
    # Django makes permissions when all migrations are done.
    create_permissions(installed.get_app_config("phones_app"), apps=apps, verbosity=0)
    Group, Permission = apps.get_model("auth", "Group"), apps.get_model("auth", "Permission")
    for group in Group.objects.filter(name__in=ROLES):
        names = [f"{verb}_{model}" for model, verbs in ROLES[group.name].items() for verb in verbs]
        found = Permission.objects.filter(content_type__app_label="phones_app", codename__in=names)
        group.permissions.add(*found)


class Migration(migrations.Migration):
    dependencies = [("phones_app", "0010_mobility")]
    operations = [migrations.RunPython(give, migrations.RunPython.noop)]
