"""When the files of a load are looked for again, as they may have been changed or lost since it was added."""

import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("phones_app", "0037_files_beside_made_files")]
    operations = [
        migrations.AddField(
            model_name="firmware",
            name="due_at",
            field=models.DateTimeField(
                default=django.utils.timezone.now, help_text="When its files are looked for again."
            ),
        ),
        migrations.AddIndex(
            model_name="firmware", index=models.Index(fields=["due_at"], name="firmware_due")
        ),
    ]
