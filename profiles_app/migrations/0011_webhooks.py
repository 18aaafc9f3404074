from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("profiles_app", "0010_daily_call_reports")]

    operations = [
        *(
            migrations.AddField(
                model_name=model,
                name="webhook_key",
                field=models.CharField(blank=True, db_default="", default="", editable=False, max_length=64),
            )
            for model in ("callback", "historicalcallback")
        ),
        migrations.AddConstraint(
            model_name="callback",
            constraint=models.UniqueConstraint(
                condition=models.Q(("webhook_key", ""), _negated=True),
                fields=("account", "webhook_key"),
                name="one_callback_per_webhook",
            ),
        ),
    ]
