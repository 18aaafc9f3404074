"""The profile of a phone is one that people assign, too; what was uploaded last stands in its file."""

import django.db.models.deletion
from django.db import migrations, models

HELP = "Of this phone: what its next deployment uploads. Choosing another one uploads nothing by itself."


class Migration(migrations.Migration):
    dependencies = [("phones_app", "0025_configuration_roles")]
    operations = [
        migrations.AlterField(
            model_name="historicalphone",
            name="current_profile",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                db_index=False,
                help_text=HELP,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="profiles_app.phoneprofile",
                verbose_name="profile",
            ),
        ),
        migrations.AlterField(
            model_name="phone",
            name="current_profile",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                help_text=HELP,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="phones",
                to="profiles_app.phoneprofile",
                verbose_name="profile",
            ),
        ),
    ]
