"""Which firmware the file of a phone names, and the one that it should run. The latter is worked out anew where it is made."""

from django.db import migrations, models
from django.db.models import OuterRef, Q, Subquery, Value
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Coalesce, Left, Now


def take_down(apps, schema_editor):
    rows = apps.get_model("phones_app", "PhoneConfiguration").objects
    files = apps.get_model("phones_app", "PhoneFile").objects.filter(phone=OuterRef("phone"))
    phones = apps.get_model("phones_app", "Phone").objects.filter(pk=OuterRef("phone"))

    def load(of, path):
        return Coalesce(Subquery(of.annotate(said=Left(KeyTextTransform("load", path), 128)).values("said")[:1]), Value(""))

    rows.update(
        file_load=load(files, "revision__facts"), load=load(phones, "current_profile__revision__facts")
    )
    from_data = phones.model.objects.filter(~Q(current_profile__source="file"), current_profile__isnull=False)
    rows.filter(phone__in=from_data.values("pk"), due_at=None).update(due_at=Now())


class Migration(migrations.Migration):
    dependencies = [("phones_app", "0038_firmware_rechecks")]
    operations = [
        migrations.AddField(
            model_name="phoneconfiguration",
            name="load",
            field=models.CharField(blank=True, db_default="", default="", max_length=128),
        ),
        migrations.AddField(
            model_name="phoneconfiguration",
            name="file_load",
            field=models.CharField(blank=True, db_default="", default="", max_length=128),
        ),
        migrations.RunPython(take_down, migrations.RunPython.noop),
    ]
