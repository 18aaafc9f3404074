"""What the file that a phone should run says of files beside it."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("phones_app", "0036_requested_file_told")]

    operations = [
        migrations.AddField(
            model_name="phoneconfiguration",
            name="beside",
            field=models.JSONField(
                help_text="What its file says of files beside it; null: that is not known.", null=True
            ),
        ),
    ]
