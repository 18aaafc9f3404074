"""Which request asked for a deployment."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("phones_app", "0005_plain_words")]
    operations = [
        migrations.AddField(
            model_name='deployment',
            name='request_id',
            field=models.CharField(blank=True, db_default='', default='', editable=False, help_text='Of the request that asked for it.', max_length=64),
        ),
    ]
