"""People have a second factor."""

import contacts_app.core.secrets
import django.core.serializers.json
import django.db.models.deletion
import simple_history.models
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('contacts_app', '0004_single_sign_on'),
    ]

    operations = [
        migrations.CreateModel(
            name='SecondFactor',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('throttling_failure_timestamp', models.DateTimeField(blank=True, default=None, help_text='A timestamp of the last failed verification attempt. Null if last attempt succeeded.', null=True)),
                ('throttling_failure_count', models.PositiveIntegerField(default=0, help_text='Number of successive failed attempts.')),
                ('created_at', models.DateTimeField(auto_now_add=True, help_text='The date and time when this device was initially created in the system.', null=True)),
                ('last_used_at', models.DateTimeField(blank=True, help_text='The most recent date and time this device was used.', null=True)),
                ('key', contacts_app.core.secrets.EncryptedTextField(help_text='In base 32, as apps take it.')),
                ('recovery_digests', models.JSONField(default=list)),
                ('last_step', models.BigIntegerField(default=0, help_text='The time step of the last code: none is good twice.')),
                ('user', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='second_factor', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'second factor',
            },
        ),
        migrations.CreateModel(
            name='HistoricalSecondFactor',
            fields=[
                ('id', models.BigIntegerField(auto_created=True, blank=True, verbose_name='ID')),
                ('history_name', models.CharField(help_text='What the record was called.', max_length=255)),
                ('history_actor', models.CharField(max_length=255)),
                ('history_channel', models.CharField(max_length=16)),
                ('history_request_id', models.CharField(blank=True, max_length=64)),
                ('history_changes', models.JSONField(default=dict, encoder=django.core.serializers.json.DjangoJSONEncoder, help_text='Field: before and after; secrets masked.')),
                ('history_change_reason', models.CharField(blank=True, max_length=255)),
                ('history_id', models.BigAutoField(editable=False, primary_key=True, serialize=False)),
                ('history_date', models.DateTimeField()),
                ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
                ('history_user', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('user', models.ForeignKey(blank=True, db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'historical second factor',
                'verbose_name_plural': 'historical second factors',
                'ordering': ['-history_id'],
                'get_latest_by': ('history_date', 'history_id'),
                'indexes': [models.Index(fields=['id', '-history_id'], name='secondfactor_history'), models.Index(condition=models.Q(('history_type', '-')), fields=['-history_id'], name='secondfactor_deleted'), models.Index(fields=['user', '-history_id'], name='secondfactor_parts')],
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
    ]
