"""When a file is read back because a worker that was stopped may have put an older one in its place."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("phones_app", "0006_request_of_deployment")]
    operations = [
        migrations.AddField(
            model_name="phonefile",
            name="reread_at",
            field=models.DateTimeField(
                editable=False,
                help_text="Read back then: a worker that was stopped may have put an older file there.",
                null=True,
            ),
        ),
        migrations.AddIndex(
            model_name="phonefile",
            index=models.Index(
                condition=models.Q(("reread_at__isnull", False)), fields=["reread_at"], name="file_reread_due"
            ),
        ),
    ]
