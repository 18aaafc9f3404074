import contacts_app.core.secrets
from django.db import migrations, models

WORDS = {
    "opt_out_words": (
        "STOP, STOPALL, UNSUBSCRIBE, CANCEL, END, QUIT",
        "opt-out words",
        "Separated by commas. A message that is one of them ends messages to its sender. Empty: none does.",
    ),
    "opt_in_words": (
        "START, UNSTOP",
        "opt-in words",
        "Separated by commas. A message that is one of them allows messages to its sender again.",
    ),
}


class Migration(migrations.Migration):
    dependencies = [("profiles_app", "0011_webhooks")]

    operations = [
        *(
            migrations.AddField(
                model_name=model,
                name=name,
                field=models.CharField(
                    blank=True, db_default=words, default=words, help_text=text, max_length=255, verbose_name=label
                ),
            )
            for model in ("messagingprofile", "historicalmessagingprofile")
            for name, (words, label, text) in WORDS.items()
        ),
        migrations.AddField(
            model_name="messagingprofile",
            name="signing_secret",
            field=contacts_app.core.secrets.EncryptedTextField(
                blank=True, db_default="", default="", editable=False, help_text="Made when the first webhook is called."
            ),
        ),
        migrations.AddField(
            model_name="numberlease",
            name="outcome_at",
            field=models.DateTimeField(editable=False, null=True, verbose_name="last outcome"),
        ),
    ]
