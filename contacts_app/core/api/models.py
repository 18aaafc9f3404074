"""What was answered to requests that came with an `Idempotency-Key`."""

from datetime import timedelta

from django.db import models

from contacts_app.core.secrets import EncryptedBinaryField

LIFE = timedelta(hours=24)


class KeptAnswer(models.Model):
    """Written before the work begins, so that of two at once one does it, and completed with the answer.

    Encrypted, because an answer may show a secret that is shown once. Gone after a day.
    """

    credential = models.CharField(max_length=64, help_text="Whose key it is: a token or a person.")
    key = models.CharField(max_length=64, help_text="Digest of the key.")
    request = models.CharField(max_length=64, help_text="Digest of what was asked for.")
    status = models.PositiveSmallIntegerField(null=True, help_text="Empty: there is no answer yet, or there never was.")
    headers = models.JSONField(default=dict)
    body = EncryptedBinaryField(null=True)
    created_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["credential", "key"], name="one_answer_per_key")]

    def __str__(self) -> str:
        return f"{self.credential}: {self.status or 'no answer'}"
