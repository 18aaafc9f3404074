"""Which file each phone has, beside what it should run; and the row of each phone that has a profile already."""

from django.db import migrations, models

BATCH = 1000


def fill(apps, schema_editor):
    """Done again it adds what is not there. All profiles of the release before are files, so nothing is due."""
    phones = apps.get_model("phones_app", "Phone").objects.filter(current_profile__isnull=False)
    configurations = apps.get_model("phones_app", "PhoneConfiguration").objects
    columns = ("pk", "current_profile__revision__sha256", "file__sha256", "current_profile__revision__created_at")
    last = 0
    while batch := list(phones.filter(pk__gt=last).order_by("pk").values_list(*columns)[:BATCH]):
        last = batch[-1][0]
        rows = [
            configurations.model(phone_id=key, sha256=wanted or "", file_sha256=has or "", rendered_at=since)
            for key, wanted, has, since in batch
        ]
        configurations.bulk_create(rows, ignore_conflicts=True)


class Migration(migrations.Migration):
    dependencies = [
        ("phones_app", "0026_own_profile"),
        ("profiles_app", "0014_made_from_data"),
    ]

    operations = [
        migrations.AddField(
            model_name="phoneconfiguration",
            name="file_sha256",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="Of the file that was uploaded for it.",
                max_length=64,
            ),
        ),
        migrations.AddField(
            model_name="phoneconfiguration",
            name="registration_user",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="What the first line of that file registers as.",
                max_length=255,
            ),
        ),
        migrations.AlterField(
            model_name="phoneconfiguration",
            name="error",
            field=models.TextField(blank=True, db_default="", default="", help_text="Why no file can be made."),
        ),
        migrations.AlterField(
            model_name="phoneconfiguration",
            name="sha256",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="Of its file, made from today's data.",
                max_length=64,
            ),
        ),
        migrations.AddIndex(
            model_name="phoneconfiguration",
            index=models.Index(
                condition=models.Q(
                    models.Q(("sha256", ""), _negated=True),
                    models.Q(("sha256", models.F("file_sha256")), _negated=True),
                ),
                fields=["phone"],
                name="configuration_outdated",
            ),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop, elidable=True),
    ]
