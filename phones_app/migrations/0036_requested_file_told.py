"""When it was told that a phone asks in vain for a file that its own names."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("phones_app", "0035_formats_of_files")]

    operations = [
        migrations.AddField(
            model_name="requestedfile",
            name="told_at",
            field=models.DateTimeField(
                editable=False,
                help_text="When it was told that the phone's own file names this and there is none.",
                null=True,
            ),
        ),
    ]
