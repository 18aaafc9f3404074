"""People are known by a provider of single sign-on."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('contacts_app', '0003_kept_answers'),
    ]

    operations = [
        migrations.AddField(
            model_name='historicaluser',
            name='single_sign_on_id',
            field=models.CharField(editable=False, help_text='Provider and subject.', max_length=512, null=True, verbose_name='single sign-on'),
        ),
        migrations.AddField(
            model_name='user',
            name='single_sign_on_id',
            field=models.CharField(editable=False, help_text='Provider and subject.', max_length=512, null=True, unique=True, verbose_name='single sign-on'),
        ),
    ]
