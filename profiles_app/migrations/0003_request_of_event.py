"""Which request an event came of."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("profiles_app", "0002_plain_words")]
    operations = [
        migrations.AddField(
            model_name='event',
            name='request_id',
            field=models.CharField(blank=True, db_default='', default='', editable=False, help_text='Of the request it came of.', max_length=64),
        ),
    ]
