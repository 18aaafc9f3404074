"""The permissions of the cockpit, for the roles of the portal's staff alone: the others may be given to tenants, who have
none of these by default.
"""

from django.apps import apps as installed
from django.contrib.auth.management import create_permissions
from django.db import migrations

CODENAMES = ("see_phone_screen", "press_phone_keys", "read_phone_pages", "read_phone_log")
ROLES = ("Administrator", "Operator")


def give_to_roles(apps, schema_editor):
    # Django makes permissions when all migrations are done.
    create_permissions(installed.get_app_config("phones_app"), apps=apps, verbosity=0)
    Group, Permission = apps.get_model("auth", "Group"), apps.get_model("auth", "Permission")
    permissions = Permission.objects.filter(content_type__app_label="phones_app", codename__in=CODENAMES)
    for group in Group.objects.filter(name__in=ROLES):
        group.permissions.add(*permissions)


class Migration(migrations.Migration):
    dependencies = [("phones_app", "0011_mobility_roles")]
    operations = [
        migrations.AlterModelOptions(
            name="phone",
            options={
                "ordering": ["mac"],
                "permissions": [
                    ("see_phone_screen", "Can see the screens of phones"),
                    ("press_phone_keys", "Can press the keys of phones"),
                    ("read_phone_pages", "Can read the status pages of phones"),
                    ("read_phone_log", "Can read the logs of phones"),
                ],
            },
        ),
        migrations.RunPython(give_to_roles, migrations.RunPython.noop),
    ]
