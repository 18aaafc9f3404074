"""What the ready-made roles may do with SIP connections, control apps, the stock of numbers and orders.

Roles that were deleted or renamed get nothing.
"""

from django.apps import apps as installed
from django.contrib.auth.management import create_permissions
from django.db import migrations

EVERY, VIEW = ("view", "add", "change", "delete"), ("view",)
OF_ACCOUNTS = ("sipconnection", "sipcontrolapp", "numberorder")
MODELS = (*OF_ACCOUNTS, "stocknumber")
ROLES = {
    "Administrator": dict.fromkeys(MODELS, EVERY),
    "Operator": dict.fromkeys(MODELS, EVERY),
    "Auditor": dict.fromkeys(MODELS, VIEW),
    "Tenant administrator": dict.fromkeys(OF_ACCOUNTS, EVERY),
}


def give(apps, schema_editor):
    # Django makes permissions when all migrations are done.
    create_permissions(installed.get_app_config("profiles_app"), apps=apps, verbosity=0)
    Group, Permission = apps.get_model("auth", "Group"), apps.get_model("auth", "Permission")
    for group in Group.objects.filter(name__in=ROLES):
        names = [f"{verb}_{model}" for model, verbs in ROLES[group.name].items() for verb in verbs]
        found = Permission.objects.filter(content_type__app_label="profiles_app", codename__in=names)
        group.permissions.add(*found)


class Migration(migrations.Migration):
    dependencies = [("phones_app", "0019_log_outs_without_use"), ("profiles_app", "0008_number_stock")]
    operations = [migrations.RunPython(give, migrations.RunPython.noop)]
