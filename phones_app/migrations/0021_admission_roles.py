"""What the ready-made roles may do with rate tables and admissions of calls. Deleted or renamed roles get nothing.

Rate tables are the operator's own, so that customers do not see them.
"""

from django.apps import apps as installed
from django.contrib.auth.management import create_permissions
from django.db import migrations

VIEW, EVERY = ("view",), ("view", "add", "change", "delete")
# To add an admission is to ask for one, to change it to renew or to close it.
CALL = ("view", "add", "change")
ROLES = {
    "Administrator": {"ratetable": EVERY, "rate": EVERY, "admission": CALL},
    "Operator": {"ratetable": EVERY, "rate": EVERY, "admission": CALL},
    "Help desk": {"ratetable": VIEW, "rate": VIEW, "admission": VIEW},
    "Auditor": {"ratetable": VIEW, "rate": VIEW, "admission": VIEW},
    "Tenant administrator": {"admission": CALL},
}
MODELS = ("ratetable", "rate", "admission", "voiceusage")


def give(apps, schema_editor):
    # Django makes permissions when all migrations are done.
    create_permissions(installed.get_app_config("profiles_app"), apps=apps, verbosity=0)
    Group, Permission = apps.get_model("auth", "Group"), apps.get_model("auth", "Permission")
    ours = Permission.objects.filter(content_type__app_label="profiles_app", content_type__model__in=MODELS)
    for group in Group.objects.filter(name__in=ROLES):
        names = [f"{verb}_{model}" for model, verbs in ROLES[group.name].items() for verb in verbs]
        # In a new installation the roles may have been made when the tables were there already.
        group.permissions.remove(*ours)
        group.permissions.add(*ours.filter(codename__in=names))


class Migration(migrations.Migration):
    dependencies = [
        ("phones_app", "0020_number_roles"),
        ("profiles_app", "0009_admission_of_calls"),
    ]
    operations = [migrations.RunPython(give, migrations.RunPython.noop)]
