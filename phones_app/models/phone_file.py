"""The file of a phone on its file server: what was put there last, and what was found there since."""

from django.db import models

from contacts_app.models.encrypted import EncryptedBinaryField
from phones_app.models.file_server import FileServer
from phones_app.models.phone import Phone
from phones_app.models.phone_profile import ProfileRevision


class FileState(models.TextChoices):
    """What the last read-back said; the last two are drift: somebody else was there."""

    IN_PLACE = "in_place", "In place"
    CHANGED = "changed", "Changed behind our back"
    MISSING = "missing", "Missing"


DRIFTED = (FileState.CHANGED, FileState.MISSING)


class PhoneFile(models.Model):
    """Written by each upload, judged by read-backs. A phone that nothing was uploaded for has none."""

    phone = models.OneToOneField(Phone, on_delete=models.CASCADE, related_name="file", primary_key=True)
    server = models.ForeignKey(FileServer, null=True, on_delete=models.SET_NULL, related_name="+")
    revision = models.ForeignKey(ProfileRevision, null=True, on_delete=models.SET_NULL, related_name="+")
    sha256 = models.CharField(max_length=64, help_text="Of what was uploaded, or adopted.")
    uploaded_at = models.DateTimeField()

    state = models.CharField(max_length=12, choices=FileState, default=FileState.IN_PLACE)
    state_since = models.DateTimeField()
    checked_at = models.DateTimeField(null=True)
    next_check_at = models.DateTimeField()
    error = models.CharField(max_length=255, blank=True)
    found_sha256 = models.CharField(max_length=64, blank=True)
    found = EncryptedBinaryField(null=True, help_text="What was found instead, byte for byte.")

    class Meta:
        indexes = [
            models.Index(fields=["state", "phone"], name="file_by_state"),
            models.Index(fields=["next_check_at"], name="file_check_due"),
        ]

    def __str__(self) -> str:
        return f"file of {self.phone}"

    @property
    def is_drifted(self) -> bool:
        return self.state in DRIFTED
