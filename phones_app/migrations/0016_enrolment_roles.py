"""What the ready-made roles may do with activation codes and enrolments. Roles that were deleted or renamed get nothing."""

from django.apps import apps as installed
from django.contrib.auth.management import create_permissions
from django.db import migrations

VIEW, CODES = ("view",), ("view", "add", "delete")
# To change a request is to approve or to refuse it.
DECIDE = ("view", "change")
ROLES = {
    "Administrator": {"enrolmentcode": CODES, "enrolmentrequest": DECIDE},
    "Operator": {"enrolmentcode": CODES, "enrolmentrequest": DECIDE},
    "Help desk": {"enrolmentcode": VIEW, "enrolmentrequest": DECIDE},
    "Auditor": {"enrolmentcode": VIEW, "enrolmentrequest": VIEW},
    "Tenant administrator": {"enrolmentcode": CODES, "enrolmentrequest": DECIDE},
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
    dependencies = [("phones_app", "0015_enrolment")]
    operations = [migrations.RunPython(give, migrations.RunPython.noop)]
