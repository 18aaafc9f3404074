"""What the ready-made roles may do with messages. Roles that were deleted or renamed get nothing."""

from django.apps import apps as installed
from django.contrib.auth.management import create_permissions
from django.db import migrations

VIEW, EVERY = ("view",), ("view", "add", "change", "delete")
# To change a message is to cancel it; to delete an opt-out is to allow messages again.
SEND, LIFT = ("view", "add", "change"), ("view", "delete")
MANAGES = {"message": SEND, "messageattempt": VIEW, "messagegateway": EVERY, "optout": LIFT}
LOOKS = dict.fromkeys(MANAGES, VIEW)
ROLES = {
    "Administrator": MANAGES,
    "Operator": MANAGES,
    "Help desk": LOOKS,
    "Auditor": LOOKS,
    "Tenant administrator": MANAGES,
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
    dependencies = [("phones_app", "0021_admission_roles"), ("profiles_app", "0013_outbound_messages")]
    operations = [migrations.RunPython(give, migrations.RunPython.noop)]
