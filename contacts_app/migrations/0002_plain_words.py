"""Models under the names of the glossary (docs/glossary.md)."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("contacts_app", "0001_initial")]
    operations = [
        migrations.RenameModel("UploadedSheet", "UploadedCsv"),
        migrations.RenameModel("Trouble", "Incident"),
        migrations.AlterField(
            model_name='incident',
            name='account',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='incidents', to='contacts_app.account'),
        ),
        migrations.AlterField(
            model_name='notice',
            name='over',
            field=models.BooleanField(default=False, help_text='It tells that an incident is over.'),
        ),
    ]
