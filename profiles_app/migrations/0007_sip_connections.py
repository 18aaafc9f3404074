"""SIP connections and control apps, and the numbers that are assigned to them."""

import contacts_app.core.lists.search
import django.core.serializers.json
import django.core.validators
import django.db.models.deletion
import simple_history.models
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('contacts_app', '0007_what_lasts'),
        ('profiles_app', '0006_number_descriptions'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='SipConnection',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uuid', models.UUIDField(default=uuid.uuid4, editable=False, unique=True, verbose_name='UUID')),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('name', models.CharField(max_length=255)),
                ('is_active', models.BooleanField(default=True, help_text='An inactive one takes no calls.', verbose_name='active')),
                ('subdomain', models.CharField(blank=True, help_text="Its label below the provider's SIP domain; empty: none.", max_length=63, validators=[django.core.validators.RegexValidator('\\A[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\\Z', 'Lower-case letters, digits and dashes, 1 to 63, no dash at either end.')])),
                ('ip', models.GenericIPAddressField(blank=True, help_text='Empty: it registers itself.', null=True, verbose_name='IP address')),
                ('port', models.PositiveIntegerField(default=5060, help_text='SIP port at that address.', validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(65535)])),
                ('account', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='%(class)ss', to='contacts_app.account')),
                ('created_by', models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('modified_by', models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('outbound_voice_profile', models.ForeignKey(blank=True, help_text='Limits of its outbound calls.', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='%(class)ss', to='profiles_app.outboundvoiceprofile')),
            ],
            options={
                'verbose_name': 'SIP connection',
                'ordering': ['created_at', 'pk'],
            },
        ),
        migrations.CreateModel(
            name='SipControlApp',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uuid', models.UUIDField(default=uuid.uuid4, editable=False, unique=True, verbose_name='UUID')),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('name', models.CharField(max_length=255)),
                ('is_active', models.BooleanField(default=True, help_text='An inactive one takes no calls.', verbose_name='active')),
                ('subdomain', models.CharField(blank=True, help_text="Its label below the provider's SIP domain; empty: none.", max_length=63, validators=[django.core.validators.RegexValidator('\\A[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\\Z', 'Lower-case letters, digits and dashes, 1 to 63, no dash at either end.')])),
                ('account', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='%(class)ss', to='contacts_app.account')),
                ('created_by', models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('modified_by', models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('outbound_voice_profile', models.ForeignKey(blank=True, help_text='Limits of its outbound calls.', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='%(class)ss', to='profiles_app.outboundvoiceprofile')),
            ],
            options={
                'verbose_name': 'SIP control app',
                'ordering': ['created_at', 'pk'],
            },
        ),
        migrations.CreateModel(
            name='NumberRouting',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('lease', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='routing', to='profiles_app.numberlease')),
                ('sip_connection', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='routings', to='profiles_app.sipconnection', verbose_name='SIP connection')),
                ('sip_control_app', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='routings', to='profiles_app.sipcontrolapp', verbose_name='SIP control app')),
            ],
            options={
                'ordering': ['pk'],
            },
        ),
        migrations.CreateModel(
            name='HistoricalNumberRouting',
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
                ('lease', models.ForeignKey(blank=True, db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='profiles_app.numberlease')),
                ('sip_connection', models.ForeignKey(blank=True, db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='profiles_app.sipconnection', verbose_name='SIP connection')),
                ('sip_control_app', models.ForeignKey(blank=True, db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='profiles_app.sipcontrolapp', verbose_name='SIP control app')),
            ],
            options={
                'verbose_name': 'historical number routing',
                'verbose_name_plural': 'historical number routings',
                'ordering': ['-history_id'],
                'get_latest_by': ('history_date', 'history_id'),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name='HistoricalSipConnection',
            fields=[
                ('id', models.BigIntegerField(auto_created=True, blank=True, verbose_name='ID')),
                ('history_name', models.CharField(help_text='What the record was called.', max_length=255)),
                ('history_actor', models.CharField(max_length=255)),
                ('history_channel', models.CharField(max_length=16)),
                ('history_request_id', models.CharField(blank=True, max_length=64)),
                ('history_changes', models.JSONField(default=dict, encoder=django.core.serializers.json.DjangoJSONEncoder, help_text='Field: before and after; secrets masked.')),
                ('uuid', models.UUIDField(default=uuid.uuid4, editable=False, verbose_name='UUID')),
                ('name', models.CharField(max_length=255)),
                ('is_active', models.BooleanField(default=True, help_text='An inactive one takes no calls.', verbose_name='active')),
                ('subdomain', models.CharField(blank=True, help_text="Its label below the provider's SIP domain; empty: none.", max_length=63, validators=[django.core.validators.RegexValidator('\\A[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\\Z', 'Lower-case letters, digits and dashes, 1 to 63, no dash at either end.')])),
                ('ip', models.GenericIPAddressField(blank=True, help_text='Empty: it registers itself.', null=True, verbose_name='IP address')),
                ('port', models.PositiveIntegerField(default=5060, help_text='SIP port at that address.', validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(65535)])),
                ('history_change_reason', models.CharField(blank=True, max_length=255)),
                ('history_id', models.BigAutoField(editable=False, primary_key=True, serialize=False)),
                ('history_date', models.DateTimeField()),
                ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
                ('account', models.ForeignKey(blank=True, db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='contacts_app.account')),
                ('created_by', models.ForeignKey(blank=True, db_constraint=False, db_index=False, editable=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('history_user', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('modified_by', models.ForeignKey(blank=True, db_constraint=False, db_index=False, editable=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('outbound_voice_profile', models.ForeignKey(blank=True, db_constraint=False, db_index=False, help_text='Limits of its outbound calls.', null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='profiles_app.outboundvoiceprofile')),
            ],
            options={
                'verbose_name': 'historical SIP connection',
                'verbose_name_plural': 'historical SIP connections',
                'ordering': ['-history_id'],
                'get_latest_by': ('history_date', 'history_id'),
                'indexes': [models.Index(fields=['id', '-history_id'], name='sipconnection_history'), models.Index(condition=models.Q(('history_type', '-')), fields=['-history_id'], name='sipconnection_deleted')],
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name='HistoricalSipControlApp',
            fields=[
                ('id', models.BigIntegerField(auto_created=True, blank=True, verbose_name='ID')),
                ('history_name', models.CharField(help_text='What the record was called.', max_length=255)),
                ('history_actor', models.CharField(max_length=255)),
                ('history_channel', models.CharField(max_length=16)),
                ('history_request_id', models.CharField(blank=True, max_length=64)),
                ('history_changes', models.JSONField(default=dict, encoder=django.core.serializers.json.DjangoJSONEncoder, help_text='Field: before and after; secrets masked.')),
                ('uuid', models.UUIDField(default=uuid.uuid4, editable=False, verbose_name='UUID')),
                ('name', models.CharField(max_length=255)),
                ('is_active', models.BooleanField(default=True, help_text='An inactive one takes no calls.', verbose_name='active')),
                ('subdomain', models.CharField(blank=True, help_text="Its label below the provider's SIP domain; empty: none.", max_length=63, validators=[django.core.validators.RegexValidator('\\A[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\\Z', 'Lower-case letters, digits and dashes, 1 to 63, no dash at either end.')])),
                ('history_change_reason', models.CharField(blank=True, max_length=255)),
                ('history_id', models.BigAutoField(editable=False, primary_key=True, serialize=False)),
                ('history_date', models.DateTimeField()),
                ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
                ('account', models.ForeignKey(blank=True, db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='contacts_app.account')),
                ('created_by', models.ForeignKey(blank=True, db_constraint=False, db_index=False, editable=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('history_user', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('modified_by', models.ForeignKey(blank=True, db_constraint=False, db_index=False, editable=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('outbound_voice_profile', models.ForeignKey(blank=True, db_constraint=False, db_index=False, help_text='Limits of its outbound calls.', null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='profiles_app.outboundvoiceprofile')),
            ],
            options={
                'verbose_name': 'historical SIP control app',
                'verbose_name_plural': 'historical SIP control apps',
                'ordering': ['-history_id'],
                'get_latest_by': ('history_date', 'history_id'),
                'indexes': [models.Index(fields=['id', '-history_id'], name='sipcontrolapp_history'), models.Index(condition=models.Q(('history_type', '-')), fields=['-history_id'], name='sipcontrolapp_deleted')],
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.AddIndex(
            model_name='sipconnection',
            index=models.Index(fields=['account', 'created_at', 'id'], name='sip_connection_of_account'),
        ),
        migrations.AddIndex(
            model_name='sipconnection',
            index=models.Index(fields=['created_at', 'id'], name='sip_connection_by_age'),
        ),
        migrations.AddIndex(
            model_name='sipconnection',
            index=models.Index(fields=['is_active', 'created_at', 'id'], name='sip_connection_by_activity'),
        ),
        migrations.AddIndex(
            model_name='sipconnection',
            index=models.Index(fields=['name', 'id'], name='sip_connection_by_name'),
        ),
        migrations.AddIndex(
            model_name='sipconnection',
            index=contacts_app.core.lists.search.TextIndex(fields=['name'], name='sip_connection_text'),
        ),
        migrations.AddConstraint(
            model_name='sipconnection',
            constraint=models.UniqueConstraint(condition=models.Q(('subdomain', ''), _negated=True), fields=('subdomain',), name='sip_connection_subdomain_once', violation_error_message='This subdomain is taken.'),
        ),
        migrations.AddIndex(
            model_name='sipcontrolapp',
            index=models.Index(fields=['account', 'created_at', 'id'], name='sip_app_of_account'),
        ),
        migrations.AddIndex(
            model_name='sipcontrolapp',
            index=models.Index(fields=['created_at', 'id'], name='sip_app_by_age'),
        ),
        migrations.AddIndex(
            model_name='sipcontrolapp',
            index=models.Index(fields=['is_active', 'created_at', 'id'], name='sip_app_by_activity'),
        ),
        migrations.AddIndex(
            model_name='sipcontrolapp',
            index=models.Index(fields=['name', 'id'], name='sip_app_by_name'),
        ),
        migrations.AddIndex(
            model_name='sipcontrolapp',
            index=contacts_app.core.lists.search.TextIndex(fields=['name'], name='sip_app_text'),
        ),
        migrations.AddConstraint(
            model_name='sipcontrolapp',
            constraint=models.UniqueConstraint(condition=models.Q(('subdomain', ''), _negated=True), fields=('subdomain',), name='sip_app_subdomain_once', violation_error_message='This subdomain is taken.'),
        ),
        migrations.AddIndex(
            model_name='historicalnumberrouting',
            index=models.Index(fields=['id', '-history_id'], name='numberrouting_history'),
        ),
        migrations.AddIndex(
            model_name='historicalnumberrouting',
            index=models.Index(condition=models.Q(('history_type', '-')), fields=['-history_id'], name='numberrouting_deleted'),
        ),
        migrations.AddIndex(
            model_name='historicalnumberrouting',
            index=models.Index(fields=['lease', '-history_id'], name='numberrouting_parts'),
        ),
    ]
