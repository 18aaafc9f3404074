"""Answers that are kept for those who ask again with the same Idempotency-Key."""

import contacts_app.core.secrets
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("contacts_app", "0002_plain_words")]
    operations = [
        migrations.CreateModel(
            name='KeptAnswer',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('credential', models.CharField(help_text='Whose key it is: a token or a person.', max_length=64)),
                ('key', models.CharField(help_text='Digest of the key.', max_length=64)),
                ('request', models.CharField(help_text='Digest of what was asked for.', max_length=64)),
                ('status', models.PositiveSmallIntegerField(help_text='Empty: there is no answer yet, or there never was.', null=True)),
                ('headers', models.JSONField(default=dict)),
                ('body', contacts_app.core.secrets.EncryptedBinaryField(null=True)),
                ('created_at', models.DateTimeField(db_index=True)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('credential', 'key'), name='one_answer_per_key')],
            },
        ),
    ]
