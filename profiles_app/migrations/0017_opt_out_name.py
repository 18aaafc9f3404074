from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("profiles_app", "0016_own_keys")]

    operations = [
        migrations.AlterModelOptions(
            name="historicaloptout",
            options={
                "get_latest_by": ("history_date", "history_id"),
                "ordering": ["-history_id"],
                "verbose_name": "historical opt-out",
                "verbose_name_plural": "historical opt-outs",
            },
        ),
        migrations.AlterModelOptions(name="optout", options={"ordering": ["-id"], "verbose_name": "opt-out"}),
    ]
