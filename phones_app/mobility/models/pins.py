"""Wrong PINs that phones sent, so that nobody's PIN can be guessed on however many phones and processes."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from contacts_app.core.lists.search import TextIndex
from profiles_app.phone.models import MacAddressField


class PinFailures(models.Model):
    """How many wrong PINs there were of one person on any phone, or on one phone of anybody (`mobility.pins`)."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.CASCADE, related_name="pin_failures"
    )
    mac = MacAddressField("MAC address", null=True, blank=True, unique=True)
    count = models.PositiveSmallIntegerField("failures")
    last_at = models.DateTimeField("last failure")

    class Meta:
        ordering = ["-last_at", "-pk"]
        verbose_name = verbose_name_plural = "PIN failures"
        constraints = [
            models.CheckConstraint(
                name="pin_failures_of_a_person_or_a_phone",
                condition=Q(user=None, mac__isnull=False) | Q(user__isnull=False, mac=None),
            )
        ]
        indexes = [
            models.Index(fields=["-last_at", "-id"], name="pin_failures_by_age"),
            TextIndex(fields=["mac"], name="pin_failures_text"),
        ]

    def __str__(self) -> str:
        return f"PIN failures of {self.user or self.mac}"
