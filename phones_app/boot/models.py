"""What phones fetched from the embedded file server, and all that they asked it for."""

from django.db import models

from contacts_app.core.lists.search import TextIndex
from phones_app.shared_files.models import SharedFile
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


class RequestedFile(models.Model):
    """A name that a phone asked the embedded file server for, and how often it got the file, or there was none.

    One row per phone and name, however often it asks; counts are no evidence (`FileFetch` is).
    """

    client = models.CharField(
        max_length=64, help_text="The phone's MAC address where it is known, else the IP address."
    )
    mac = MacAddressField("MAC address", null=True, blank=True)
    address = models.CharField("IP address", max_length=64)
    name = models.CharField(max_length=200, help_text="&lt;MAC&gt; stands for the phone's own MAC address.")
    protocol = models.CharField(max_length=8, help_text="Of the last request.")
    given = models.PositiveIntegerField(default=0, help_text="How often the file was given, whole.")
    missing = models.PositiveIntegerField("in vain", default=0, help_text="How often there was no such file.")
    refused = models.PositiveIntegerField(default=0, db_default=0, help_text="How often it was not given there.")
    is_missing = models.BooleanField("missing", help_text="It was not given at the last request.")
    refusal = models.CharField(
        max_length=200,
        blank=True,
        default="",
        db_default="",
        help_text="Why it was not given there, at the last request.",
    )
    # The row may be gone since, which is no reason to look through these.
    shared_file = models.ForeignKey(
        SharedFile,
        null=True,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="+",
        help_text="Where it was given from last; empty: from the folder of phones' files, or made.",
    )
    size = models.PositiveBigIntegerField(default=0, help_text="In bytes, when it was given last.")
    first_at = models.DateTimeField("first asked")
    last_at = models.DateTimeField("last asked")
    told_at = models.DateTimeField(
        null=True, editable=False, help_text="When it was told that the phone's own file names this and there is none."
    )

    class Meta:
        ordering = ["-last_at", "-pk"]
        constraints = [models.UniqueConstraint(fields=["client", "name"], name="requested_file_once")]
        indexes = [
            models.Index(fields=["mac", "-last_at"], name="requested_by_phone"),
            models.Index(fields=["-last_at", "-id"], name="requested_by_age"),
            models.Index(fields=["is_missing", "-last_at", "-id"], name="requested_by_result"),
            models.Index(
                fields=["name", "last_at", "mac"], condition=models.Q(is_missing=True), name="requested_in_vain"
            ),
            TextIndex(fields=["mac", "name", "address"], name="requested_text"),
        ]

    def __str__(self) -> str:
        return f"{self.name} by {self.client}"
