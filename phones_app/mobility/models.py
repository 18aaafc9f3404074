"""What phones were seen doing: fetching their file, and being logged in on their service menu."""

from datetime import timedelta

from django.conf import settings
from django.db import models
from django.utils import timezone

from contacts_app.core.lists.search import TextIndex
from profiles_app.phone.models import MacAddressField

SESSION_IDLE_LIFE = timedelta(hours=24)  # Phone profiles spec §5.


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
        max_length=255, blank=True, help_text="What the phone fetched next: it does if it accepts its file."
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


class ServiceSession(models.Model):
    """A person logged in on a phone's service menu. It belongs to the MAC and ends after 24 idle hours."""

    mac = MacAddressField("MAC address", unique=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="service_sessions"
    )
    address = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField()

    class Meta:
        ordering = ["-last_used_at", "-pk"]
        indexes = [
            models.Index(fields=["-last_used_at", "-id"], name="service_session_by_use"),
            TextIndex(fields=["mac", "address"], name="service_session_text"),
        ]

    def __str__(self) -> str:
        return f"{self.user} on {self.mac}"

    @property
    def is_live(self) -> bool:
        return timezone.now() - self.last_used_at < SESSION_IDLE_LIFE
