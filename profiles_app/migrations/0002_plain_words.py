"""Models and fields under the names of the glossary (docs/glossary.md)."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("contacts_app", "0002_plain_words"), ("profiles_app", "0001_initial")]
    operations = [
        migrations.RenameModel("CallbackLane", "CallbackQueue"),
        migrations.RenameField("CallbackQueue", "told_of_trouble", "told_of_failure"),
        migrations.AlterField(
            model_name='callback',
            name='profile',
            field=models.ForeignKey(blank=True, db_index=False, help_text="Whose support email is notified when deliveries fail; empty: the account's email.", null=True, on_delete=django.db.models.deletion.RESTRICT, related_name='callbacks', to='profiles_app.eventprofile'),
        ),
        migrations.AlterField(
            model_name='callbackqueue',
            name='callback',
            field=models.OneToOneField(editable=False, on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='queue', serialize=False, to='profiles_app.callback'),
        ),
        migrations.AlterField(
            model_name='callbackqueue',
            name='silent_in_row',
            field=models.PositiveIntegerField(default=0, help_text='Requests in a row without an answer; too many, and the callback rests.'),
        ),
        migrations.AlterField(
            model_name='callbackqueue',
            name='told_of_failure',
            field=models.BooleanField(default=False, help_text='The owner was notified that it fails, and will be when it works again.'),
        ),
        migrations.AlterField(
            model_name='event',
            name='account',
            field=models.ForeignKey(db_index=False, help_text='Empty: it concerns the portal itself, and has no listeners.', null=True, on_delete=django.db.models.deletion.CASCADE, related_name='events', to='contacts_app.account'),
        ),
        migrations.AlterField(
            model_name='eventprofile',
            name='support_email',
            field=models.EmailField(blank=True, help_text="Who is notified of time-outs and of a callback being switched off; empty: the account's email.", max_length=254, null=True),
        ),
        migrations.AlterField(
            model_name='historicalcallback',
            name='profile',
            field=models.ForeignKey(blank=True, db_constraint=False, db_index=False, help_text="Whose support email is notified when deliveries fail; empty: the account's email.", null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='profiles_app.eventprofile'),
        ),
        migrations.AlterField(
            model_name='historicaleventprofile',
            name='support_email',
            field=models.EmailField(blank=True, help_text="Who is notified of time-outs and of a callback being switched off; empty: the account's email.", max_length=254, null=True),
        ),
    ]
