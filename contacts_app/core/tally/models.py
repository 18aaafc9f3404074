"""Numbers as they were counted last."""

from django.db import models


class Tally(models.Model):
    """The numbers of one tally, of one account or of all. The row of all says when they are due again.

    They are never added to: each time the rows themselves are counted, so that nothing can make them drift.
    """

    name = models.CharField(max_length=64)
    # The key of an account; 0: all of them, and rows without one.
    account = models.PositiveBigIntegerField(default=0)
    counts = models.JSONField(default=list)
    counted_at = models.DateTimeField(null=True)
    seconds = models.FloatField(default=0, help_text="How long counting took.")
    due_at = models.DateTimeField(null=True)

    class Meta:
        # What they tell is seen by who sees the rows.
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["name", "account"], name="tally_of_account")]
        indexes = [models.Index(fields=["due_at"], condition=models.Q(account=0), name="tally_due")]

    def __str__(self) -> str:
        return f"{self.name} of {self.account or 'all'}"
