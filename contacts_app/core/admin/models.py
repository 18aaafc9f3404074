"""What people asked for in the admin and workers do, where the rows of that work do not say who asked (`asked_work`)."""

from django.conf import settings
from django.db import models


class AskedWork(models.Model):
    """One request. Whether it is done is found out when the person's bell is asked for, and kept from then on."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False)
    kind = models.CharField(max_length=64)
    asked_at = models.DateTimeField()
    number = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        indexes = [models.Index(fields=["user", "-asked_at"], name="asked_work_of_person")]

    def __str__(self) -> str:
        return f"{self.kind} of {self.number}"


class AskedRow(models.Model):
    """The key of a row that it was asked for, until all of them are done."""

    work = models.ForeignKey(AskedWork, on_delete=models.CASCADE, related_name="rows", db_index=False)
    row = models.BigIntegerField()

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["work", "row"], name="row_asked_for_once")]

    def __str__(self) -> str:
        return f"{self.row} of {self.work_id}"
