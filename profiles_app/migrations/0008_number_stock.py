"""The stock of numbers, and orders of numbers."""

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
        ('profiles_app', '0007_sip_connections'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='NumberOrder',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uuid', models.UUIDField(default=uuid.uuid4, editable=False, unique=True, verbose_name='UUID')),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('state', models.CharField(choices=[('created', 'Ordered'), ('verify', 'Being checked'), ('processing', 'In progress'), ('success', 'Fulfilled'), ('failed', 'Refused')], default='created', editable=False, max_length=16)),
                ('quantity', models.PositiveSmallIntegerField(default=1, help_text='How many numbers, 1 to 100.', validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(100)])),
                ('kind', models.CharField(blank=True, choices=[('long_code', 'Long code'), ('tollfree', 'Toll-free')], help_text='Empty: either kind.', max_length=16)),
                ('prefix', models.CharField(blank=True, help_text='Digits that the numbers begin with, such as 1202.', max_length=15, validators=[django.core.validators.RegexValidator('\\A[0-9]{0,15}\\Z', 'Digits only.')])),
                ('wanted', models.JSONField(blank=True, default=list, editable=False, help_text='Numbers that are asked for by name; empty: any that fit.')),
                ('note', models.CharField(blank=True, help_text='What the operator should know.', max_length=255)),
                ('autorenew', models.BooleanField(default=True, verbose_name='renewed automatically')),
                ('answer', models.CharField(blank=True, editable=False, help_text='What the operator says to it.', max_length=255)),
                ('decided_at', models.DateTimeField(editable=False, null=True)),
                ('account', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='%(class)ss', to='contacts_app.account')),
                ('created_by', models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('decided_by', models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('messaging_profile', models.ForeignKey(blank=True, help_text="For the numbers that come; empty: the account's default one.", null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='number_orders', to='profiles_app.messagingprofile')),
                ('modified_by', models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('sip_connection', models.ForeignKey(blank=True, help_text='Where calls to the numbers go.', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='number_orders', to='profiles_app.sipconnection', verbose_name='SIP connection')),
                ('sip_control_app', models.ForeignKey(blank=True, help_text='The app that decides about calls to the numbers.', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='number_orders', to='profiles_app.sipcontrolapp', verbose_name='SIP control app')),
            ],
            options={
                'ordering': ['-created_at', '-pk'],
            },
        ),
        migrations.CreateModel(
            name='HistoricalStockNumber',
            fields=[
                ('id', models.BigIntegerField(auto_created=True, blank=True, verbose_name='ID')),
                ('history_name', models.CharField(help_text='What the record was called.', max_length=255)),
                ('history_actor', models.CharField(max_length=255)),
                ('history_channel', models.CharField(max_length=16)),
                ('history_request_id', models.CharField(blank=True, max_length=64)),
                ('history_changes', models.JSONField(default=dict, encoder=django.core.serializers.json.DjangoJSONEncoder, help_text='Field: before and after; secrets masked.')),
                ('tn', models.PositiveBigIntegerField(help_text='In international form, digits only, such as 12025550123.', validators=[django.core.validators.MinValueValidator(100), django.core.validators.MaxValueValidator(999999999999999)], verbose_name='number')),
                ('kind', models.CharField(choices=[('long_code', 'Long code'), ('tollfree', 'Toll-free')], editable=False, max_length=16)),
                ('region', models.CharField(blank=True, help_text='Where the number is from, as customers know it.', max_length=64)),
                ('provider', models.CharField(blank=True, help_text='Where the operator has it from; staff only.', max_length=64)),
                ('monthly_price', models.DecimalField(blank=True, decimal_places=4, help_text='US dollars a month; empty: none is said.', max_digits=10, null=True, validators=[django.core.validators.MinValueValidator(0)])),
                ('history_change_reason', models.CharField(blank=True, max_length=255)),
                ('history_id', models.BigAutoField(editable=False, primary_key=True, serialize=False)),
                ('history_date', models.DateTimeField()),
                ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
                ('history_user', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('lease', models.ForeignKey(blank=True, db_constraint=False, db_index=False, editable=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='profiles_app.numberlease')),
                ('order', models.ForeignKey(blank=True, db_constraint=False, db_index=False, editable=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='profiles_app.numberorder')),
            ],
            options={
                'verbose_name': 'historical number in stock',
                'verbose_name_plural': 'historical numbers in stock',
                'ordering': ['-history_id'],
                'get_latest_by': ('history_date', 'history_id'),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name='StockNumber',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('tn', models.PositiveBigIntegerField(help_text='In international form, digits only, such as 12025550123.', unique=True, validators=[django.core.validators.MinValueValidator(100), django.core.validators.MaxValueValidator(999999999999999)], verbose_name='number')),
                ('kind', models.CharField(choices=[('long_code', 'Long code'), ('tollfree', 'Toll-free')], editable=False, max_length=16)),
                ('region', models.CharField(blank=True, help_text='Where the number is from, as customers know it.', max_length=64)),
                ('provider', models.CharField(blank=True, help_text='Where the operator has it from; staff only.', max_length=64)),
                ('monthly_price', models.DecimalField(blank=True, decimal_places=4, help_text='US dollars a month; empty: none is said.', max_digits=10, null=True, validators=[django.core.validators.MinValueValidator(0)])),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('lease', models.OneToOneField(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='stock', to='profiles_app.numberlease')),
                ('order', models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='numbers', to='profiles_app.numberorder')),
            ],
            options={
                'verbose_name': 'number in stock',
                'verbose_name_plural': 'numbers in stock',
                'ordering': ['tn'],
            },
        ),
        migrations.CreateModel(
            name='HistoricalNumberOrder',
            fields=[
                ('id', models.BigIntegerField(auto_created=True, blank=True, verbose_name='ID')),
                ('history_name', models.CharField(help_text='What the record was called.', max_length=255)),
                ('history_actor', models.CharField(max_length=255)),
                ('history_channel', models.CharField(max_length=16)),
                ('history_request_id', models.CharField(blank=True, max_length=64)),
                ('history_changes', models.JSONField(default=dict, encoder=django.core.serializers.json.DjangoJSONEncoder, help_text='Field: before and after; secrets masked.')),
                ('uuid', models.UUIDField(default=uuid.uuid4, editable=False, verbose_name='UUID')),
                ('state', models.CharField(choices=[('created', 'Ordered'), ('verify', 'Being checked'), ('processing', 'In progress'), ('success', 'Fulfilled'), ('failed', 'Refused')], default='created', editable=False, max_length=16)),
                ('quantity', models.PositiveSmallIntegerField(default=1, help_text='How many numbers, 1 to 100.', validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(100)])),
                ('kind', models.CharField(blank=True, choices=[('long_code', 'Long code'), ('tollfree', 'Toll-free')], help_text='Empty: either kind.', max_length=16)),
                ('prefix', models.CharField(blank=True, help_text='Digits that the numbers begin with, such as 1202.', max_length=15, validators=[django.core.validators.RegexValidator('\\A[0-9]{0,15}\\Z', 'Digits only.')])),
                ('wanted', models.JSONField(blank=True, default=list, editable=False, help_text='Numbers that are asked for by name; empty: any that fit.')),
                ('note', models.CharField(blank=True, help_text='What the operator should know.', max_length=255)),
                ('autorenew', models.BooleanField(default=True, verbose_name='renewed automatically')),
                ('answer', models.CharField(blank=True, editable=False, help_text='What the operator says to it.', max_length=255)),
                ('decided_at', models.DateTimeField(editable=False, null=True)),
                ('history_change_reason', models.CharField(blank=True, max_length=255)),
                ('history_id', models.BigAutoField(editable=False, primary_key=True, serialize=False)),
                ('history_date', models.DateTimeField()),
                ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
                ('account', models.ForeignKey(blank=True, db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='contacts_app.account')),
                ('created_by', models.ForeignKey(blank=True, db_constraint=False, db_index=False, editable=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('decided_by', models.ForeignKey(blank=True, db_constraint=False, db_index=False, editable=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('history_user', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('messaging_profile', models.ForeignKey(blank=True, db_constraint=False, db_index=False, help_text="For the numbers that come; empty: the account's default one.", null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='profiles_app.messagingprofile')),
                ('modified_by', models.ForeignKey(blank=True, db_constraint=False, db_index=False, editable=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('sip_connection', models.ForeignKey(blank=True, db_constraint=False, db_index=False, help_text='Where calls to the numbers go.', null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='profiles_app.sipconnection', verbose_name='SIP connection')),
                ('sip_control_app', models.ForeignKey(blank=True, db_constraint=False, db_index=False, help_text='The app that decides about calls to the numbers.', null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='profiles_app.sipcontrolapp', verbose_name='SIP control app')),
            ],
            options={
                'verbose_name': 'historical number order',
                'verbose_name_plural': 'historical number orders',
                'ordering': ['-history_id'],
                'get_latest_by': ('history_date', 'history_id'),
                'indexes': [models.Index(fields=['id', '-history_id'], name='numberorder_history'), models.Index(condition=models.Q(('history_type', '-')), fields=['-history_id'], name='numberorder_deleted')],
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.AddIndex(
            model_name='numberorder',
            index=models.Index(fields=['account', '-created_at', '-id'], name='number_order_of_account'),
        ),
        migrations.AddIndex(
            model_name='numberorder',
            index=models.Index(fields=['-created_at', '-id'], name='number_order_by_age'),
        ),
        migrations.AddIndex(
            model_name='numberorder',
            index=models.Index(fields=['state', '-created_at', '-id'], name='number_order_by_state'),
        ),
        migrations.AddIndex(
            model_name='historicalstocknumber',
            index=models.Index(fields=['id', '-history_id'], name='stocknumber_history'),
        ),
        migrations.AddIndex(
            model_name='historicalstocknumber',
            index=models.Index(condition=models.Q(('history_type', '-')), fields=['-history_id'], name='stocknumber_deleted'),
        ),
        migrations.AddIndex(
            model_name='stocknumber',
            index=models.Index(condition=models.Q(('lease', None)), fields=['tn'], name='stock_number_free'),
        ),
        migrations.AddIndex(
            model_name='stocknumber',
            index=models.Index(condition=models.Q(('lease', None), _negated=True), fields=['tn'], name='stock_number_leased'),
        ),
        migrations.AddIndex(
            model_name='stocknumber',
            index=models.Index(fields=['kind', 'tn'], name='stock_number_by_kind'),
        ),
        migrations.AddIndex(
            model_name='stocknumber',
            index=models.Index(fields=['region', 'tn'], name='stock_number_by_region'),
        ),
        migrations.AddIndex(
            model_name='stocknumber',
            index=contacts_app.core.lists.search.TextIndex(fields=['tn'], name='stock_number_text'),
        ),
        migrations.AddIndex(
            model_name='stocknumber',
            index=contacts_app.core.lists.search.TextIndex(fields=['region'], name='stock_number_region_text'),
        ),
    ]
