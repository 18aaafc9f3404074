"""Where phones fetch their files from: an FTP or FTPS server that Patchbay uploads to."""

import uuid

from django.db import models
from django.db.models import Q

from contacts_app.models import Account
from contacts_app.models.encrypted import EncryptedTextField
from contacts_app.models.history import Tracked
from contacts_app.models.text_index import TextIndex
from phones_app.models.phone import PORT


class FileServer(models.Model):
    """An FTP target. Those without an account are shared: every tenant's phones may use them."""

    class Protocol(models.TextChoices):
        FTP = "ftp", "FTP"
        FTPS = "ftps", "FTPS (explicit TLS)"

    uuid = models.UUIDField("UUID", default=uuid.uuid4, unique=True, editable=False)
    account = models.ForeignKey(
        Account,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="file_servers",
        help_text="Empty: shared.",
    )
    name = models.CharField(max_length=255)
    protocol = models.CharField(
        max_length=4,
        choices=Protocol,
        default=Protocol.FTP,
        help_text="FTPS hides the password and the files on their way; the server must offer AUTH TLS.",
    )
    host = models.CharField(max_length=255)
    port = models.PositiveIntegerField(default=21, validators=PORT)
    username = models.CharField(max_length=255, blank=True)
    password = EncryptedTextField(blank=True, default="")
    directory = models.CharField(
        max_length=1024, blank=True, help_text="Where the phones' files lie; empty: the login folder."
    )
    passive = models.BooleanField(
        default=True, help_text="Passive mode: the server names the port of the data connection."
    )
    verify_certificate = models.BooleanField(
        default=False, help_text="FTPS: refuse certificates of unknown authorities."
    )
    read_back = models.BooleanField(
        default=False, help_text="Read every uploaded file back and compare it byte for byte."
    )
    keep_backups = models.PositiveSmallIntegerField(
        default=3, help_text="Replaced files kept on the server, per phone."
    )
    is_default = models.BooleanField(
        default=False, help_text="For phones of the account that name no file server."
    )
    is_embedded = models.BooleanField(default=False, editable=False)
    tested_at = models.DateTimeField(null=True, blank=True, editable=False)
    test_result = models.TextField(blank=True, editable=False, help_text="Empty: the last test went well.")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    history = Tracked(quiet=["tested_at", "test_result"])

    class Meta:
        ordering = ["name", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["account"],
                condition=Q(is_default=True, account__isnull=False),
                name="one_default_file_server_per_account",
            ),
            models.UniqueConstraint(
                fields=["is_default"],
                condition=Q(is_default=True, account=None),
                name="one_shared_default_file_server",
            ),
            models.UniqueConstraint(
                fields=["is_embedded"], condition=Q(is_embedded=True), name="one_embedded_file_server"
            ),
        ]
        indexes = [
            models.Index(fields=["name", "id"], name="file_server_by_name"),
            models.Index(fields=["protocol", "name", "id"], name="file_server_by_protocol"),
            models.Index(fields=["is_default", "name", "id"], name="file_server_by_default"),
            TextIndex(fields=["name", "host"], name="file_server_text"),
        ]

    def __str__(self) -> str:
        return self.name
