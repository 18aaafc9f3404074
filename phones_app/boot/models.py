"""What phones fetched from the embedded file server."""

from django.db import models

from contacts_app.core.lists.search import TextIndex
from profiles_app.phone.models import MacAddressField


class FileFetch(models.Model):
    """A phone took its file from the embedded file server: the best proof that it was read (Cisco phones spec §2.7)."""

    mac = MacAddressField("MAC address")
    file_name = models.CharField(max_length=255)
    sha256 = models.CharField(max_length=64)
    size = models.PositiveIntegerField()
    address = models.CharField(max_length=64)
    protocol = models.CharField(max_length=8)
    fetched_at = models.DateTimeField()
    followed_by = models.CharField(
        max_length=255, blank=True, help_text="What the phone asked for next: it does if it accepts its file."
    )

    class Meta:
        ordering = ["-fetched_at", "-pk"]
        verbose_name_plural = "file fetches"
        indexes = [
            models.Index(fields=["mac", "-fetched_at"], name="fetch_of_phone"),
            models.Index(fields=["address", "-fetched_at"], name="fetch_from_address"),
            models.Index(fields=["-fetched_at", "-id"], name="fetch_by_age"),
            TextIndex(fields=["mac", "file_name", "address"], name="fetch_text"),
        ]

    def __str__(self) -> str:
        return f"{self.file_name} by {self.address}"
