"""What an account says of its numbers: what they are for, where calls to them go, which site they belong to."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('profiles_app', '0005_call_records'),
    ]

    operations = [
        migrations.AddField(
            model_name='historicalnumberlease',
            name='description',
            field=models.CharField(blank=True, db_default='', default='', help_text='What the number is for.', max_length=255),
        ),
        migrations.AddField(
            model_name='historicalnumberlease',
            name='destination',
            field=models.CharField(blank=True, db_default='', default='', help_text='Where calls to the number go: an extension, a number or a SIP address.', max_length=255),
        ),
        migrations.AddField(
            model_name='historicalnumberlease',
            name='site',
            field=models.CharField(blank=True, db_default='', default='', help_text="The customer's site that the number belongs to.", max_length=128),
        ),
        migrations.AddField(
            model_name='numberlease',
            name='description',
            field=models.CharField(blank=True, db_default='', default='', help_text='What the number is for.', max_length=255),
        ),
        migrations.AddField(
            model_name='numberlease',
            name='destination',
            field=models.CharField(blank=True, db_default='', default='', help_text='Where calls to the number go: an extension, a number or a SIP address.', max_length=255),
        ),
        migrations.AddField(
            model_name='numberlease',
            name='site',
            field=models.CharField(blank=True, db_default='', default='', help_text="The customer's site that the number belongs to.", max_length=128),
        ),
    ]
