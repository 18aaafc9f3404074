from django.db import migrations, models


class Migration(migrations.Migration):
    """Of what format the file of a phone is, which decides its name; "" is SEP<MAC>.cnf.xml, as all were before."""

    dependencies = [("phones_app", "0034_refused_requests")]

    operations = [
        migrations.AddField(
            model_name=model,
            name="file_format",
            field=models.CharField(
                blank=True,
                choices=[("", "SEP<MAC>.cnf.xml"), ("sip-text", "SIP<MAC>.cnf"), ("ata", "ATA<MAC>.cnf.xml")],
                db_default="",
                default="",
                editable=False,
                max_length=8,
                verbose_name="format",
            ),
        )
        for model in ("phonefile", "leftfile")
    ]
