"""What the ready-made roles may do with what files are made from. Roles that were deleted or renamed get nothing."""

from django.apps import apps as installed
from django.contrib.auth.management import create_permissions
from django.db import migrations

VIEW, EVERY = ("view",), ("view", "add", "change", "delete")
MODELS = {
    "profiles_app": ("phonetemplate", "line", "keylayout"),
    "phones_app": ("layer", "layerline"),
}
ROLES = {
    "Administrator": EVERY,
    "Operator": EVERY,
    "Help desk": VIEW,
    "Auditor": VIEW,
    "Tenant administrator": EVERY,
}


def give(apps, schema_editor):
    # Django makes permissions when all migrations are done.
    for label in MODELS:
        create_permissions(installed.get_app_config(label), apps=apps, verbosity=0)
    Group, Permission = apps.get_model("auth", "Group"), apps.get_model("auth", "Permission")
    for group in Group.objects.filter(name__in=ROLES):
        for label, models in MODELS.items():
            names = [f"{verb}_{model}" for model in models for verb in ROLES[group.name]]
            group.permissions.add(*Permission.objects.filter(content_type__app_label=label, codename__in=names))


class Migration(migrations.Migration):
    dependencies = [("phones_app", "0024_configuration"), ("profiles_app", "0014_made_from_data")]
    operations = [migrations.RunPython(give, migrations.RunPython.noop)]
